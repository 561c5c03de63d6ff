"""What can be told of jobs."""

from datetime import datetime

from django.db.models import QuerySet

from kpplatform.jobs.models import Job
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Tenant


def due(*, at: datetime, queue: str, most: int) -> list[tuple[int, int]]:
    """Return (tenant id, job id) of what this queue should be running, across tenants, longest waiting first."""
    jobs = _due(at=at).filter(queue=queue).order_by("due_at", "pk")
    return list(jobs.values_list("tenant_id", "pk")[:most])


def queues_due(*, at: datetime) -> list[str]:
    """Return the queues in which something is due."""
    return list(_due(at=at).order_by("queue").values_list("queue", flat=True).distinct())


def _due(*, at: datetime) -> QuerySet[Job]:
    unfinished = [Job.State.WAITING, Job.State.RUNNING]
    return Job.objects.db_manager(roles.OPERATOR).filter(state__in=unfinished, due_at__lte=at)


def tenants_without(*, name: str, since: datetime) -> list[Tenant]:
    """Return the open tenants that have had no job of this name since then."""
    had = Job.objects.db_manager(roles.OPERATOR).filter(name=name, created_at__gt=since)
    tenants = Tenant.objects.using(roles.OPERATOR).filter(closed_at=None).exclude(pk__in=had.values("tenant_id"))
    return list(tenants.order_by("pk"))
