"""Each time an ad was put into a place for somebody."""

import uuid

from django.db import models
from django.db.models import Q

from billing.ads.models.campaigns import Campaign, Creative, Flight
from catalog.models import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Offer(TenantOwned):
    """An ad in a place, for a viewer, at a price: its money is reserved until it is billed or lapses.

    It is billed once at most, by the event that the flight pays for. What looks odd is held for staff instead.
    """

    class Odd(models.TextChoices):
        TOO_SOON = "too_soon", "an event sooner than anybody can see or click"
        TOO_MANY = "too_many", "more clicks than anybody makes"
        OWN = "own", "by who advertises, or by staff"
        BOT = "bot", "by a program"

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    campaign = TenantForeignKey(Campaign)
    flight = TenantForeignKey(Flight)
    creative = TenantForeignKey(Creative)
    viewer = TenantForeignKey(Member)
    item = TenantForeignKey(Item, null=True, blank=True, help_text="What it stands behind.")
    placement = models.CharField(max_length=20)
    session = models.CharField(max_length=40, help_text="Those of a viewer's day begin alike.")
    position = models.PositiveIntegerField(help_text="Before how many places of the session it stands.")
    price = models.BigIntegerField(help_text="Micros, for the event that is paid for.")
    expected = models.BigIntegerField(help_text="The price times the chance that it is paid, in micros.")
    chance = models.FloatField(help_text="That it is clicked, as foretold.")
    rate = models.FloatField(help_text="What was counted of its clicks when it was offered, smoothed.")
    affinity = models.FloatField(help_text="The viewer's taste for its topic, from 0 to 1.")
    propensity = models.FloatField(help_text="How likely it was to stand there.")
    offered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    viewed_at = models.DateTimeField(null=True, blank=True)
    clicked_at = models.DateTimeField(null=True, blank=True)
    watched_at = models.DateTimeField(null=True, blank=True)
    billed_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True, help_text="Its money was set free.")
    odd = models.CharField(max_length=10, choices=Odd.choices, blank=True, help_text="Why it is held.")
    decided_by = TenantForeignKey(Member, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="an_offer_is_known_by_one_id"),
            models.CheckConstraint(
                condition=Q(billed_at=None) | Q(lapsed_at=None), name="an_offer_is_billed_or_lapses"
            ),
            models.CheckConstraint(
                condition=Q(clicked_at=None) | Q(viewed_at__isnull=False), name="what_is_clicked_was_seen"
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="an_offer_has_a_price"),
        ]
        indexes = [
            models.Index(fields=["tenant", "viewer", "-offered_at"], name="ad_offer_viewer"),
            models.Index(fields=["tenant", "session"], name="ad_offer_session"),
            models.Index(fields=["tenant", "flight", "offered_at"], name="ad_offer_flight"),
            models.Index(
                fields=["tenant", "expires_at", "id"],
                condition=Q(billed_at=None, lapsed_at=None),
                name="ad_offer_open",
            ),
            models.Index(fields=["tenant", "offered_at"], name="ad_offer_when"),
            models.Index(fields=["tenant", "id"], condition=~Q(odd="") & Q(decided_at=None), name="ad_offer_held"),
            models.Index(fields=["tenant", "billed_at"], condition=Q(billed_at__isnull=False), name="ad_offer_billed"),
        ]

    def __str__(self) -> str:
        return f"{self.flight_id} for {self.viewer_id}"
