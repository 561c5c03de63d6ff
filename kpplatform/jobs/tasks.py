"""The Celery tasks: three, for all the work there is."""

from celery import shared_task
from django.utils import timezone

from kpplatform.jobs import operations, queries, running


@shared_task(name="kpplatform.jobs.run")
def run(tenant_id: int, job_id: int) -> None:
    running.run(tenant_id=tenant_id, job_id=job_id)


@shared_task(name="kpplatform.jobs.sweep")
def sweep() -> None:
    """Wake somebody up for what is due and was lost: a wake-up that never came, a worker that died."""
    for tenant_id, job_id, queue in queries.due(at=timezone.now()):
        operations.wake_up(tenant_id=tenant_id, job_id=job_id, queue=queue)


@shared_task(name="kpplatform.jobs.plan")
def plan() -> None:
    operations.plan(at=timezone.now())
