"""The jobs of this floor."""

from django.utils import timezone

from kpplatform.jobs.running import long_job
from kpplatform.metrics import operations, queries
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope


@long_job
def count_days(*, tenant: Tenant) -> None:
    """Each day is a transaction of its own: what was counted stays, whatever becomes of the next."""
    at = timezone.now()
    with scope(tenant):
        due = queries.days_due(at=at)
    for day in due:
        with scope(tenant):
            operations.count_day(day=day, at=at)


@long_job
def report_weeks(*, tenant: Tenant) -> None:
    """Some creators are reported in a transaction of their own: who has a report is not reported, nor told, again."""
    at = timezone.now()
    with scope(tenant):
        due = queries.weeks_due(at=at)
    for week in due:
        last: int | None = 0
        while last is not None:
            with scope(tenant):
                last = operations.report_some(week=week, after=last, at=at)
        with scope(tenant):
            operations.report_tenant(week=week, at=at)
