"""What was trained."""

from django.db import models
from django.db.models import Q

from kpplatform.tenancy.owned import TenantOwned


class ModelVersion(TenantOwned):
    """One training of a tenant's recommender, and how it did against what stood and against popularity.

    At most one is published: the one that is served. A rejected one has no artefact.
    """

    class State(models.TextChoices):
        PUBLISHED = "published"
        REJECTED = "rejected"
        RETIRED = "retired"

    kind = models.CharField(
        max_length=40, blank=True, help_text="Which model was best; none when there was too little."
    )
    state = models.CharField(max_length=10, choices=State.choices)
    reason = models.CharField(max_length=60, help_text="Why it was published or rejected.")
    metrics = models.JSONField(default=dict, help_text="Of every model on the same later slice of time.")
    events = models.PositiveBigIntegerField(help_text="How many it learned from.")
    data = models.CharField(max_length=64, help_text="The fingerprint of what it learned from.")
    learned_until = models.DateTimeField(null=True, blank=True, help_text="When the last event happened.")
    folder = models.CharField(max_length=100, blank=True, help_text="Inside the tenant's folder of models.")
    sha256 = models.CharField(max_length=64, blank=True)
    trained_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], condition=Q(state="published"), name="one_version_is_published"),
            models.CheckConstraint(
                condition=Q(state="rejected") | Q(folder__gt="", published_at__isnull=False),
                name="what_was_published_has_an_artefact",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-trained_at"], name="version_newest")]

    def __str__(self) -> str:
        return f"{self.kind or 'nothing'} {self.pk} ({self.state})"

    def measured(self) -> dict[str, dict[str, float]]:
        """Return what was measured of each model, by the figure's name (ndcg@20 …)."""
        models = self.metrics.get("models", {})
        return dict(models) if isinstance(models, dict) else {}
