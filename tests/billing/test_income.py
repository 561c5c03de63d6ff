"""What is earned here and elsewhere, side by side: in each currency, and in the tenant's at the rates that are told."""

import csv
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import queries
from billing.models import ExchangeRate, OutsideStatement
from billing.operations import outside
from billing.operations.staff import StaffOnly
from billing.queries.rates import exactly, rounded
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.elsewhere import ADS, BACK, HEADER, channel, rated, told
from tests.billing.paying import draft, earner, staff
from tests.catalog import things
from tests.conftest import NOON

APRIL, MAY = date(2026, 4, 30), date(2026, 5, 1)
Lines = dict[tuple[str, str], tuple[int, int]]


def lines_of(creator: Creator | None, since: date = APRIL, until: date = MAY) -> Lines:
    """Return by platform and kind what is left in its own currency, and in yuan."""
    income = queries.income_of(creator=creator, since=since, until=until)
    return {(line.platform, line.kind): (line.all.net, line.into.net) for line in income.lines}


def test_own_sales_stand_beside_what_is_earned_elsewhere(in_school: Tenant) -> None:
    course = shop.course_for(10_000)
    creator = course.creator
    order = shop.bought(make.member(), course)
    shop.give_back(order, 1_000)
    told(channel(creator), ADS, BACK)
    told(channel(creator, "bilibili"), "2026-05-01,tip,,T1,500,0,CNY")
    rated(staff(), "7.8", day=APRIL)

    income = queries.income_of(creator=creator, since=APRIL, until=MAY)

    assert lines_of(creator) == {
        ("here", "sale:item"): (8_940, 8_940),
        ("here", "refund:item"): (-894, -894),
        ("bilibili", "tip"): (500, 500),
        ("youtube", "ads"): (5_500, 42_900),
        ("youtube", "refund"): (-550, -4_290),
    }
    assert (income.total, income.unconverted) == (8_940 - 894 + 500 + 42_900 - 4_290, {})
    [used] = income.rates
    assert (used.rate.day, used.since, used.until) == (APRIL, APRIL, MAY)


def test_payouts_are_no_income_and_nothing_of_others_is_counted(sandbox: Any, course: Item) -> None:
    creator = earner(course)
    draft(creator)
    other = things.creator()

    span = {"since": MAY, "until": MAY + timedelta(days=30)}
    assert lines_of(creator, **span) == {("here", "sale:item"): (17_880, 17_880)}
    assert lines_of(other, **span) == {}
    assert lines_of(None, **span) == lines_of(creator, **span)
    assert lines_of(creator, APRIL, APRIL) == {}


def test_without_a_rate_it_is_shown_as_it_is_and_named(creator: Creator) -> None:
    told(channel(creator), ADS, BACK)
    rated(staff(), "7.8", day=MAY)

    income = queries.income_of(creator=creator, since=APRIL, until=MAY)

    ads, refund = income.lines
    assert (ads.left.net, ads.into.net) == (5_500, 0), "The rate of the day after is not guessed to have held before."
    assert (refund.left.net, refund.into.net) == (0, -4_290)
    assert (income.total, income.unconverted) == (-4_290, {"EUR": 5_500})


def test_of_a_day_the_last_one_set_holds_and_the_way_back_is_not_guessed(creator: Creator) -> None:
    told(channel(creator), ADS)
    by = staff()
    outside.set_rates(rates=[outside.Rated(APRIL, "CNY", "EUR", Decimal("0.128"), "ECB")], by=by, at=NOON)
    assert lines_of(creator) == {("youtube", "ads"): (5_500, 0)}

    for rate in ("7.9", "7.8", "7.8"):
        rated(by, rate, day=APRIL - timedelta(days=400))

    assert lines_of(creator) == {("youtube", "ads"): (5_500, 42_900)}
    assert ExchangeRate.objects.filter(base="EUR").count() == 2, "The same again is not written again."


def test_a_half_is_rounded_away_from_nothing_and_a_line_is_rounded_once(creator: Creator) -> None:
    cents = [f"2026-05-01,ads,,C{n},1,0,EUR" for n in range(3)]
    told(channel(creator), *cents, "2026-05-01,refund,,C9,-1,0,EUR", "2026-05-01,tip,,J,1000,0,JPY")
    rated(staff(), "0.5")
    rated(staff(), "0.05", base="JPY")

    assert lines_of(creator) == {
        ("youtube", "ads"): (3, 2),  # 1.5, not three times 0.5
        ("youtube", "refund"): (-1, -1),
        ("youtube", "tip"): (1_000, 5_000),  # yen have no decimals: 50.00 yuan
    }


rates = some.decimals(Decimal("0.000000000001"), 10**9, places=12)
currencies = some.sampled_from(["JPY", "CNY", "BHD"])


@given(some.integers(-(10**14), 10**14), rates, currencies, currencies)
def test_a_conversion_is_exact_to_half_a_unit_and_the_same_below_zero(
    minor: int, rate: Decimal, base: str, into: str
) -> None:
    exact = exactly(minor, base, into, rate)

    assert abs(rounded(exact) - exact) <= Fraction(1, 2)
    assert rounded(-exact) == -rounded(exact)
    assert exactly(minor, into, into, None) == minor


@given(some.integers(-(10**8), 10**8), some.decimals(Decimal("0.0001"), 1_000, places=4))
def test_it_is_what_decimals_say(minor: int, rate: Decimal) -> None:
    said = (minor * rate).quantize(Decimal(1), ROUND_HALF_UP)

    assert rounded(exactly(minor, "EUR", "CNY", rate)) == said


@pytest.mark.parametrize(
    "line",
    [
        "2026-05-01,EUR,CNY,-7.8,ECB",
        "2026-05-01,EUR,CNY,0,ECB",
        "2026-05-01,EUR,CNY,7.1234567890123,ECB",
        "2026-05-01,EUR,EUR,1,ECB",
        "2026-05-01,EUR,XXX,1,ECB",
        "2026-05-03,EUR,CNY,7.8,ECB",
        "2026-02-30,EUR,CNY,7.8,ECB",
        "2026-05-01,EUR,CNY,7.8,",
        "2026-05-01,EUR,CNY,7.8",
        '2026-05-01,EUR,CNY,7.8,"',
    ],
)
def test_a_bad_rate_is_refused_and_none_is_set(in_school: Tenant, line: str) -> None:
    by = staff()
    lines = ["day,base,quote,rate,source\n", "2026-05-01,USD,CNY,7.1,ECB\n", f"{line}\n"]

    with pytest.raises(outside.BadRate):
        outside.set_rates(rates=outside.rates_of(lines), by=by, at=NOON)
    assert not ExchangeRate.objects.exists()
    with pytest.raises(StaffOnly):
        outside.set_rates(rates=outside.rates_of(lines[:2]), by=make.member(), at=NOON)
    assert len(outside.set_rates(rates=outside.rates_of(lines[:2]), by=by, at=NOON)) == 1


def test_a_creator_tells_and_reads_their_own_over_http_and_staff_all(
    creator: Creator, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    own, boss = make.client(creator.member), make.client(staff())
    stranger = make.client(things.creator(make.member(Member.Role.CREATOR)).member)
    made = own.post("/api/v1/channels/", {"platform": "youtube", "name": "Piano"}).json()
    ask, url = {"channel": made["id"], "csv": f"{HEADER}\n{ADS}\n{BACK}"}, "/api/v1/outside-statements/"

    statement = own.post(url, ask).json()
    assert (statement["platform"], statement["rows"], own.post(url, ask).json()["id"]) == (
        "youtube",
        2,
        statement["id"],
    )
    assert own.post(url, ask | {"csv": HEADER + "\nx"}).json()["code"] == "bad_statement"
    assert own.post(url, ask | {"rows": []}).status_code == 400
    assert stranger.post(url, ask).status_code == 404
    assert stranger.get(f"{url}{statement['id']}/rows/").status_code == 404
    rows = [{"day": "2026-05-01", "kind": "ads", "reference": "A1", "gross": 5, "currency": "EUR"}]
    again = boss.post(url, {"channel": made["id"], "rows": rows}).json()
    assert again["duplicates"] == 1
    [row] = boss.get(f"{url}{again['id']}/rows/").json()["results"]
    assert (row["is_counted"], row["told_before_by"]) == (False, statement["id"])
    with django_assert_max_num_queries(9):
        assert [of["id"] for of in own.get(url).json()["results"]] == [again["id"], statement["id"]]
    assert stranger.get(url).json()["results"] == stranger.get("/api/v1/channels/").json()["results"] == []
    assert own.post(f"{url}{statement['id']}/withdraw/", {"reason": "x"}).json()["code"] == "told_again"
    assert own.post(f"{url}{again['id']}/withdraw/", {"reason": "x"}).json()["reason"] == "x"


def test_a_file_is_sent_as_it_is(creator: Creator) -> None:
    client, of = make.client(creator.member), channel(creator)
    url = f"/api/v1/outside-files/?channel={of.pk}"

    for content, status in (
        (f"\ufeff{HEADER}\r\n{ADS}\r\n".encode(), 201),
        (f"{HEADER}\n2026-05-01,ads,抖音,G,1,0,EUR\n".encode("gbk"), 400),
        (b"", 400),
    ):
        assert client.post(url, content, content_type="application/octet-stream").status_code == status

    assert OutsideStatement.objects.get().rows == 1


def test_the_report_is_the_same_as_json_and_as_csv(
    client: APIClient, creator: Creator, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    told(channel(creator), ADS, BACK)
    boss, own, url = (
        make.client(staff()),
        make.client(creator.member),
        "/api/v1/income/?since=2026-04-30&until=2026-05-01",
    )
    rate = {"day": "2026-04-30", "base": "EUR", "quote": "CNY", "rate": "7.80", "source": "ECB"}
    assert client.post("/api/v1/exchange-rates/", {"rates": [rate]}).json()["code"] == "staff_only"
    assert boss.post("/api/v1/exchange-rates/", {"rates": [rate]}).json()["rates"][0]["rate"] == "7.8"
    assert own.get("/api/v1/exchange-rates/").json()["results"][0]["source"] == "ECB"

    with django_assert_max_num_queries(12):
        said = own.get(url).json()
    assert (said["total"], said["currency"], said["unconverted"]) == (38_610, "CNY", {})
    assert said["lines"][0]["all"] == {"gross": 10_000, "fee": 4_500, "net": 5_500}
    assert said["rates"] == [rate | {"rate": "7.8", "since": "2026-04-30", "until": "2026-05-01"}]
    first, second = csv.DictReader(StringIO(own.get(f"{url}&form=csv").content.decode()))
    assert [first["net"], first["net_into"], second["net_into"]] == ["5500", "42900", "-4290"]
    assert first["rates"] == "7.8 of 2026-04-30 for 2026-04-30 to 2026-05-01"
    assert boss.get(url).json() == boss.get(f"{url}&creator={creator.handle}").json() == said
    other = things.creator(make.member(Member.Role.CREATOR))
    assert make.client(other.member).get(f"{url}&creator={creator.handle}").status_code == 404
    assert make.client(other.member).get(url).json()["lines"] == []
    assert client.get(url).json()["code"] == "not_a_creator"
    assert own.get("/api/v1/income/?since=2026-05-02&until=2026-05-01").json()["code"] == "bad_span"
    assert own.get("/api/v1/income/").status_code == 200
