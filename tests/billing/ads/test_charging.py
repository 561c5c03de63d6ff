"""From what was billed to a creator's part of it, worked through."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import ledger
from billing.ads import operations
from billing.ads.models import Charge, Flight, Share
from billing.ads.queries import ad_statement, qualified_views
from billing.operations import verify_ledger
from billing.queries.verification import ledger_report
from catalog.models import Item, Watch
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY, money
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
SETTLED = NOON + 4 * DAY


def seen(viewers: int) -> Flight:
    """Return a flight whose ad so many have seen, at half a minor unit each."""
    flight = adverts.live(budget=10_000)
    for _ in range(viewers):
        viewer = make.member()
        (placed,) = adverts.shown(viewer)
        adverts.told(viewer, placed, NOON + timedelta(seconds=5))
    return flight


def watched(creator: Creator, times: int, *, ms: int = 10_000, by: Member | None = None) -> Item:
    item = things.video(creator)
    for _ in range(times):
        watch = {"event_id": uuid4(), "viewer": by or make.member(), "item": item}
        Watch.objects.create(**watch, started_at=NOON, received_at=NOON, watch_ms=ms, duration_ms=60_000)
    return item


def test_whole_units_are_charged_and_the_parts_wait() -> None:
    """Five views are 2.5 minor units: 2, and with two more 3.5, one more."""
    flight = seen(5)

    assert operations.charge_next(at=NOON) == 1
    assert operations.charge_next(at=NOON) == 0

    flight.refresh_from_db()
    assert (flight.charged, Charge.objects.get().amount) == (2, 2)
    assert money(ledger.ad_revenue("CNY")) == 2
    assert money(ledger.ad_budget(flight.campaign.advertiser.member, "CNY")) == 9_998


def test_tax_is_taken_out_of_what_is_charged(in_school: Tenant) -> None:
    """Of 106 minor units at 6 %: 6 are tax, 100 are shared."""
    in_school.settings = {"tax_bps": 600}
    in_school.save()
    seen(212)

    operations.charge_next(at=NOON)

    assert (money(ledger.tax("CNY")), money(ledger.ad_revenue("CNY"))) == (6, 100)


def test_tax_of_a_unit_at_a_time_is_the_tax_of_all(in_school: Tenant) -> None:
    """20 charges of one minor unit at 6 %: 1.13 are tax, and 1 is taken."""
    in_school.settings = {"tax_bps": 600}
    in_school.save()
    flight = adverts.live()

    for unit in range(20):
        Flight.objects.filter(pk=flight.pk).update(spent=(unit + 1) * 1_000_000)
        assert operations.charge_next(at=NOON) == 1

    assert (money(ledger.tax("CNY")), money(ledger.ad_revenue("CNY"))) == (1, 19)


def test_a_rate_that_changes_taxes_what_comes_after(in_school: Tenant) -> None:
    """106 without tax, 106 at 6 %: six, not twelve; then 113 at 13 %: thirteen, not what is thought to be missing."""
    flight = adverts.live()
    for spent, bps in ((106, 0), (212, 600), (325, 1_300)):
        in_school.settings = {"tax_bps": bps}
        in_school.save()
        Flight.objects.filter(pk=flight.pk).update(spent=spent * 1_000_000)
        operations.charge_next(at=NOON)

    assert list(Charge.objects.order_by("pk").values_list("tax", flat=True)) == [0, 6, 13]


def test_a_days_income_is_shared_by_qualified_views() -> None:
    """100 minor units: 45 for the platform, 55 for 3 + 2 qualified views: 33 and 22."""
    one, other = things.creator(make.member(Member.Role.CREATOR)), things.creator(make.member(Member.Role.CREATOR))
    watched(one, 3)
    watched(other, 2)
    watched(other, 1, ms=4_999)  # too short
    watched(other, 4, by=other.member)  # their own
    seen(200)
    operations.charge_next(at=NOON)

    assert operations.share_next(at=NOON + DAY) == 0  # held: what is no viewer is still taken out
    assert operations.share_next(at=SETTLED) == 1
    assert operations.share_next(at=SETTLED) == 0

    assert [money(ledger.available(creator, "CNY")) for creator in (one, other)] == [33, 22]
    assert (money(ledger.fees("CNY")), money(ledger.ad_revenue("CNY"))) == (45 - 600, 0)  # the top-up's cost
    assert [(share.views, share.amount) for share in Share.objects.order_by("-views")] == [(3, 33), (2, 22)]
    verify_ledger()


def test_who_watches_the_same_again_counts_once() -> None:
    creator, fan = things.creator(make.member(Member.Role.CREATOR)), make.member()
    watched(creator, 5, by=fan)

    watched(creator, 1, by=fan)

    assert qualified_views(date(2026, 5, 1), least_ms=5_000) == {creator.pk: 2}


def test_without_a_view_the_platform_keeps_it() -> None:
    seen(20)
    operations.charge_next(at=NOON)

    operations.share_next(at=SETTLED)

    assert money(ledger.fees("CNY")) == 10 - 600
    verify_ledger()


def test_the_advertisers_statement_adds_up() -> None:
    """1,000 yuan paid in, 1.00 charged, 0.40 credited: 999.40 are left, set aside or not."""
    flight = seen(200)
    who = flight.campaign.advertiser
    operations.charge_next(at=NOON)
    credit = {"campaign": flight.campaign, "by": make.member(Member.Role.STAFF), "reason": "make_good"}
    for _ in range(2):
        operations.credit_advertiser(**credit, amount=40, note="Less was shown.", key="k", at=NOON)
    with pytest.raises(operations.TooMuchCredit):
        operations.credit_advertiser(**credit, amount=61, note="Less was shown.", key="l", at=NOON)
    with pytest.raises(operations.CreditKeyTaken):
        operations.credit_advertiser(**credit, amount=41, note="Less was shown.", key="k", at=NOON)

    told = ad_statement(who, currency="CNY", since=NOON, until=NOON + DAY)

    assert (told.opening.minor, told.closing.minor) == (0, 99_940)
    assert [(line.kind, line.amount) for line in told.lines] == [
        ("sale", 100_000),
        ("ad_charge", -100),
        ("ad_credit", 40),
    ]
    assert told.by_campaign == {flight.campaign_id: 100}
    verify_ledger()


def test_the_statements_lines_come_a_page_at_a_time_and_its_sums_are_of_all() -> None:
    flight = seen(200)
    who = flight.campaign.advertiser
    operations.charge_next(at=NOON)
    staff = make.member(Member.Role.STAFF)
    for number in range(3):
        credit: dict[str, Any] = {"amount": 10 + number, "reason": "make_good", "note": "Sorry.", "key": f"{number}"}
        operations.credit_advertiser(campaign=flight.campaign, by=staff, at=NOON, **credit)
    client = make.client(who.member)

    first = client.get(f"/api/v1/advertisers/{who.pk}/statement/", {"limit": 2}).json()
    with CaptureQueriesContext(connection) as few:
        second = client.get(first["next"]).json()
    with CaptureQueriesContext(connection) as more:
        third = client.get(second["next"]).json()

    assert [[line["amount"] for line in page["lines"]] for page in (first, second, third)] == [
        [100_000, -100],
        [10, 11],
        [12],
    ]
    assert {(page["opening"], page["closing"]) for page in (first, second, third)} == {(0, 99_933)}
    assert third["next"] is None
    assert len(few) == len(more)


def test_an_ended_campaign_gets_back_what_it_did_not_spend() -> None:
    flight = seen(5)
    who = flight.campaign.advertiser
    late = make.member()
    (placed,) = adverts.shown(late)
    operations.end_campaign(campaign=flight.campaign, by=who.member, at=NOON)
    assert operations.give_back_next(at=NOON) == 0  # one is open, and two units are not charged

    adverts.told(late, placed, NOON + timedelta(seconds=5))  # shown before the end: billed
    operations.charge_next(at=NOON)
    assert operations.give_back_next(at=NOON) == 1

    assert money(ledger.advertiser(who.member, "CNY")) == 100_000 - 3
    assert money(ledger.ad_budget(who.member, "CNY")) == 0
    verify_ledger()


def test_the_books_name_a_flight_that_was_changed_by_hand() -> None:
    flight = seen(5)
    assert not [fault for fault in ledger_report().faults if fault.promise.startswith("AD")]

    Flight.objects.filter(pk=flight.pk).update(spent=1)

    assert [fault.promise for fault in ledger_report().faults] == ["AD1"]
