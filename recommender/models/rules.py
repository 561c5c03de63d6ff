"""What goes together."""

from django.db import models
from django.db.models import F, Q

from catalog.models import Item
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.portraits import PortraitRun


class Rule(TenantOwned):
    """Viewers who did this with one item did that with another: how many, how often, how much oftener than others."""

    class Verb(models.TextChoices):
        LIKED = "liked"
        BOUGHT = "bought"

    run = TenantForeignKey(PortraitRun, on_delete=models.CASCADE)
    given = TenantForeignKey(Item, on_delete=models.CASCADE)
    given_verb = models.CharField(max_length=10, choices=Verb.choices)
    then = TenantForeignKey(Item, on_delete=models.CASCADE)
    then_verb = models.CharField(max_length=10, choices=Verb.choices)
    viewers = models.PositiveIntegerField(help_text="Who did both.")
    support = models.FloatField(help_text="Their share of all who liked or bought anything.")
    confidence = models.FloatField(help_text="Their share of those who did the first.")
    lift = models.FloatField(help_text="The confidence over the share of all who did the second.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "given", "given_verb", "then", "then_verb"], name="a_rule_is_told_once"
            ),
            models.CheckConstraint(
                condition=Q(support__gt=0, support__lte=1, confidence__gt=0, confidence__lte=1, lift__gt=0),
                name="support_and_confidence_are_shares",
            ),
            models.CheckConstraint(condition=Q(confidence__gte=F("support")), name="confidence_is_of_fewer"),
        ]
        indexes = [models.Index(fields=["tenant", "then"], name="rule_then")]

    def __str__(self) -> str:
        return f"{self.given_id} → {self.then_id}"
