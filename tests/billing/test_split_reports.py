"""What a provider has divided, beside its report: 89.40 of a course for 100 yuan, of which 44.70 were taken back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing import operations, providers
from billing.models import ReconciliationException, ReconciliationRun, ReportRow, Split, SplitOrder, SplitReturn
from billing.operations import Report, splitting
from billing.providers import Reported
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests.billing import shop, splits, test_stripe
from tests.billing.doubles.stripe import StripeDouble
from tests.billing.shop import yuan
from tests.billing.splits import LATER, matured, receiver, sent, sent_back, split_of
from tests.billing.test_maturity import refunded
from tests.billing.test_reconciliation import compared
from tests.billing.test_splits_of_providers import at_stripe

divides = splits.divides  # the fixture
stripe = test_stripe.stripe  # the fixture
DAY = timedelta(days=1)


@pytest.fixture
def back(sandbox: Server, viewer: Member, course: Item) -> SplitReturn:
    """What was taken back of a split."""
    receiver(course.creator)
    return taken_back(sent(matured(viewer, course)))


def taken_back(order: SplitOrder) -> SplitReturn:
    refunded(order.payment.order, 5_000)
    asked = splitting.ask_back(split=split_of(order), at=LATER)
    assert asked is not None
    return sent_back(asked)


def rows_of(back: SplitReturn) -> list[Reported]:
    split = Split.objects.select_related("order").get()
    given = Reported("split", split.reference, split.key, split.money, 0, LATER)
    return [given, Reported("split_back", back.reference, back.key, yuan(back.amount), 0, LATER)]


def reconciled(rows: list[Reported], provider: str = "sandbox", shift: int = 0) -> ReconciliationRun:
    since, until = LATER - timedelta(hours=1), LATER + timedelta(hours=2 + shift)
    return operations.reconcile(report=Report(provider, since, until, rows), at=until)


def listed() -> list[tuple[Any, ...]]:
    found = ReconciliationException.objects.filter(kind__startswith="split").order_by("pk")
    return list(found.values_list("reason", "kind", "expected", "found", "state"))


def test_the_sandbox_reports_what_it_gave_and_took_back(back: SplitReturn) -> None:
    compared(datetime.now(UTC))

    assert listed() == []
    rows = ReportRow.objects.filter(kind__startswith="split").order_by("pk")
    assert [(row.kind, row.amount, row.split_id, row.split_return_id) for row in rows] == [
        ("split", 8_940, back.split_id, None),
        ("split_back", 4_470, None, back.pk),
    ]
    assert shop.books_are_good()


@pytest.mark.parametrize(
    ("spoilt", "difference"),
    [
        (lambda rows: rows, []),
        (lambda rows: rows[1:], [("missing", "split", 8_940, None, "open")]),
        (lambda rows: rows[:1], [("missing", "split_back", 4_470, None, "open")]),
        (lambda rows: [replace(rows[0], amount=yuan(8_941)), rows[1]], [("amount", "split", 8_940, 8_941, "open")]),
        (lambda rows: [*rows, replace(rows[1], key="sr_x", reference="x")],
         [("unknown", "split_back", None, 4_470, "open")]),
        (lambda rows: [*rows, rows[0]], [("twice", "split", None, 8_940, "open")]),
    ],
)  # fmt: skip
def test_a_planted_difference_is_found_and_only_it(back: SplitReturn, spoilt: Any, difference: list[Any]) -> None:
    reconciled(spoilt(rows_of(back)))
    assert listed() == difference

    reconciled(rows_of(back), shift=1)

    assert {state for reason, *_, state in listed() if reason == "missing"} <= {"resolved"}
    assert shop.books_are_good()


def test_what_was_given_and_is_not_booked_is_asked_about(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    shop.fault(sandbox, "/v1/splits", "fail_after_commit")
    order = sent(matured(viewer, course))
    assert order.state == "unknown"

    compared(datetime.now(UTC))
    assert listed() == [("not_booked", "split", 0, 8_940, "open")]
    assert shop.jobs("resolve_split") == 2
    splitting.resolve_split(order=order, at=LATER)
    compared(datetime.now(UTC), shift=1)

    assert listed()[0][-1] == "resolved"


@pytest.mark.usefixtures("_fresh_cache")
def test_stripe_reports_its_transfers_and_their_reversals(
    stripe: StripeDouble, viewer: Member, course: Item, in_school: Tenant
) -> None:
    order = sent(at_stripe(stripe, viewer, course))
    back = taken_back(order)
    (made,), (reversal,), at = stripe.transfers.values(), stripe.reversals, int(LATER.timestamp())
    stripe.moved("transfer", made, at=at)
    stripe.moved("transfer_refund", reversal, at=at)

    reports = providers.reports_of(in_school, "stripe")
    assert reports is not None
    rows = list(reports.fetch_report(since=LATER - DAY, until=LATER + DAY))
    reconciled(rows, "stripe")

    assert [(row.kind, row.key, row.amount) for row in sorted(rows, key=lambda row: row.kind)] == [
        ("split", split_of(order).key, yuan(8_940)),
        ("split_back", back.key, yuan(4_470)),
    ]
    assert listed() == []
