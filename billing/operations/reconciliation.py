"""Reconciliation: a provider's report beside our rows. Every difference is listed with its reason, and nothing else."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction

from billing import providers, queries
from billing.models import ReconciliationException, ReconciliationRun
from billing.operations.comparing import compare, list_missing, settle_not_booked
from billing.operations.payout_fees import book_payout_fees
from billing.operations.reports import Kept, Report, kept
from billing.operations.staff import must_run_the_tenant
from billing.queries.reconciliation import Ours
from kpplatform.errors import Conflict, Invalid, Refused
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

__all__ = [
    "ClosedAlready",
    "NoteNeeded",
    "Report",
    "WrongSpan",
    "compare_kept",
    "days_to_reconcile",
    "explain",
    "kept",
    "reconcile",
    "reconcile_day",
    "reconcile_days",
    "report_of_day",
]

State = ReconciliationException.State
# What is booked just before the end of a span may stand in the next report: it is looked for an hour later.
LATE = timedelta(hours=1)
MOST_DAYS_BACK = 7


class NoteNeeded(Invalid):
    code = "note_needed"


class ClosedAlready(Conflict):
    code = "closed_already"


class WrongSpan(Invalid):
    code = "wrong_span"


class NotReady(Refused):
    """The provider's report is empty, though something was booked: it seems that it was not made yet."""

    code = "report_not_ready"
    status = 503


def reconcile(*, report: Report, at: datetime) -> ReconciliationRun:
    """Compare the report with our rows, and list each difference with its reason. The same report is the same run.

    What was missing before and is reported now is resolved by it. The report is read to its end before anything is
    written. Raises WrongSpan, and what reading it raises.
    """
    if not report.since < report.until <= at:
        raise WrongSpan("A report is about a span of time that is over.")
    with kept(report.rows) as rows:
        return compare_kept(report=report, rows=rows, at=at)


@transaction.atomic
def compare_kept(*, report: Report, rows: Kept, at: datetime) -> ReconciliationRun:
    """Compare a report that was read to its end. Raises WrongSpan for rows of another time, and NotReady."""
    if rows.count and (rows.latest < report.since - LATE or rows.earliest >= report.until + LATE):
        raise WrongSpan(f"What the report tells is of {rows.earliest:%Y-%m-%d} to {rows.latest:%Y-%m-%d}.")
    _one_at_a_time(report.provider)
    span = {"provider": report.provider, "since": report.since, "until": report.until, "digest": rows.digest}
    if done := ReconciliationRun.objects.filter(**span).first():
        return done
    source = ReconciliationRun.Source.UPLOADED if report.by else ReconciliationRun.Source.FETCHED
    told = {"source": source, "by": report.by, "rows": rows.count, "made_at": at}
    # Its rows point to it before it says how many of them agree: their keys are looked at when all is committed.
    run = ReconciliationRun(pk=_next_number(), **span, **told)
    if not rows.count and at < report.until + report.may_be_late and next(_missing(report), None):
        raise NotReady(f"{report.provider} tells of nothing on {report.since:%Y-%m-%d}, but something was booked.")
    settle_not_booked(report.provider, at=at)
    run.matched = sum(compare(run, some, at=at) for some in rows.batches())
    run.save(force_insert=True)
    list_missing(run, _missing(report), at=at)
    book_payout_fees(run=run, at=at)  # last, for it holds the chain's head
    return run


def days_to_reconcile(*, at: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    """Yield each of the last days that is over, whose report is ready and was not compared yet, of every provider."""
    for provider in queries.providers_used():
        reports = providers.reports_of(current_tenant(), provider)
        if reports is None:
            continue
        today = at.astimezone(reports.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        for back in range(MOST_DAYS_BACK, 0, -1):
            since, until = today - timedelta(days=back), today - timedelta(days=back - 1)
            is_ready = until + reports.ready_after <= at
            if is_ready and queries.is_to_be_reconciled(provider, since=since, until=until):
                yield provider, since, until


def report_of_day(*, provider: str, since: datetime, until: datetime) -> Report:
    """Return the provider's report of a day: it is asked for it, row by row, when its rows are read.

    That needs no scope, and raises ProviderUnavailable and BadReport. Raises NotConnected.
    """
    reports = providers.reports_of(current_tenant(), provider)
    if reports is None:
        raise providers.NotConnected(f"{provider} is not asked for reports here.")
    rows = reports.fetch_report(since=since, until=until)
    return Report(provider, since, until, rows, may_be_late=reports.may_be_late)


def reconcile_day(*, provider: str, since: datetime, until: datetime, at: datetime) -> ReconciliationRun:
    """Fetch the provider's report of a day and compare it. Raises ProviderUnavailable, BadReport and NotConnected."""
    return reconcile(report=report_of_day(provider=provider, since=since, until=until), at=at)


def reconcile_days(*, at: datetime) -> list[ReconciliationRun]:
    """Compare each day that is to be, for every provider that can be asked.

    Raises ProviderUnavailable and BadReport.
    """
    days = list(days_to_reconcile(at=at))
    return [reconcile_day(provider=provider, since=since, until=until, at=at) for provider, since, until in days]


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


def _missing(report: Report) -> Iterator[tuple[str, Ours]]:
    span = {"since": report.since - LATE, "until": report.until - LATE}
    return queries.booked_and_never_reported(report.provider, **span)


def _one_at_a_time(provider: str) -> None:
    """Have two reports of a provider compared one after the other, so that the later one knows what the other told."""
    with connection.cursor() as cursor:
        name = f"report {current_tenant().pk} {provider}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('billing_reconciliationrun', 'id'))")
        number: int = cursor.fetchone()[0]
    return number
