"""Reports of the provider, with and without a planted difference; months that are closed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet, Sum
from hypothesis import strategies as some
from hypothesis.stateful import rule

from billing import operations
from billing.models import Dispute, Payment, Payout, ReconciliationException, Refund, Settlement, Split, SplitReturn
from billing.operations import Report, paying
from billing.providers import Reported
from tests.billing.machine.till import Till
from tests.billing.shop import yuan
from tests.conftest import NOON

HOURS = timedelta(hours=2)
PLANTS = ["", "", "amount", "fee", "missing", "unknown", "twice"]


class Comparing(Till):
    def furnish(self) -> None:
        super().furnish()
        self.compared_until = NOON - HOURS
        self.reported: set[tuple[str, str]] = set()
        self.missed: set[tuple[str, str]] = set()

    @rule(plant=some.sampled_from(PLANTS))
    def compare(self, plant: str) -> None:
        """Compare a report of all that was not reported; exactly what was planted is listed."""
        self.now += HOURS
        rows = [row for row in self._rows() if _name(row) not in self.reported]
        if not rows or (plant == "missing" and _name(rows[0]) in self.missed):
            plant = ""  # an absence is listed once
        report = Report("sandbox", self.compared_until, self.now, _spoilt(rows, plant))
        self.compared_until = self.now

        run = operations.reconcile(report=report, at=self.now)

        listed = ReconciliationException.objects.filter(run=run).values_list("reason", flat=True)
        is_booked = plant == "fee" and rows[0].kind == "payout"  # what is kept of one is a cost, no difference
        assert list(listed) == ([plant] if plant and not is_booked else [])
        self.reported |= {_name(row) for row in report.rows}
        if plant == "missing":
            self.missed.add(_name(rows[0]))
        missing = ReconciliationException.objects.filter(reason="missing", state="open")
        for kind, name in (("payment", "payment"), ("payout", "payout"), ("reversal", "payout")):
            keys = missing.filter(kind=kind).values_list(f"{name}__key", flat=True)
            assert not {(kind, key) for key in keys} & self.reported

    def _rows(self) -> list[Reported]:
        told: dict[str, Any] = {"at": self.now - timedelta(minutes=90)}
        fee = Sum(F("order__lines__processor") + F("order__lines__cost"))
        rows = [
            Reported(kind="payment", key=paid.key, reference=paid.reference, amount=paid.money, fee=paid.kept, **told)
            for paid in Payment.objects.filter(state="captured").annotate(kept=fee).order_by("pk")
        ]
        return (
            rows
            + [
                Reported(kind="refund", key=of.key, reference=of.reference, amount=of.money, fee=of.processor, **told)
                for of in Refund.objects.filter(state="sent").order_by("pk")
            ]
            + [
                Reported(kind=kind, key=of.key, reference=of.reference, amount=of.money, fee=None, **told)
                for kind, states in (("payout", ["paid", "reversed"]), ("reversal", ["reversed"]))
                for of in Payout.objects.filter(state__in=states).order_by("pk")
            ]
            + [
                Reported(kind=kind, key="", reference=of.reference, amount=of.money, fee=15, **told)
                for kind, known in (("dispute", "withdrawn"), ("reinstated", "reinstated"))
                for of in Dispute.objects.filter(**{f"{known}__isnull": False}).order_by("pk")
            ]
            + [
                Reported(kind=kind, key=of.key, reference=of.reference, amount=of.money, fee=0, **told)
                for kind, rows in (("split", _given()), ("split_back", _taken_back()))
                for of in rows
            ]
        )

    @rule()
    def close_months(self) -> None:
        while paying.settle_all(at=self.now):
            pass
        for of in Settlement.objects.select_related("period"):
            assert of.opening + of.movements == of.closing
            assert of.closing == of.pending + of.available + of.reserve + of.in_transit + of.debt
            before = Settlement.objects.filter(creator=of.creator, period__starts_on__lt=of.period.starts_on)
            last = before.order_by("-period__starts_on").first()
            assert of.opening == (last.closing if last else 0)


def _given() -> QuerySet[Split]:
    return Split.objects.filter(state__in=["done", "returned"]).select_related("order").order_by("pk")


def _taken_back() -> QuerySet[SplitReturn]:
    return SplitReturn.objects.filter(state="done").select_related("split").order_by("pk")


def _name(row: Reported) -> tuple[str, str]:
    return row.kind, row.key or row.reference


def _spoilt(rows: list[Reported], plant: str) -> list[Reported]:
    if not plant:
        return rows
    first, *others = rows
    return {
        "amount": [replace(first, amount=first.amount + yuan(7)), *others],
        "fee": [replace(first, fee=(first.fee or 0) + 7), *others],
        "missing": others,
        "unknown": [*rows, replace(first, key="pay_extra", reference="co_extra")],
        "twice": [*rows, first],
    }[plant]
