"""An advertiser's month: the statement says what the ledger says, to the unit, as a page and as files, and once."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import ledger
from billing import operations as billing
from billing.ads import operations
from billing.ads.models import Campaign, Flight, Offer, UseStatement
from billing.ads.queries import ad_statement
from billing.models import Invoice
from billing.operations import verify_ledger
from billing.queries.verification import ledger_report
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import money
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
JUNE, JULY, AUGUST = (datetime(2026, month, 2, tzinfo=UTC) for month in (6, 7, 8))


def used(viewers: int = 2) -> Flight:
    """Return a flight whose ad so many have seen in May, at 53 minor units each."""
    flight = adverts.live(budget=90_000, bid=53_000, tier=Campaign.Tier.SPONSORSHIP)
    for _ in range(viewers):
        viewer = make.member()
        (placed,) = adverts.shown(viewer)
        adverts.told(viewer, placed, NOON + timedelta(seconds=5))
    operations.charge_next(at=NOON)
    return flight


def close(month: datetime) -> None:
    """Close the month before, and issue its statements."""
    billing.paying.settle(month=(month - timedelta(days=5)).date(), at=month)
    operations.state_use_next(at=month)


def credited(flight: Flight, at: datetime, key: str = "k") -> None:
    staff = make.member(Member.Role.STAFF)
    given: dict[str, Any] = {"amount": 10, "reason": "make_good", "note": "Less was shown.", "key": key}
    operations.credit_advertiser(campaign=flight.campaign, by=staff, at=at, **given)


def test_the_statement_is_the_ledger_and_the_files_are_the_statement(in_school: Tenant) -> None:
    """1,000.00 paid in, 1.06 charged, of it 0.06 tax, 0.10 credited: 999.04 are left, whatever is set aside."""
    in_school.settings = {"tax_bps": 600}
    in_school.save()
    flight = used()
    credited(flight, NOON)
    who = flight.campaign.advertiser

    close(JUNE)

    own = make.client(who.member)
    (told,) = own.get("/api/v1/ad-statements/").json()["results"]
    assert (told["opening"], told["movements"], told["closing"]) == (0, 99_904, 99_904)
    assert told["closing"] == money(ledger.advertiser(who.member, "CNY")) + money(ledger.ad_budget(who.member, "CNY"))
    campaign = {"campaign": flight.campaign_id, "name": "Spring", "charged": 106, "tax": 6, "credited": 10}
    assert told["campaigns"] == [campaign]
    address = f"/api/v1/ad-statements/{told['id']}"
    rows = list(csv.reader(io.StringIO(own.get(f"{address}/csv/").getvalue().decode())))
    assert {row[1]: int(row[3]) for row in rows if row[0] == "sum"} == {
        name: told[name] for name in ("opening", "movements", "closing")
    }
    span = ad_statement(who, currency="CNY", since=NOON - timedelta(days=1), until=JUNE)
    entries = [(row[1], int(row[3])) for row in rows if row[0] == "entry"]
    assert entries == [(line.kind, line.amount) for line in span.lines]
    assert sum(amount for _, amount in entries) == told["movements"]
    assert own.get(f"{address}/pdf/").getvalue().startswith(b"%PDF")
    verify_ledger()


def test_what_is_booked_late_belongs_to_the_next_month_and_the_first_is_not_issued_again() -> None:
    flight = used()
    close(JUNE)
    credited(flight, NOON)  # happened in May, after it was closed

    assert operations.state_use_next(at=JUNE) == 0
    close(JULY)
    close(AUGUST)

    told = list(UseStatement.objects.order_by("pk").values_list("opening", "movements", "closing"))
    assert told == [(0, 99_894, 99_894), (99_894, 10, 99_904), (99_904, 0, 99_904)]
    verify_ledger()


def test_what_was_paid_in_has_the_only_invoice_and_no_tax_in_it(in_school: Tenant) -> None:
    """Tax is due on what is used: the statement tells it, and the one document with a number is the top-up's."""
    in_school.settings = {"tax_bps": 600}
    in_school.save()
    used()

    close(JUNE)
    operations.state_use_next(at=JUNE)

    assert [(of.amount, of.tax) for of in Invoice.objects.all()] == [(100_000, 0)]
    assert UseStatement.objects.count() == 1


def test_what_no_viewer_saw_stands_in_it_as_credited() -> None:
    flight = used()
    offers = list(Offer.objects.filter(flight=flight)[:1])
    staff = make.member(Member.Role.STAFF)
    operations.find_invalid(campaign=flight.campaign, offers=offers, by=staff, note="A farm.", key="k", at=NOON)

    close(JUNE)

    (use,) = UseStatement.objects.get().campaigns.values_list("charged", "credited")
    assert use == (106, 53)
    verify_ledger()


def test_nobody_reads_another_ones_and_a_list_asks_no_more_for_more() -> None:
    flight = used()
    close(JUNE)
    number = UseStatement.objects.get().pk
    assert make.client(make.member()).get(f"/api/v1/ad-statements/{number}/").status_code == 404
    own = make.client(flight.campaign.advertiser.member)
    with CaptureQueriesContext(connection) as few:
        own.get("/api/v1/ad-statements/")
    close(JULY)
    with CaptureQueriesContext(connection) as more:
        assert len(own.get("/api/v1/ad-statements/").json()["results"]) == 2
    assert len(more) <= len(few)


def test_the_books_name_a_statement_that_says_something_else() -> None:
    used()
    close(JUNE)
    period, who = UseStatement.objects.get().period, adverts.advertiser(balance=0, name="Other")
    told: dict[str, Any] = {"period": period, "advertiser": who, "currency": "CNY", "seller": {}, "buyer": {}}

    UseStatement.objects.create(**told, opening=0, movements=7, closing=7, issued_at=JUNE)

    assert {fault.promise for fault in ledger_report().faults} == {"AD9"}
