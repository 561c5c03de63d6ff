"""Reconciliation: a provider's report beside our rows. Every difference is listed with its reason, and nothing else."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from billing import providers, queries
from billing.models import Payment, ReconciliationException, ReconciliationRun, Refund, ReportRow
from billing.operations.charges import ask_again
from billing.operations.staff import must_run_the_tenant
from billing.providers import Reported, Reporting
from kpplatform.errors import Conflict, Invalid
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

Reason, State = ReconciliationException.Reason, ReconciliationException.State
# What is booked just before the end of a span may stand in the next report: it is looked for an hour later.
LATE = timedelta(hours=1)
MOST_DAYS_BACK = 7


class NoteNeeded(Invalid):
    code = "note_needed"


class ClosedAlready(Conflict):
    code = "closed_already"


class WrongSpan(Invalid):
    code = "wrong_span"


@dataclass(frozen=True)
class Report:
    """What a provider says that it has moved since, and before until; who has uploaded it, if it was not fetched."""

    provider: str
    since: datetime
    until: datetime
    rows: Sequence[Reported]
    by: Member | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(list(self.rows)).encode()).hexdigest()


@dataclass(frozen=True)
class Difference:
    """Why a row of the report, or one of ours, is not as it should be."""

    reason: ReconciliationException.Reason
    expected: int | None = None
    found: int | None = None


@transaction.atomic
def reconcile(*, report: Report, at: datetime) -> ReconciliationRun:
    """Compare the report with our rows, and list each difference with its reason. The same report is the same run.

    What was missing before and is reported now is resolved by it. Raises WrongSpan.
    """
    if not report.since < report.until <= at:
        raise WrongSpan("A report is about a span of time that is over.")
    span = {"provider": report.provider, "since": report.since, "until": report.until, "digest": report.digest}
    if done := ReconciliationRun.objects.filter(**span).first():
        return done
    ours = queries.reported_on(report.provider, report.rows)
    found = _compared(report.rows, ours)
    source = ReconciliationRun.Source.UPLOADED if report.by else ReconciliationRun.Source.FETCHED
    matched = sum(not differences for _, _, differences in found)
    run = ReconciliationRun.objects.create(
        **span, source=source, by=report.by, rows=len(found), matched=matched, made_at=at
    )
    _settle(ours.values(), report.provider, at)
    rows = ReportRow.objects.bulk_create(_row(run, said, our) for said, our, _ in found)
    for row, (_, our, differences) in zip(rows, found, strict=True):
        _list(run, row, our, differences, at)
    for our in queries.booked_and_never_reported(report.provider, since=report.since - LATE, until=report.until - LATE):
        _list(run, None, our, [Difference(Reason.MISSING, expected=our.amount)], at)
    return run


def reconcile_days(*, at: datetime) -> list[ReconciliationRun]:
    """Compare each of the last days that is over and was not compared yet, for every provider that can be asked.

    Raises ProviderUnavailable.
    """
    runs = []
    today = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for provider in queries.providers_paid_through():
        try:
            driver = providers.provider_for(current_tenant(), provider)
        except providers.NotConnected:
            continue  # any more: nobody is there to be asked
        if isinstance(driver, Reporting):
            for back in range(MOST_DAYS_BACK, 0, -1):
                since, until = today - timedelta(days=back), today - timedelta(days=back - 1)
                if queries.is_to_be_reconciled(provider, since=since, until=until):
                    rows = driver.fetch_report(since=since, until=until)
                    runs.append(reconcile(report=Report(provider, since, until, rows), at=at))
    return runs


@transaction.atomic
def explain(
    *, exception: ReconciliationException, by: Member, note: str, is_resolved: bool, at: datetime
) -> ReconciliationException:
    """Note why there is a difference, or that it has been made good. Raises NoteNeeded, ClosedAlready and StaffOnly."""
    must_run_the_tenant(by)
    if not note.strip():
        raise NoteNeeded("Say why.")
    exception = ReconciliationException.objects.select_for_update(no_key=True).get(pk=exception.pk)
    if exception.state == State.RESOLVED:
        raise ClosedAlready("This has been resolved.")
    exception.state = State.RESOLVED if is_resolved else State.EXPLAINED
    exception.note, exception.by, exception.changed_at = note.strip()[:500], by, at
    exception.save(update_fields=["state", "note", "by", "changed_at"])
    return exception


def _compared(
    rows: Sequence[Reported], ours: dict[tuple[str, str], Payment | Refund]
) -> list[tuple[Reported, Payment | Refund | None, list[Difference]]]:
    compared = []
    seen = queries.reported_before(ours.values())
    for said in rows:
        our = ours.get((said.kind, said.key)) or ours.get((said.kind, said.reference))
        if our is None:
            differences = [Difference(Reason.UNKNOWN, found=said.amount.minor)]
        elif (said.kind, our.pk) in seen:
            differences = [Difference(Reason.TWICE, found=said.amount.minor)]
        else:
            differences = list(_differences(said, our))
            seen.add((said.kind, our.pk))
        compared.append((said, our, differences))
    return compared


def _differences(said: Reported, our: Payment | Refund) -> Iterable[Difference]:
    if our.state not in {Payment.State.CAPTURED, Refund.State.SENT}:
        yield Difference(Reason.NOT_BOOKED, expected=0, found=said.amount.minor)
    if said.amount.currency != our.currency:
        yield Difference(Reason.CURRENCY, our.amount, said.amount.minor)
        return
    if said.amount != our.money:
        yield Difference(Reason.AMOUNT, our.amount, said.amount.minor)
    fee, lines = queries.fee_of(our)
    # A provider rounds its fee once, we have divided each line: a unit per line is no difference.
    if said.fee is not None and abs(said.fee - fee) > lines:
        yield Difference(Reason.FEE, fee, said.fee)


def _row(run: ReconciliationRun, said: Reported, our: Payment | Refund | None) -> ReportRow:
    row = ReportRow(run=run, kind=said.kind, reference=said.reference, key=said.key, fee=said.fee, at=said.at)
    row.amount, row.currency = said.amount.minor, said.amount.currency
    row.payment, row.refund = _which(our)
    return row


def _which(our: Payment | Refund | None) -> tuple[Payment | None, Refund | None]:
    return (our, None) if isinstance(our, Payment) else (None, our)


def _list(
    run: ReconciliationRun,
    row: ReportRow | None,
    our: Payment | Refund | None,
    differences: Iterable[Difference],
    at: datetime,
) -> None:
    for difference in differences:
        listed = ReconciliationException(run=run, row=row, opened_at=at, **vars(difference))
        listed.payment, listed.refund = _which(our)
        about = row or our
        assert about is not None, "A difference is about a row of theirs or of ours."
        listed.currency = about.currency
        listed.save()
        if isinstance(our, Payment) and difference.reason == ReconciliationException.Reason.NOT_BOOKED:
            # The message was lost, it seems. Whoever is asked is the provider itself, not its report.
            ask_again(payment=our, key=row.key if row else "", at=at)
            enqueue("billing.tasks.resolve_payment", payment_id=our.pk)


def _settle(ours: Iterable[Payment | Refund], provider: str, at: datetime) -> None:
    """Resolve what was missing and is reported now, and what was not booked and is by now."""
    open_ones = ReconciliationException.objects.filter(state=State.OPEN, run__provider=provider)
    payments = [our.pk for our in ours if isinstance(our, Payment)]
    refunds = [our.pk for our in ours if isinstance(our, Refund)]
    missing = open_ones.filter(reason=Reason.MISSING)
    late = missing.filter(payment__in=payments) | missing.filter(refund__in=refunds)
    late.update(state=State.RESOLVED, note="Reported later.", changed_at=at)
    waiting = open_ones.filter(reason=Reason.NOT_BOOKED)
    captured = Payment.objects.filter(pk=OuterRef("payment"), state=Payment.State.CAPTURED)
    sent = Refund.objects.filter(pk=OuterRef("refund"), state=Refund.State.SENT)
    booked = waiting.filter(Exists(captured)) | waiting.filter(Exists(sent))
    booked.update(state=State.RESOLVED, note="Booked later.", changed_at=at)
