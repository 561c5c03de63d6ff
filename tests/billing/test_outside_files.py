"""Statements of other platforms as people send them: of any encoding, with any words, and told otherwise next time."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.translation import override

from billing import ledger, queries
from billing.admin.balance import trial_balance
from billing.models import Journal, OutsideIncome, OutsideStatement
from billing.money import Money
from billing.operations import outside
from creators.models import Creator
from kpplatform.tenancy.models import Tenant
from tests import make
from tests.billing import shop
from tests.billing.elsewhere import ADS, BACK, HEADER, TODAY, channel, told
from tests.catalog import things
from tests.conftest import NOON

BYTES = "application/octet-stream"
TIP = "2026-05-01,tip,小费,T1,5,0,CNY"
IN_TWO_LINES = '2026-05-01,ads,"a\nb",X,1,0,EUR'
SEMICOLONS = f"{HEADER}\n{ADS}".replace(",", ";")


@pytest.mark.parametrize("title", ["四月　广告", "avril\u00a0: 3", "👩‍🍳 cooks", "  padded "])
def test_titles_have_the_spaces_and_signs_that_people_write(creator: Creator, title: str) -> None:
    told(channel(creator), f"2026-05-01,ads,{title},X,1,0,EUR")

    assert OutsideIncome.objects.get().title == title.strip()


def test_spaces_around_a_reference_make_no_other_of_it(creator: Creator) -> None:
    of = channel(creator)
    told(of, ADS)

    assert told(of, ADS.replace("A1", " A1 ").replace("April", "april")).duplicates == 1


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (f"{HEADER}\n{ADS}\n{TIP}".encode("gbk"), "Line 3: it is not in UTF-8"),
        (f"{HEADER}\n{ADS}\n{TIP}".encode("utf-16"), "The first line must be day,kind,title"),
        (b"\xff\xfe\x00", "The first line must be day,kind,title"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xb5", "The first line must be day,kind,title"),
        (b"<!DOCTYPE html>\n<html></html>", "The first line must be day,kind,title"),
        (SEMICOLONS.encode(), "The first line must be day,kind,title"),
        (f"{HEADER},day\n{ADS},2026-05-01".encode(), "The first line must be day,kind,title"),
        (HEADER.encode(), "There is no row in it"),
        (b"", "The first line must be day,kind,title"),
        (f"{HEADER}\n{ADS}\n{HEADER}".encode(), "Line 3: day is no day"),
        (f"{HEADER}\n{ADS.replace('10000', 'NaN')}".encode(), "Line 2: amounts are whole minor units"),
        (f"{HEADER}\n{ADS.replace('4500', 'Infinity')}".encode(), "Line 2: amounts are whole minor units"),
        (f"{HEADER}\n{ADS.replace('10000', '1e4')}".encode(), "Line 2: amounts are whole minor units"),
        (f"{HEADER}\n{ADS.replace('April', 'x' * 200_000)}".encode(), "Line 2: it cannot be read"),
        (f"{HEADER}\n{IN_TWO_LINES}".encode(), "Line 3: a title is one line of at most 200 letters"),
    ],
)
def test_a_file_that_is_something_else_says_what_is_wrong(creator: Creator, sent: bytes, said: str) -> None:
    url = f"/api/v1/outside-files/?channel={channel(creator).pk}"

    refused = make.client(creator.member).post(url, sent, content_type=BYTES).json()

    assert (refused["code"], said in refused["detail"]) == ("bad_statement", True), refused
    assert not OutsideStatement.objects.exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026-05-01,refund,,X,1000,450,EUR", "what is given back is below zero"),
        ("2026-05-01,ads,,X,1000,-450,EUR", "what is kept of it is not below zero"),
    ],
)
def test_signs_that_would_make_more_of_it_are_refused(creator: Creator, line: str, said: str) -> None:
    with pytest.raises(outside.BadStatement) as refused:
        told(channel(creator), line)

    assert said in str(refused.value.detail)


def test_a_fee_may_be_kept_of_what_is_given_back_and_given_back_alone(creator: Creator) -> None:
    of = channel(creator)

    told(of, "2026-05-01,refund,,R,-1000,30,EUR", "2026-05-01,other,,F,0,-30,EUR")

    assert ledger.outside(of, "EUR").balance == Money(1_000, "EUR")


def test_a_day_that_has_begun_somewhere_on_earth_may_be_told_of(creator: Creator) -> None:
    """At noon in London it is the next day on Kiritimati, whose clocks are the first."""
    of = channel(creator)
    tomorrow = f"{TODAY + timedelta(days=1)},ads,,X,1,0,EUR"

    assert told(of, tomorrow).rows == 1
    rows = outside.rows_of([f"{HEADER}\n", tomorrow.replace("X", "Y")])
    with pytest.raises(outside.BadStatement, match="is not a day that was"):
        outside.import_statement(channel=of, by=creator.member, rows=rows, at=NOON - timedelta(hours=3))


def test_a_large_file_may_carry_an_idempotency_key(creator: Creator, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50
    url = f"/api/v1/outside-files/?channel={channel(creator).pk}"
    sent = f"{HEADER}\n{ADS}\n{BACK}\n".encode()

    first, again = (
        make.client(creator.member).post(url, sent, headers={"Idempotency-Key": "May"}, content_type=BYTES)
        for _ in range(2)
    )

    assert (first.status_code, again.json()) == (201, first.json())


def test_what_is_told_again_otherwise_is_counted_and_named(creator: Creator) -> None:
    of, client = channel(creator), make.client(creator.member)
    told(of, ADS, BACK)

    again = told(of, ADS.replace("April", "april"), BACK.replace("-450", "-400"))

    assert (again.duplicates, again.differing) == (2, 1)
    url = f"/api/v1/outside-statements/{again.pk}/"
    assert client.get(url).json()["differing"] == 1
    assert [row["differs"] for row in client.get(f"{url}rows/").json()["results"]] == [False, True]


def test_own_sales_are_of_the_tenants_day(in_school: Tenant) -> None:
    """At four in the afternoon in London the next day begins in Shanghai."""
    creator = things.creator()
    way = (ledger.clearing("CNY"), ledger.available(creator, "CNY"), shop.yuan(100))
    midnight = NOON + timedelta(hours=4)
    for at in (midnight - timedelta(microseconds=1), midnight):
        ledger.post(kind=Journal.Kind.AD_SHARE, key=f"{at}", transfers=[way], at=at)

    for day in (TODAY, TODAY + timedelta(days=1)):
        assert queries.income_of(creator=creator, since=day, until=day).total == 100


def test_the_trial_balance_sums_up_what_is_earned_elsewhere_apart(creator: Creator) -> None:
    told(channel(creator), ADS.replace("EUR", "CNY"))
    way = (ledger.clearing("CNY"), ledger.available(creator, "CNY"), shop.yuan(100))
    ledger.post(kind=Journal.Kind.AD_SHARE, key="1", transfers=[way], at=NOON)

    with override("en"):
        rows = {str(row[0]): row[2:] for row in trial_balance()["table"]["rows"]}

    assert rows["all of CNY"] == ["1.00 CNY", "1.00 CNY", "0.00 CNY"]
    assert rows["all of CNY, earned elsewhere"] == ["145.00 CNY", "145.00 CNY", "0.00 CNY"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026-05-01;EUR;CNY;7.8;ECB", "Line 3: it has not 5 columns"),
        ("1.5.2026,EUR,CNY,7.8,ECB", "Line 3: 1.5.2026 is no day such as"),
        ("2026-02-30,EUR,CNY,7.8,ECB", "Line 3: there is no day 2026-02-30"),
        ('2026-05-01,EUR,CNY,"7,8",ECB', "Line 3: a rate is a number such as 7.8"),
        ("2026-05-01,EUR,CNY,NaN,ECB", "Line 3: a rate is a number such as 7.8"),
        ("2026-05-01,EUR,CNY,1e3,ECB", "Line 3: a rate is a number such as 7.8"),
    ],
)
def test_a_rate_that_cannot_be_read_says_why(line: str, said: str) -> None:
    with pytest.raises(outside.BadRate) as refused:
        list(outside.rates_of(["day,base,quote,rate,source\n", "2026-05-01,EUR,CNY, 7.8 ,ECB\n", f"{line}\n"]))

    assert said in str(refused.value.detail)
