"""What turned out to be no viewer after it was billed: what of its price came back, and from whom."""

from django.db import models
from django.db.models import F, Q

from billing.ads.models.campaigns import Flight
from billing.ads.models.charges import Credit, Share, Sharing
from billing.ads.models.offers import Offer
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class InvalidEvent(TenantOwned):
    """A billed offer of which staff have found that no viewer saw it."""

    offer = TenantForeignKey(Offer)
    flight = TenantForeignKey(Flight)
    price = models.BigIntegerField(help_text="What it was billed with, in micros.")
    note = models.CharField(max_length=200)
    by = TenantForeignKey(Member)
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "offer"], name="an_offer_is_found_invalid_once"),
            AppendOnly(name="what_was_found_invalid_stays_so"),
        ]
        indexes = [models.Index(fields=["tenant", "flight", "-id"], name="ad_invalid_flight")]

    def __str__(self) -> str:
        return f"{self.offer_id}: {self.note}"


class CreditPart(TenantOwned):
    """What of a credit was charged to a flight on a day: it comes out of where that day's money went."""

    credit = TenantForeignKey(Credit)
    flight = TenantForeignKey(Flight)
    day = models.DateField()
    amount = models.BigIntegerField()
    tax = models.BigIntegerField(help_text="Of it.")
    sharing = TenantForeignKey(
        Sharing, null=True, blank=True, help_text="Of the day, if it had been shared: else less is left to share."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "credit", "flight", "day"], name="a_credit_has_one_part_of_a_flights_day"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, tax__gte=0, tax__lte=F("amount")), name="a_part_of_a_credit_gives_something"
            ),
            AppendOnly(name="a_part_of_a_credit_is_never_changed"),
        ]
        indexes = [
            models.Index(fields=["tenant", "flight", "day"], name="ad_part_flight"),
            models.Index(fields=["tenant", "day"], name="ad_part_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.amount}"


class ShareBack(TenantOwned):
    """What a credit took back of a creator's part of a day."""

    credit = TenantForeignKey(Credit)
    share = TenantForeignKey(Share, related_name="taken_back")
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "credit", "share"], name="a_credit_takes_once_of_a_share"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="what_is_taken_back_is_something"),
            AppendOnly(name="what_was_taken_back_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "share"], name="ad_share_back")]

    def __str__(self) -> str:
        return f"{self.share_id}: -{self.amount}"
