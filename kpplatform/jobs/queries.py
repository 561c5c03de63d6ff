"""What can be told of jobs."""

from datetime import datetime

from kpplatform.jobs.models import Job
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Tenant

MOST_AT_ONCE = 1_000


def due(*, at: datetime) -> list[tuple[int, int, str]]:
    """Return (tenant id, job id, queue) of what should be running, across tenants, longest waiting first."""
    jobs = Job.objects.db_manager(roles.OPERATOR).filter(
        state__in=[Job.State.WAITING, Job.State.RUNNING], due_at__lte=at
    )
    return list(jobs.order_by("due_at", "pk").values_list("tenant_id", "pk", "queue")[:MOST_AT_ONCE])


def tenants_without(*, name: str, since: datetime) -> list[Tenant]:
    """Return the open tenants that have had no job of this name since then."""
    had = Job.objects.db_manager(roles.OPERATOR).filter(name=name, created_at__gt=since)
    tenants = Tenant.objects.using(roles.OPERATOR).filter(closed_at=None).exclude(pk__in=had.values("tenant_id"))
    return list(tenants.order_by("pk"))
