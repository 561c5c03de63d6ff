"""How many places for ads there were, and why some stayed empty."""

from django.db import models
from django.db.models import Q

from kpplatform.tenancy.owned import TenantOwned

PLACEMENTS = ("feed",)  # where an ad may stand


class PlaceCount(TenantOwned):
    """How often places of a day came to the same: counted in several rows, so that nobody waits for another's page.

    Who counts adds to the row of their connection's share; once the day is over the rows of an hour become one.
    """

    class Outcome(models.TextChoices):
        FILLED = "filled", "an ad stands there"
        NO_CAMPAIGN = "no_campaign", "nothing is live"
        BUDGET = "budget", "what is live has nothing left to spend now"
        TARGET = "target", "none of it is for such a place"
        CONSENT = "consent", "it is for viewers of whom more may be known"
        RELEVANCE = "relevance", "the viewer has no taste for what is left"
        CAPPED = "capped", "the viewer has seen what is left as often as may be"
        PRICE = "price", "nobody bids the reserve"
        ONCE = "once", "everybody who competes stands on the page already"
        TIER = "tier", "the viewer's membership is without ads"

    day = models.DateField(help_text="Of the tenant.")
    hour = models.PositiveSmallIntegerField(help_text="By the tenant's clock, 0 to 23.")
    placement = models.CharField(max_length=20)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    shard = models.SmallIntegerField()
    places = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "day", "hour", "placement", "outcome", "shard"], name="a_share_of_places_is_one_row"
            ),
            models.CheckConstraint(condition=Q(places__gt=0, shard__gte=0), name="places_are_counted_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.placement} {self.outcome}: {self.places}"
