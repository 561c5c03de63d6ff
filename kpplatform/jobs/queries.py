"""What can be told of jobs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Avg, Count, F, Max, Q, QuerySet

from kpplatform.jobs.models import Job
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Tenant

LOOKED_THROUGH = 5_000  # jobs, the newest of a tenant


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


def waiting() -> QuerySet[Job]:
    """Return the tenant's jobs that wait, the longest waiting first."""
    return Job.objects.filter(state=Job.State.WAITING).order_by("due_at", "pk")


def dead() -> QuerySet[Job]:
    """Return the tenant's jobs that failed for good, the newest first."""
    return Job.objects.filter(state=Job.State.DEAD).order_by("-pk")


def dead_by_tenant() -> dict[int, int]:
    """Return how many dead jobs each tenant has, across tenants."""
    found = Job.objects.db_manager(roles.OPERATOR).filter(state=Job.State.DEAD).order_by()
    return dict(found.values_list("tenant").annotate(Count("pk")))


def lately() -> list[dict[str, Any]]:
    """Return of the tenant's newest jobs, by name: how many, done, waiting and dead, when last done, and how long.

    How long is from when one was due to its end: the waiting is part of it.
    """
    newest = Job.objects.order_by("-created_at").values("pk")[:LOOKED_THROUGH]
    by_state = {state.value: Count("pk", filter=Q(state=state)) for state in Job.State}
    is_done = Q(state=Job.State.DONE)
    took = Avg(F("finished_at") - F("due_at"), filter=is_done)
    found: Any = Job.objects.filter(pk__in=newest).order_by().values("name")
    last = Max("finished_at", filter=is_done)
    return list(found.annotate(many=Count("pk"), last=last, took=took, **by_state).order_by("-many", "name"))


def last_of(names: Iterable[str]) -> dict[str, Job]:
    """Return the newest job of each name; names that never had one are left out."""
    found = {name: Job.objects.filter(name=name).order_by("-created_at").first() for name in names}
    return {name: job for name, job in found.items() if job}
