"""What was trained, and what was shown to whom."""

from django.db import models
from django.db.models import Q

from catalog.models import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


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


class Impression(TenantOwned):
    """An item was shown to a viewer: where on the page, on whose word, and how likely that was.

    The propensity is the chance with which this item stood at this place, given the places before it.
    """

    class Source(models.TextChoices):
        MODEL = "model"
        POPULAR = "popular"
        FOLLOWED = "followed"
        FRESH = "fresh"
        EXPLORED = "explored"
        AGAIN = "again"

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    version = TenantForeignKey(ModelVersion, null=True, blank=True)
    page = models.UUIDField()
    position = models.PositiveIntegerField(help_text="In the viewer's session, from 0.")
    propensity = models.FloatField()
    source = models.CharField(max_length=10, choices=Source.choices)
    shown_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(propensity__gt=0, propensity__lte=1), name="a_propensity_is_a_chance")
        ]
        indexes = [
            models.Index(fields=["tenant", "viewer", "-shown_at"], name="impression_newest"),
            models.Index(fields=["tenant", "item"], condition=Q(source="fresh"), name="impression_trial"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} was shown to {self.viewer_id}"
