"""What is tried out on some viewers, who was in which arm, and what came of it."""

from typing import Any

from django.db import models
from django.db.models import Q

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Experiment(TenantOwned):
    """Viewers are dealt to arms whose feeds differ in some settings, and what they do then is compared.

    The first arm is the control: the feed as it is. An arm is {"name", "share", "settings"}.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        RUNNING = "running"
        STOPPED = "stopped"
        KILLED = "killed"

    class Metric(models.TextChoices):
        WATCH_MINUTES = "watch_minutes"
        LONG_VIEWS = "long_views"
        LIKES = "likes"
        ACTIVE_DAYS = "active_days"
        ORDERS = "orders"

    name = models.SlugField(max_length=60, help_text="Viewers are dealt by it; another name deals anew.")
    hypothesis = models.TextField(max_length=1_000, blank=True)
    arms = models.JSONField()
    metric = models.CharField(max_length=20, choices=Metric.choices, help_text="What it is about, per viewer.")
    figures = models.JSONField(default=dict, help_text="What it showed when it was last read; nothing before.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="a_name_is_one_experiment"),
            models.CheckConstraint(
                condition=Q(state="draft", started_at=None) | (~Q(state="draft") & Q(started_at__isnull=False)),
                name="an_experiment_that_began_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "running"], ended_at=None)
                | Q(state__in=["stopped", "killed"], ended_at__isnull=False),
                name="an_experiment_that_ended_says_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shares(self) -> dict[str, float]:
        """Return the share of all viewers that each arm has."""
        return {arm["name"]: arm["share"] for arm in self.arms}

    @property
    def changes(self) -> set[str]:
        """Return the names of the settings that differ in some arm."""
        return {name for arm in self.arms for name in arm["settings"]}

    def settings_of(self, arm: str) -> dict[str, Any]:
        """Return what differs for this arm."""
        return next((dict(of["settings"]) for of in self.arms if of["name"] == arm), {})


class Exposure(TenantOwned):
    """A viewer was served by an arm for the first time; whoever was never served counts in no comparison."""

    experiment = TenantForeignKey(Experiment, on_delete=models.CASCADE)
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    arm = models.CharField(max_length=40)
    exposed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "experiment", "viewer"], name="a_viewer_is_in_one_arm"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} was served by {self.arm}"


class ExperimentReading(TenantOwned):
    """What an experiment had shown at some moment."""

    experiment = TenantForeignKey(Experiment, on_delete=models.CASCADE)
    figures = models.JSONField(help_text="Viewers and means per arm, differences to the control, the sample ratio.")
    read_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "experiment", "-read_at"], name="reading_newest")]

    def __str__(self) -> str:
        return f"{self.experiment_id} at {self.read_at:%Y-%m-%d %H:%M}"
