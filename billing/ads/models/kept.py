"""What stays of offers that are not kept."""

from django.db import models
from django.db.models import F, Q

from billing.ads.models.campaigns import Flight
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class OfferDay(TenantOwned):
    """What became of all offers of a flight's day, summed up once each was billed or had lapsed.

    The offers themselves may go then; what has gone is summed up again, and is never more.
    """

    flight = TenantForeignKey(Flight)
    day = models.DateField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="What was offered from its start to its end is summed up.")
    offers = models.PositiveIntegerField()
    views = models.PositiveIntegerField()
    clicks = models.PositiveIntegerField()
    held = models.PositiveIntegerField(help_text="What looked odd.")
    billed = models.PositiveIntegerField()
    spent = models.BigIntegerField(help_text="In micros.")
    gone = models.PositiveIntegerField(default=0, help_text="Offers that were deleted since …")
    gone_spent = models.BigIntegerField(default=0, help_text="… and what was billed of them, in micros.")
    unseen_gone_at = models.DateTimeField(null=True, blank=True, help_text="When those nobody saw had gone …")
    gone_at = models.DateTimeField(null=True, blank=True, help_text="… and all that may go.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "flight", "day"], name="a_day_of_offers_is_summed_up_once"),
            models.CheckConstraint(
                condition=Q(gone__lte=F("offers"), gone_spent__gte=0), name="no_more_offers_go_than_there_were"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-ends_at"], name="ad_offer_day_newest"),
            models.Index(fields=["tenant", "ends_at"], condition=Q(unseen_gone_at=None), name="ad_offer_day_unseen"),
            models.Index(fields=["tenant", "ends_at"], condition=Q(gone_at=None), name="ad_offer_day_kept"),
        ]

    def __str__(self) -> str:
        return f"{self.flight_id} {self.day}: {self.spent}"
