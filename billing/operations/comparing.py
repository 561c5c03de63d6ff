"""Rows of a report beside our rows: where they differ, and what is done about it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from django.db.models import Exists, OuterRef, QuerySet

from billing import queries
from billing.models import (
    Dispute,
    Payment,
    Payout,
    ReconciliationException,
    ReconciliationRun,
    Refund,
    ReportRow,
    Split,
    SplitReturn,
)
from billing.models.splits import SplitState
from billing.money import Money
from billing.operations.reports import SOME
from billing.providers import Reported
from billing.queries.reconciliation import FIELDS, Name, Ours, Place, in_their_words
from kpplatform.jobs.operations import enqueue

Reason, State, Kind = ReconciliationException.Reason, ReconciliationException.State, ReportRow.Kind
BOOKED: dict[str, set[str]] = {
    Kind.PAYMENT: {Payment.State.CAPTURED},
    Kind.REFUND: {Refund.State.SENT},
    Kind.PAYOUT: {Payout.State.PAID, Payout.State.REVERSED},
    Kind.REVERSAL: {Payout.State.REVERSED},
    Kind.FEE: {Payout.State.PAID, Payout.State.REVERSED},
    Kind.SPLIT: {Split.State.DONE, Split.State.RETURNED},
    Kind.SPLIT_BACK: {SplitState.DONE},
}


@dataclass(frozen=True)
class Difference:
    """Why a row of the report, or one of ours, is not as it should be."""

    reason: ReconciliationException.Reason
    expected: int | None = None
    found: int | None = None


def compare(run: ReconciliationRun, rows: Sequence[Reported], *, at: datetime) -> int:
    """Keep some rows of a report, and list each difference with its reason. Say how many rows have none."""
    ours = queries.reported_on(run.provider, rows)
    _resolve(ours, run.provider, at)
    seen = Seen(*queries.reported_before(run.pk, ours.values()))
    found = [_compared(said, _ours(said, ours), seen) for said in rows]
    kept = ReportRow.objects.bulk_create(_row(run, of.said, of.our) for of in found)
    listed = []
    for row, of in zip(kept, found, strict=True):
        if not of.is_again:
            listed += [_listed(run, of.said.kind, (row, of.our), difference, at) for difference in of.differences]
        if any(difference.reason == Reason.NOT_BOOKED for difference in of.differences):
            _ask(of.our, of.said.key)
    ReconciliationException.objects.bulk_create(listed)
    return sum(not of.differences for of in found)


def list_missing(run: ReconciliationRun, missing: Iterable[tuple[str, Ours]], *, at: datetime) -> None:
    """List what we have booked and the report has not."""
    told = (
        _listed(run, kind, (None, our), Difference(Reason.MISSING, expected=our.amount), at) for kind, our in missing
    )
    while some := list(islice(told, SOME)):
        ReconciliationException.objects.bulk_create(some)


def settle_not_booked(provider: str, *, at: datetime) -> None:
    """Resolve what was not booked when it was reported, and is by now."""
    waiting = _open(provider).filter(reason=Reason.NOT_BOOKED)
    captured = Payment.objects.filter(pk=OuterRef("payment"), state__in=BOOKED[Kind.PAYMENT])
    sent = Refund.objects.filter(pk=OuterRef("refund"), state__in=BOOKED[Kind.REFUND])
    booked = [waiting.filter(Exists(captured)), waiting.filter(Exists(sent))]
    for kind in (Kind.PAYOUT, Kind.REVERSAL, Kind.FEE):
        settled = Payout.objects.filter(pk=OuterRef("payout"), state__in=BOOKED[kind])
        booked.append(waiting.filter(Exists(settled), kind=kind))
    for kind, booked_as in ((Kind.DISPUTE, "withdrawn"), (Kind.REINSTATED, "reinstated")):
        known = Dispute.objects.filter(pk=OuterRef("dispute")).exclude(**{booked_as: None})
        booked.append(waiting.filter(Exists(known), kind=kind))
    given = Split.objects.filter(pk=OuterRef("split"), state__in=BOOKED[Kind.SPLIT])
    back = SplitReturn.objects.filter(pk=OuterRef("split_return"), state__in=BOOKED[Kind.SPLIT_BACK])
    booked += [waiting.filter(Exists(given)), waiting.filter(Exists(back))]
    for by_now in booked:
        by_now.update(state=State.RESOLVED, note="Booked later.", changed_at=at)


def _ours(said: Reported, ours: dict[tuple[str, str, str], Ours]) -> Ours | None:
    return ours.get((said.kind, "key", said.key)) or ours.get((said.kind, "reference", said.reference))


@dataclass(frozen=True)
class Compared:
    """A row of theirs, which of ours it is about, and where they differ."""

    said: Reported
    our: Ours | None
    differences: list[Difference]
    is_again: bool = False  # another report said the very same: what differs was listed when it did


@dataclass(frozen=True)
class Seen:
    """Which of our rows this report has told of so far, and word for word what other reports have told of them."""

    here: set[Place]
    elsewhere: dict[Place, set[Reported]]

    def is_again(self, said: Reported, our: Ours) -> bool:
        """Tell whether a day, it seems, is reported once more: another report said the very same, this one not yet."""
        place = (said.kind, our.pk)
        return place not in self.here and in_their_words(said) in self.elsewhere.get(place, ())

    def is_twice(self, said: Reported, our: Ours) -> bool:
        """Tell whether this report told of it before, or another one told otherwise of it. It is told of now."""
        place = (said.kind, our.pk)
        is_known = place in self.here or (place in self.elsewhere and not self.is_again(said, our))
        self.here.add(place)
        return is_known


def _compared(said: Reported, our: Ours | None, seen: Seen) -> Compared:
    if our is None:
        return Compared(said, our, [Difference(Reason.UNKNOWN, found=said.amount.minor)])
    is_again = seen.is_again(said, our)
    if seen.is_twice(said, our):
        return Compared(said, our, [Difference(Reason.TWICE, found=said.amount.minor)])
    return Compared(said, our, list(_differences(said, our)), is_again)


def _differences(said: Reported, our: Ours) -> Iterator[Difference]:
    if not _is_booked(said.kind, our):
        yield Difference(Reason.NOT_BOOKED, expected=0, found=said.amount.minor)
    if said.amount.currency != our.currency:
        yield Difference(Reason.CURRENCY, our.amount, said.amount.minor)
        return
    if isinstance(our, Payout) and our.fee_journal_id is None and said.kind in {Kind.PAYOUT, Kind.FEE}:
        said = replace(said, fee=None)  # it is booked as it is told, once all is compared
    expected = our.money
    if isinstance(our, Payout) and said.kind == Kind.FEE:
        expected = Money(our.fee, our.currency) if our.fee_journal_id else said.amount
    if said.amount != expected:
        yield Difference(Reason.AMOUNT, expected.minor, said.amount.minor)
    fee, lines = queries.fee_of(said.kind, our)
    # A provider rounds its fee once, we have divided each line: a unit per line is no difference.
    if said.fee is not None and abs(said.fee - fee) > lines:
        yield Difference(Reason.FEE, fee, said.fee)


def _is_booked(kind: str, our: Ours) -> bool:
    if isinstance(our, Dispute):
        return (our.reinstated_id if kind == Kind.REINSTATED else our.withdrawn_id) is not None
    return our.state in BOOKED[kind]


def _row(run: ReconciliationRun, said: Reported, our: Ours | None) -> ReportRow:
    row = ReportRow(run=run, kind=said.kind, reference=said.reference, key=said.key, fee=said.fee, at=said.at)
    row.amount, row.currency = said.amount.minor, said.amount.currency
    _point(row, our)
    return row


def _listed(
    run: ReconciliationRun, kind: str, pair: tuple[ReportRow | None, Ours | None], difference: Difference, at: datetime
) -> ReconciliationException:
    """Return the difference between a row of theirs and one of ours, of which one may be missing."""
    row, our = pair
    listed = ReconciliationException(run=run, row=row, kind=kind, opened_at=at, **vars(difference))
    _point(listed, our)
    about = row or our
    assert about is not None, "A difference is about a row of theirs or of ours."
    listed.currency = about.currency
    return listed


def _point(row: ReportRow | ReconciliationException, our: Ours | None) -> None:
    if our is not None:
        setattr(row, FIELDS[type(our)], our)


def _ask(our: Ours | None, key: str) -> None:
    """Have the provider itself asked, not its report: a message was lost, it seems.

    By jobs: an order that was held here would be until all is compared.
    """
    if isinstance(our, Payment):
        enqueue("billing.tasks.ask_again", payment_id=our.pk, charge_key=key)
        enqueue("billing.tasks.resolve_payment", payment_id=our.pk)
    elif isinstance(our, Payout) and our.state in {Payout.State.SUBMITTED, Payout.State.UNKNOWN}:
        enqueue("billing.tasks.resolve_payout", payout_id=our.pk)
    elif isinstance(our, Split):
        enqueue("billing.tasks.resolve_split", order_id=our.order_id)
    elif isinstance(our, SplitReturn):
        enqueue("billing.tasks.resolve_split_return", return_id=our.pk)
    elif isinstance(our, Dispute):
        about = {"provider": our.payment.provider, "reference": our.reference}
        enqueue("billing.tasks.hear_of_dispute", **about)


def _resolve(ours: Mapping[Name, Ours], provider: str, at: datetime) -> None:
    """Resolve what was missing and is reported now: a payout's return, say, is another row than that it left."""
    ids: dict[tuple[str, str], set[int]] = {}
    for (kind, _, _), our in ours.items():
        ids.setdefault((kind, FIELDS[type(our)]), set()).add(our.pk)
    missing = _open(provider).filter(reason=Reason.MISSING)
    for (kind, name), reported in ids.items():
        late = missing.filter(kind__in=["", kind], **{f"{name}__in": reported})
        late.update(state=State.RESOLVED, note="Reported later.", changed_at=at)


def _open(provider: str) -> QuerySet[ReconciliationException]:
    return ReconciliationException.objects.filter(state=State.OPEN, run__provider=provider)
