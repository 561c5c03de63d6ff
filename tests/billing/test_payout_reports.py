"""Payouts beside the provider's report: planted differences are found, and only they."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing import operations, providers, queries
from billing.models import Payment, Payout, ReconciliationException, ReconciliationRun, ReportRow
from billing.operations import Report, paying, reconciliation
from billing.providers import Reported
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop
from tests.billing.paying import LATER, approved, earner, sent, staff
from tests.billing.shop import fault, jobs, yuan

NOW = datetime.now(UTC)
SINCE, UNTIL = LATER - timedelta(days=1), NOW + timedelta(hours=3)


@pytest.fixture
def payout(sandbox: Server, course: Item) -> Payout:
    """100 yuan that the sandbox has paid; nothing that was sold there is looked at."""
    made = sent(approved(earner(course)))
    Payment.objects.update(provider="stripe")
    return made


def compared(rows: list[Reported] | None = None, shift: int = 0) -> ReconciliationRun:
    until = UNTIL + timedelta(hours=shift)
    if rows is None:
        return reconciliation.reconcile_day(provider="sandbox", since=SINCE, until=until, at=until)
    return operations.reconcile(report=Report("sandbox", SINCE, until, rows), at=until)


def listed() -> list[tuple[str, str, int | None, int | None, str]]:
    found = ReconciliationException.objects.order_by("pk")
    return list(found.values_list("reason", "kind", "expected", "found", "state"))


def test_a_payout_is_reported_as_it_was_booked(payout: Payout) -> None:
    run = compared()

    assert (run.rows, run.matched, listed()) == (1, 1, [])
    row = ReportRow.objects.get()
    assert (row.kind, row.payout, row.key, row.reference) == ("payout", payout, payout.key, payout.reference)
    assert shop.books_are_good()


@pytest.mark.parametrize(
    ("kind", "differences"),
    [
        ("wrong_amount", [("amount", "payout", 10_000, 10_007, "open")]),
        ("extra_row", [("unknown", "payout", None, 10_000, "open")]),
        ("twice_row", [("twice", "payout", None, 10_000, "open")]),
        ("missing_row", [("missing", "payout", 10_000, None, "open")]),
    ],
)
def test_a_planted_difference_is_found_and_only_it(
    sandbox: Server, payout: Payout, kind: str, differences: list[Any]
) -> None:
    fault(sandbox, "/v1/report", kind)

    compared()

    assert listed() == differences
    assert list(ReconciliationException.objects.values_list("payout", flat=True)) == [
        None if kind == "extra_row" else payout.pk
    ]


def test_what_is_reported_later_resolves_what_was_missing(sandbox: Server, payout: Payout) -> None:
    fault(sandbox, "/v1/report", "missing_row")
    compared()

    compared(shift=1)

    assert listed() == [("missing", "payout", 10_000, None, "resolved")]


def test_a_payout_that_the_provider_has_made_and_we_do_not_know_of_is_asked_about(
    sandbox: Server, course: Item
) -> None:
    fault(sandbox, "/v1/payouts", "fail_after_commit")
    payout = sent(approved(earner(course)))
    Payment.objects.update(provider="stripe")
    asked = jobs("resolve_payout")

    compared()

    assert listed() == [("not_booked", "payout", 0, 10_000, "open")]
    assert jobs("resolve_payout") == asked + 1
    paying.resolve_payout(payout=payout, at=NOW)
    compared(shift=1)
    assert listed()[0] == ("not_booked", "payout", 0, 10_000, "resolved")


def test_what_came_back_is_another_row_than_what_left(payout: Payout) -> None:
    paying.reverse_payout(payout=payout, by=staff(), why="no such account", at=NOW)
    left = Reported("payout", payout.reference, payout.key, yuan(10_000), None, NOW)

    compared([left])
    assert listed() == [("missing", "reversal", 10_000, None, "open")]

    back = Reported("reversal", payout.reference, "", yuan(10_000), None, NOW)
    run = compared([back], shift=1)
    assert (run.matched, listed()) == (1, [("missing", "reversal", 10_000, None, "resolved")])


def test_a_return_that_we_have_not_booked_is_found(payout: Payout) -> None:
    rows = [Reported(kind, "", payout.key, yuan(10_000), None, NOW) for kind in ("payout", "reversal")]

    compared(rows)

    assert listed() == [("not_booked", "reversal", 0, 10_000, "open")]


def test_a_payout_through_another_rail_is_unknown_to_this_one(payout: Payout) -> None:
    rows = [Reported("payout", payout.reference, payout.key, yuan(10_000), None, NOW)]

    operations.reconcile(report=Report("alipay", SINCE, NOW, rows), at=NOW)

    assert listed() == [("unknown", "payout", None, 10_000, "open")]


def test_a_tenant_that_only_pays_out_there_is_compared_as_well(payout: Payout) -> None:
    assert queries.providers_used() == ["sandbox", "stripe"]
    days = list(reconciliation.days_to_reconcile(at=NOW))

    assert {provider for provider, *_ in days} == {"sandbox"}, "Nobody can be asked at Stripe."


def test_staff_see_what_a_difference_is_about(sandbox: Server, payout: Payout) -> None:
    fault(sandbox, "/v1/report", "missing_row")
    compared()

    (found,) = make.client(make.member(Member.Role.STAFF)).get("/api/v1/reconciliation-exceptions/").json()["results"]

    assert (found["kind"], found["payout"], found["payment"], found["reference"]) == ("payout", payout.pk, None, "")


def test_a_reported_payout_that_is_nowhere_listed_is_named_by_verify_ledger(payout: Payout) -> None:
    run = compared()
    assert shop.books_are_good()

    told = {"kind": "payout", "reference": "x", "amount": 1, "currency": "CNY", "at": NOW}
    row = ReportRow.objects.create(run=run, **told)

    assert [(wrong.promise, wrong.row) for wrong in queries.ledger_report().faults] == [("L12", row.pk)]
    assert run.provider == providers.SANDBOX
