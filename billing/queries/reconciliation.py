"""What was reported, what was booked, and where they differ."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from billing.models import (
    Charge,
    Dispute,
    Payment,
    Payout,
    PayoutAccount,
    PayoutChange,
    ReconciliationException,
    ReconciliationRun,
    Refund,
    ReportRow,
    Split,
    SplitReturn,
)
from billing.money import Money
from billing.providers import Reported

# A dispute is reported when its money is taken, and when that is given back.
Ours = Payment | Refund | Payout | Dispute | Split | SplitReturn
# What a row of a report points to it by.
FIELDS: dict[type[Ours], str] = {
    Payment: "payment",
    Refund: "refund",
    Payout: "payout",
    Dispute: "dispute",
    Split: "split",
    SplitReturn: "split_return",
}
# Whose reports tell of what they have divided.
TELL_OF_SPLITS = {"sandbox", "stripe"}
# Of which kind, by which of its names ("key" is ours, "reference" the provider's), and that name.
Name = tuple[str, str, str]
# A row of ours: of which kind, and its id.
Place = tuple[str, int]

# What verify_ledger asks: the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L12",
        """
        SELECT 'reportrow', r.id, 'was reported, and is neither matched with a row of ours nor listed as a difference'
        FROM billing_reportrow r
        WHERE r.payment_id IS NULL AND r.refund_id IS NULL AND r.payout_id IS NULL
              AND r.dispute_id IS NULL AND r.split_id IS NULL AND r.split_return_id IS NULL
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


def reported_on(provider: str, rows: Sequence[Reported]) -> dict[Name, Ours]:
    """Return our rows that a report is about: under their kind and our key, else the provider's reference."""
    found: dict[Name, Ours] = {}
    kinds = {said.kind for said in rows}
    keys = {said.key for said in rows if said.key}
    _find(found, provider, kinds, "key", keys)
    left = {said.reference for said in rows if said.reference and (said.kind, "key", said.key) not in found}
    _find(found, provider, kinds, "reference", left)
    return found


def _find(found: dict[Name, Ours], provider: str, kinds: set[str], name: str, words: set[str]) -> None:
    if not words:
        return
    known = Q(**{f"{name}__in": words}) & ~Q(**{name: ""})
    if "payment" in kinds:
        found |= _payments(known, provider, name)
    if "refund" in kinds:
        refunds = Refund.objects.filter(known, line__order__payments__provider=provider).order_by("pk")
        found |= {("refund", name, getattr(our, name)): our for our in refunds}
    payouts = Payout.objects.filter(known, account__rail=provider).order_by("pk")
    for kind in kinds & {"payout", "reversal", "fee"}:
        found |= {(kind, name, getattr(our, name)): our for our in payouts}
    if "split" in kinds:
        found |= {("split", name, getattr(our, name)): our for our in _splits(provider, name, words)}
    if "split_back" in kinds:
        backs = SplitReturn.objects.filter(known, split__order__payment__provider=provider).select_related("split")
        found |= {("split_back", name, getattr(our, name)): our for our in backs.order_by("pk")}
    if name == "reference":
        disputes = Dispute.objects.filter(known, payment__provider=provider).select_related("payment").order_by("pk")
        for kind in kinds & {"dispute", "reinstated"}:
            found |= {(kind, name, our.reference): our for our in disputes}


def _splits(provider: str, name: str, words: set[str]) -> QuerySet[Split]:
    """Return what was given to creators under these names; our key ends with the number of the row."""
    rows = Split.objects.filter(order__payment__provider=provider).select_related("order").order_by("pk")
    if name == "reference":
        return rows.filter(reference__in=words)
    return rows.filter(order__key__in={word.rpartition("-")[0] for word in words})


def _payments(known: Q, provider: str, name: str) -> dict[Name, Ours]:
    """Return payments under their names, and under those of the charges that made them."""
    charges = Charge.objects.filter(known, method__provider=provider).order_by("pk")
    of_charge = dict(charges.values_list(name, "payment"))
    found = _with_fees(Payment.objects.filter(known & Q(provider=provider) | Q(pk__in=of_charge.values())))
    by_pk = {our.pk: our for our in found}
    named: dict[Name, Ours] = {("payment", name, getattr(our, name)): our for our in by_pk.values()}
    return named | {("payment", name, word): by_pk[pk] for word, pk in of_charge.items()}


def reported_before(run: int, ours: Iterable[Ours]) -> tuple[set[Place], dict[Place, set[Reported]]]:
    """Return which of our rows this report had so far, and what other reports said of them, word for word."""
    about = Q(pk__in=[])
    for kind, field in FIELDS.items():
        about |= Q(**{f"{field}__in": [our.pk for our in ours if isinstance(our, kind)]})
    here: set[Place] = set()
    elsewhere: dict[Place, set[Reported]] = {}
    for row in ReportRow.objects.filter(about).order_by("pk").iterator(chunk_size=1_000):
        place = (row.kind, next((pk for field in FIELDS.values() if (pk := getattr(row, f"{field}_id"))), 0))
        if row.run_id == run:
            here.add(place)
        else:
            amount = Money(row.amount, row.currency)
            said = Reported(row.kind, row.reference, row.key, amount, row.fee, row.at)
            elsewhere.setdefault(place, set()).add(in_their_words(said))
    return here, elsewhere


def in_their_words(said: Reported) -> Reported:
    """Return a row without our key, where it has their reference: not each of their files tells both."""
    return replace(said, key="") if said.reference else said


def booked_and_never_reported(provider: str, *, since: datetime, until: datetime) -> Iterator[tuple[str, Ours]]:
    """Yield, with its kind, what we have booked in this span and no report had, nor was its absence listed before."""
    payments = Payment.objects.filter(provider=provider, captured_at__gte=since, captured_at__lt=until)
    refunds = Refund.objects.filter(
        line__order__payments__provider=provider, state=Refund.State.SENT, done_at__gte=since, done_at__lt=until
    )
    booked: list[tuple[str, str, Any]] = [("payment", "payment", payments), ("refund", "refund", refunds)]
    for kind, state in (("payout", Payout.State.PAID), ("reversal", Payout.State.REVERSED)):
        then = PayoutChange.objects.filter(payout=OuterRef("pk"), changed_at__gte=since, changed_at__lt=until)
        payouts = Payout.objects.filter(Exists(then.filter(after=state)), account__rail=provider)
        booked.append((kind, "payout", payouts))
    disputes = Dispute.objects.filter(payment__provider=provider)
    booked.append(("dispute", "dispute", disputes.filter(withdrawn_at__gte=since, withdrawn_at__lt=until)))
    booked.append(("reinstated", "dispute", disputes.filter(reinstated_at__gte=since, reinstated_at__lt=until)))
    if provider in TELL_OF_SPLITS:
        given = Split.objects.filter(order__payment__provider=provider, done_at__gte=since, done_at__lt=until)
        booked.append(("split", "split", given.exclude(state=Split.State.FAILED)))
        backs = SplitReturn.objects.filter(split__order__payment__provider=provider, journal__isnull=False)
        backs = backs.filter(done_at__gte=since, done_at__lt=until).select_related("split")
        booked.append(("split_back", "split_return", backs))
    for kind, name, rows in booked:
        listed = ReconciliationException.objects.filter(**{name: OuterRef("pk")}, reason="missing")
        reported = ReportRow.objects.filter(**{name: OuterRef("pk")})
        if name in {"payout", "dispute"}:
            listed, reported = listed.filter(kind=kind), reported.filter(kind=kind)
        missing = rows.exclude(Exists(reported)).exclude(Exists(listed)).order_by("pk")
        yield from ((kind, our) for our in missing.iterator(chunk_size=1_000))


def fee_of(kind: str, our: Ours) -> tuple[int, int]:
    """Return the provider's fee that we have booked, and in how many lines; none for what it divides."""
    if isinstance(our, Payout):
        return (our.fee if kind == "payout" else 0), 0
    if isinstance(our, Split | SplitReturn):
        return 0, 0
    if isinstance(our, Dispute):
        return (our.fee_back if kind == "reinstated" else our.fee), 0
    if isinstance(our, Refund):
        return our.processor + our.cost, 1
    return our.fee, our.line_count  # type: ignore[attr-defined]  # counted by reported_on


def providers_used() -> list[str]:
    """Return the providers that the tenant was ever paid through, or has paid creators through."""
    paid_through = Payment.objects.order_by("provider").values_list("provider", flat=True).distinct()
    rails = Payout.objects.order_by("account__rail").values_list("account__rail", flat=True).distinct()
    return sorted({*paid_through, *rails} - {PayoutAccount.Rail.BANK_FILE.value})


def is_to_be_reconciled(provider: str, *, since: datetime, until: datetime) -> bool:
    """Tell whether the tenant used the provider by then, and the span was not compared yet."""
    runs = ReconciliationRun.objects.filter(provider=provider, since=since, until=until, source="fetched")
    if runs.exists():
        return False
    if Payment.objects.filter(provider=provider, created_at__lt=until).exists():
        return True
    return Payout.objects.filter(account__rail=provider, submitted_at__lt=until).exists()


def _with_fees(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    counted = {"fee": Sum(F("order__lines__processor") + F("order__lines__cost")), "line_count": Count("order__lines")}
    return payments.annotate(**counted).order_by("pk")
