"""What was reported, what was booked, and where they differ."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from billing.models import Charge, Payment, ReconciliationException, ReconciliationRun, Refund, ReportRow
from billing.providers import Reported

# What verify_ledger asks: the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L12",
        """
        SELECT 'reportrow', r.id, 'was reported, and is neither matched with a row of ours nor listed as a difference'
        FROM billing_reportrow r
        WHERE r.payment_id IS NULL AND r.refund_id IS NULL
              AND NOT EXISTS (SELECT FROM billing_reconciliationexception e
                              WHERE e.tenant_id = r.tenant_id AND e.row_id = r.id)
        ORDER BY r.id LIMIT %(most)s""",
    ),
)


def reconciliation_runs() -> QuerySet[ReconciliationRun]:
    """Return the comparisons, newest first."""
    return ReconciliationRun.objects.order_by("-pk")


def reconciliation_exceptions(state: str | None = None) -> QuerySet[ReconciliationException]:
    """Return the differences, of one state or all, newest first."""
    listed = ReconciliationException.objects.select_related("run", "row").order_by("-pk")
    return listed.filter(state=state) if state else listed


def reported_on(provider: str, rows: Sequence[Reported]) -> dict[tuple[str, str], Payment | Refund]:
    """Return our rows that a report is about, under their keys, those of charges, and the provider's."""
    words = {word for said in rows for word in (said.key, said.reference) if word}
    ours = Q(key__in=words) | Q(reference__in=words)
    charges = Charge.objects.filter(ours, method__provider=provider).order_by("pk")
    of_charge = dict(charges.values_list("key", "payment"))
    charged = Q(pk__in=of_charge.values())
    payments = _with_fees(Payment.objects.filter(charged | ours & Q(provider=provider)))
    refunds = Refund.objects.filter(ours, line__order__payments__provider=provider).order_by("pk")
    found: dict[tuple[str, str], Payment | Refund] = {}
    for kind, all_of in (("payment", payments), ("refund", refunds)):
        for our in all_of:
            found |= {(kind, word): our for word in (our.reference, our.key) if word}
    by_pk = {our.pk: our for our in payments}
    return found | {("payment", key): by_pk[pk] for key, pk in of_charge.items()}


def reported_before(ours: Iterable[Payment | Refund]) -> set[tuple[str, int]]:
    """Return the kinds and ids of those rows of ours that an earlier report had."""
    payments, refunds = _ids(ours, Payment), _ids(ours, Refund)
    rows = ReportRow.objects.filter(payment__in=payments) | ReportRow.objects.filter(refund__in=refunds)
    pairs = rows.order_by("pk").values_list("kind", "payment", "refund")
    return {(kind, payment or refund) for kind, payment, refund in pairs}


def booked_and_never_reported(provider: str, *, since: datetime, until: datetime) -> list[Payment | Refund]:
    """Return what we have booked in this span, and no report had, nor was its absence listed before."""
    payments = Payment.objects.filter(provider=provider, captured_at__gte=since, captured_at__lt=until)
    refunds = Refund.objects.filter(
        line__order__payments__provider=provider, state=Refund.State.SENT, done_at__gte=since, done_at__lt=until
    )
    missing: list[Payment | Refund] = []
    for name, booked in (("payment", payments), ("refund", refunds)):
        listed = ReconciliationException.objects.filter(**{name: OuterRef("pk")}, reason="missing")
        reported = ReportRow.objects.filter(**{name: OuterRef("pk")})
        missing += booked.exclude(Exists(reported)).exclude(Exists(listed)).order_by("pk")
    return missing


def fee_of(our: Payment | Refund) -> tuple[int, int]:
    """Return the provider's fee that we have booked, and in how many lines."""
    if isinstance(our, Refund):
        return our.processor + our.cost, 1
    return our.fee, our.line_count  # type: ignore[attr-defined]  # counted by reported_on


def providers_paid_through() -> list[str]:
    """Return the providers that the tenant has ever been paid through."""
    return list(Payment.objects.order_by("provider").values_list("provider", flat=True).distinct())


def is_to_be_reconciled(provider: str, *, since: datetime, until: datetime) -> bool:
    """Tell whether the tenant was paid through the provider by then, and the span was not compared yet."""
    runs = ReconciliationRun.objects.filter(provider=provider, since=since, until=until, source="fetched")
    return not runs.exists() and Payment.objects.filter(provider=provider, created_at__lt=until).exists()


def _with_fees(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    counted = {"fee": Sum(F("order__lines__processor") + F("order__lines__cost")), "line_count": Count("order__lines")}
    return payments.annotate(**counted).order_by("pk")


def _ids(ours: Iterable[Payment | Refund], kind: type[Payment | Refund]) -> list[int]:
    return [our.pk for our in ours if isinstance(our, kind)]
