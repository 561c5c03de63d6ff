"""What providers keep of payouts: it stands in their reports, and is the platform's cost, as that of coins is."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing import ledger
from billing.models import Journal, Payout, ReconciliationRun, ReportRow
from billing.money import Money
from kpplatform.tenancy.many import update_all

SOME = 500
LEFT = (Payout.State.PAID, Payout.State.REVERSED)


@transaction.atomic
def book_payout_fees(*, run: ReconciliationRun, at: datetime) -> int:
    """Book what the provider has kept of payouts, by this report or one before, and say of how many.

    Of each once, by what was told first; what another report tells otherwise is a difference. One journal for some.
    Locks: payouts → chain head → accounts.
    """
    told = ReportRow.objects.filter(Q(kind=ReportRow.Kind.PAYOUT, fee__gt=0) | Q(kind=ReportRow.Kind.FEE, amount__gt=0))
    told = told.filter(currency=F("payout__currency"))
    waiting = Payout.objects.filter(Exists(told.filter(payout=OuterRef("pk"))), account__rail=run.provider)
    waiting = waiting.filter(fee_journal=None, state__in=LEFT)
    count = 0
    while payouts := _held(waiting):
        currency = payouts[0].currency
        kept = _kept(told, payouts)
        moved = (ledger.fees(currency), ledger.processor(currency), Money(sum(kept.values()), currency))
        key = f"payout-fees:{run.pk}:{payouts[0].pk}"
        journal = ledger.post(kind=Journal.Kind.PAYOUT_FEE, key=key, transfers=[moved], at=at)
        for payout in payouts:
            payout.fee, payout.fee_journal = kept[payout.pk], journal
        update_all(payouts, ["fee", "fee_journal"])
        count += len(payouts)
    return count


def _held(waiting: QuerySet[Payout]) -> list[Payout]:
    """Return some of them, of one currency, held."""
    first = waiting.order_by("currency").values_list("currency", flat=True).first()
    rows = waiting.filter(currency=first).select_for_update(no_key=True, of=("self",)).order_by("pk")
    return list(rows[:SOME])


def _kept(told: QuerySet[ReportRow], payouts: list[Payout]) -> dict[int, int]:
    """Return what was kept of each: beside its amount, and in a row of its own, each as it was told first."""
    kept = dict.fromkeys((payout.pk for payout in payouts), 0)
    seen = set()
    for row in told.filter(payout__in=payouts).order_by("pk"):
        place = (row.payout_id, row.kind)
        if place not in seen and row.payout_id:
            kept[row.payout_id] += (row.amount if row.kind == ReportRow.Kind.FEE else row.fee) or 0
            seen.add(place)
    return kept
