"""Work to do: a row written in the same transaction as its cause. Celery only wakes somebody up for it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from kpplatform.tenancy.owned import TenantOwned


class Job(TenantOwned):
    """One piece of work of one tenant: which function, with which ids, how far it is.

    A worker holds it by a lease with a fencing token: when the lease runs out, another takes it with a
    higher token, and the first one's late result is refused.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        DEAD = "dead"

    name = models.CharField(max_length=200, help_text="The function, e.g. recommender.tasks.retrain")
    ids = models.JSONField(default=dict, help_text="Its keyword arguments: ids, never data.")
    key = models.CharField(max_length=200, blank=True, help_text="While one job with this key waits, no second one.")
    queue = models.CharField(max_length=30, default="default")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    token = models.BigIntegerField(default=0)
    progress = models.FloatField(default=0.0)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"],
                condition=Q(state="waiting") & ~Q(key=""),
                name="a_keyed_job_waits_once",
            )
        ]
        indexes = [
            # The sweeper's question, across tenants: what is due?
            models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "running"]), name="job_due"),
            models.Index(fields=["tenant", "-created_at"], name="job_newest"),
            # What the console asks: which are dead, which wait, and when did each last come to its end?
            models.Index(fields=["tenant", "id"], condition=Q(state="dead"), name="job_dead"),
            models.Index(fields=["tenant", "due_at"], condition=Q(state="waiting"), name="job_waiting"),
            models.Index(fields=["tenant", "name", "-created_at"], name="job_of_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.ids}"
