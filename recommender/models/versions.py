"""A training's outcome: what was learned, how good it is, and who is served by it."""

import hashlib

from django.db import models
from django.db.models import Q

from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class ModelVersion(TenantOwned):
    """One training of a tenant's recommender, and how it did against what stood and against popularity.

    At most one is published: the one that is served. At most one beside it is a canary: tried on a share of the
    viewers. A rejected one has no artefact.
    """

    class State(models.TextChoices):
        PUBLISHED = "published"
        CANARY = "canary"
        REJECTED = "rejected"
        RETIRED = "retired"
        WITHDRAWN = "withdrawn"

    class Fault(models.TextChoices):
        MISSING = "missing"
        ALTERED = "altered"
        FOREIGN = "foreign"
        SCHEMA_UNKNOWN = "schema_unknown"
        UNREADABLE = "unreadable"
        OUT_OF_MEMORY = "out_of_memory"

    kind = models.CharField(
        max_length=40, blank=True, help_text="Which model was best; none when there was too little."
    )
    state = models.CharField(max_length=10, choices=State.choices)
    reason = models.CharField(max_length=60, help_text="Why it was published or rejected.")
    metrics = models.JSONField(default=dict, help_text="Of every model on the same later slice of time.")
    events = models.PositiveBigIntegerField(help_text="How many it learned from.")
    data = models.CharField(max_length=64, help_text="The fingerprint of what it learned from.")
    learned_until = models.DateTimeField(null=True, blank=True, help_text="When the last event happened.")
    recipe = models.JSONField(default=dict, help_text="How it can be made again: models, settings, seed.")
    parent = TenantForeignKey("self", null=True, blank=True, help_text="The version that was in place.")
    folder = models.CharField(max_length=100, blank=True, help_text="Inside the tenant's folder of models.")
    sha256 = models.CharField(max_length=64, blank=True)
    fault = models.CharField(
        max_length=20, blank=True, choices=Fault.choices, help_text="Why a web process could not read the artefact."
    )
    canary_share = models.FloatField(null=True, blank=True, help_text="Of the viewers, while it is a canary.")
    trained_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], condition=Q(state="published"), name="one_version_is_published"),
            models.UniqueConstraint(fields=["tenant"], condition=Q(state="canary"), name="one_version_is_a_canary"),
            models.CheckConstraint(
                condition=Q(state="rejected") | Q(folder__gt="", published_at__isnull=False),
                name="what_was_published_has_an_artefact",
            ),
            models.CheckConstraint(
                condition=~Q(state="canary") | Q(canary_share__isnull=False, canary_share__gt=0, canary_share__lt=1),
                name="a_canary_has_a_share_of_the_viewers",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-trained_at"], name="version_newest")]

    def __str__(self) -> str:
        return f"{self.kind or 'nothing'} {self.pk} ({self.state})"

    def is_tried_on(self, viewer_id: int) -> bool:
        """Tell whether a canary serves this viewer: always the same ones, and more of them as its share grows."""
        drawn = hashlib.sha256(f"canary {self.pk} {viewer_id}".encode()).digest()
        return int.from_bytes(drawn[:8]) < (self.canary_share or 0) * 2**64

    def measured(self) -> dict[str, dict[str, float]]:
        """Return what was measured of each model, by the figure's name (ndcg@20 …)."""
        models = self.metrics.get("models", {})
        return dict(models) if isinstance(models, dict) else {}

    def weights(self) -> dict[str, float]:
        """Return how much each of its models counts on a page, where that was learnt."""
        blend = self.metrics.get("blend", {})
        return dict(blend.get("weights", {})) if isinstance(blend, dict) else {}
