"""What was shown to whom."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from catalog.models import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.versions import ModelVersion


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
        SIMILAR = "similar"
        COLD = "cold"
        INTERESTS = "interests"
        SOCIAL = "social"

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
            BrinIndex(fields=["shown_at"], name="impression_when"),
            models.Index(fields=["tenant", "item"], condition=Q(source="fresh"), name="impression_trial"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} was shown to {self.viewer_id}"
