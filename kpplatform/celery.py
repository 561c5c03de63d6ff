"""The Celery app. Tasks are wake-ups for job rows; the truth is in the database (see kpplatform.jobs)."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpplatform.settings")

app = Celery("kpplatform")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["kpplatform.jobs"])
app.conf.beat_schedule = {
    "sweep": {"task": "kpplatform.jobs.sweep", "schedule": settings.SWEEP_EVERY_S},
    "plan": {"task": "kpplatform.jobs.plan", "schedule": 60.0},
}
