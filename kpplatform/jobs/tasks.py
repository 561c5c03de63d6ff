"""The Celery tasks: three, for all the work there is."""

from celery import shared_task
from django.utils import timezone

from kpplatform.jobs import operations, running


@shared_task(name="kpplatform.jobs.run")
def run(tenant_id: int, job_id: int) -> None:
    running.run(tenant_id=tenant_id, job_id=job_id)


@shared_task(name="kpplatform.jobs.sweep")
def sweep() -> None:
    operations.sweep(at=timezone.now())


@shared_task(name="kpplatform.jobs.plan")
def plan() -> None:
    operations.plan(at=timezone.now())
