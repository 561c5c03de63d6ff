"""A training while it runs and afterwards: how far it is, how it learns, what it costs and how it ended.

Searches of settings and evaluations of models are rows of the same table: they read, fit and judge as trainings do.
"""

from django.db import models
from django.db.models import Q

from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.versions import ModelVersion


class TrainingRun(TenantOwned):
    """One training of a tenant's recommender, written while it goes on.

    A training whose worker died goes on in the same row when its job is taken up again.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Kind(models.TextChoices):
        DAILY = "daily"
        FULL = "full"
        SEARCH = "search"
        EVALUATION = "evaluation"

    class Stage(models.TextChoices):
        READING = "reading"
        FITTING = "fitting"
        JUDGING = "judging"
        REFITTING = "refitting"
        PUBLISHING = "publishing"
        ENDED = "ended"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.READING)
    model = models.CharField(max_length=40, blank=True, help_text="Which model is being fitted.")
    progress = models.FloatField(default=0.0, help_text="0 to 1.")
    seconds_left = models.FloatField(null=True, blank=True, help_text="As far as that can be told.")
    loss = models.FloatField(null=True, blank=True, help_text="The last one.")
    outcome = models.CharField(max_length=60, blank=True, help_text="Why it was published, rejected or given up.")
    version = TenantForeignKey(ModelVersion, null=True, blank=True)
    device = models.CharField(max_length=80, blank=True)
    seconds = models.FloatField(default=0.0, help_text="Of all its attempts.")
    peak_mb = models.FloatField(default=0.0, help_text="The most memory (MiB) that it held.")
    resumed = models.PositiveSmallIntegerField(default=0, help_text="How often it was taken up again.")
    data = models.CharField(max_length=64, blank=True, help_text="The fingerprint of what it learns from.")
    data_until = models.DateTimeField(help_text="What happened before is learned from.")
    events = models.PositiveBigIntegerField(default=0)
    viewers = models.PositiveBigIntegerField(default=0)
    items = models.PositiveBigIntegerField(default=0)
    plan = models.JSONField(default=dict, help_text="What is tried, with which budget, and what is not and why.")
    settings = models.JSONField(default=dict, help_text="Of each model that was fitted.")
    costs = models.JSONField(default=dict, help_text="Of each fit: seconds and MiB, foreseen and measured.")
    curves = models.JSONField(default=dict, help_text="Of each fit: points of step, loss and quality.")
    metrics = models.JSONField(default=dict, help_text="Of every model on the same later slice of time.")
    quality = models.JSONField(default=dict, help_text="How complete and fresh the data are and how far they drifted.")
    notes = models.JSONField(default=list, help_text="What was worth saying, with its time.")
    error = models.TextField(blank=True)
    job = models.BigIntegerField(null=True, blank=True, help_text="The job that does it.")
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "job"], name="a_job_has_one_training_run"),
            models.CheckConstraint(condition=Q(progress__gte=0, progress__lte=1), name="progress_is_a_share"),
        ]
        indexes = [models.Index(fields=["tenant", "-started_at"], name="training_run_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"
