"""The Celery app. Tasks are wake-ups for job rows; the truth is in the database (see kpplatform.jobs)."""

import os

from celery import Celery
from celery.signals import worker_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpplatform.settings")

PLAN_EVERY_S = 60.0

app = Celery("kpplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["kpplatform.jobs"])
# What a busy worker comes to late is not worth doing: the next one is under way.
app.conf.beat_schedule = {
    name: {"task": f"kpplatform.jobs.{name}", "schedule": every_s, "options": {"expires": every_s}}
    for name, every_s in (("sweep", settings.SWEEP_EVERY_S), ("plan", PLAN_EVERY_S))
}


@worker_init.connect
def refuse_to_mix_tenants(**_: object) -> None:
    """Stop a worker that would serve while tenants are not kept apart."""
    from kpplatform.tenancy.checks import must_be_isolated  # noqa: PLC0415  models can be imported only now

    must_be_isolated()
