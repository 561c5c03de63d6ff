"""What advertisers were charged, and whom of it came to what."""

from django.db import models
from django.db.models import F, Q

from billing.ads.models.campaigns import Advertiser, Campaign, Flight
from billing.models import Journal
from billing.money import Money
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Charge(TenantOwned):
    """Whole minor units of what a flight was billed since its last charge, taken from what is set aside for it."""

    flight = TenantForeignKey(Flight)
    day = models.DateField(help_text="Of the tenant: whose views it is shared by.")
    amount = models.BigIntegerField()
    tax = models.BigIntegerField(default=0, help_text="Of it.")
    currency = models.CharField(max_length=3)
    journal = TenantForeignKey(Journal)
    charged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, tax__gte=0), name="a_charge_takes_something"),
            models.UniqueConstraint(fields=["tenant", "journal"], name="a_charge_is_one_journal"),
            AppendOnly(name="a_charge_is_never_changed"),
        ]
        indexes = [
            models.Index(fields=["tenant", "flight", "-id"], name="ad_charge_flight"),
            models.Index(fields=["tenant", "day"], name="ad_charge_day"),
        ]

    def __str__(self) -> str:
        return f"{self.flight_id}: {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Sharing(TenantOwned):
    """A day's income from ads, divided among the platform and the creators whose items were watched that day."""

    day = models.DateField()
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="All of it, without tax.")
    creators = models.BigIntegerField(help_text="What went to creators.")
    views = models.BigIntegerField(help_text="Qualified views of all creators.")
    journal = TenantForeignKey(Journal, null=True, blank=True, help_text="None: nothing was left to share.")
    shared_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "day", "currency"], name="a_day_of_ads_is_shared_once"),
            models.CheckConstraint(condition=Q(creators__lte=F("amount")), name="creators_get_no_more_than_all"),
            AppendOnly(name="a_sharing_of_ads_is_never_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.amount} {self.currency}"


class Share(TenantOwned):
    """A creator's part of a day's income from ads, by their qualified views."""

    sharing = TenantForeignKey(Sharing)
    creator = TenantForeignKey(Creator)
    views = models.BigIntegerField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "sharing", "creator"], name="a_creator_has_one_part_of_a_day"),
            AppendOnly(name="a_share_of_ads_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="ad_share_creator")]

    def __str__(self) -> str:
        return f"{self.creator_id}: {self.amount}"


class Credit(TenantOwned):
    """Money given back to an advertiser: a make-good, or what turned out to be no viewer."""

    class Reason(models.TextChoices):
        MAKE_GOOD = "make_good", "less was delivered than promised"
        INVALID = "invalid", "no viewer saw it"

    advertiser = TenantForeignKey(Advertiser)
    campaign = TenantForeignKey(Campaign)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    note = models.CharField(max_length=200)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    key = models.CharField(max_length=200)
    by = TenantForeignKey(Member)
    journal = TenantForeignKey(Journal)
    credited_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_credit_gives_something"),
            models.UniqueConstraint(fields=["tenant", "key"], name="a_credit_is_given_once"),
            AppendOnly(name="a_credit_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "advertiser", "-id"], name="ad_credit_advertiser")]

    def __str__(self) -> str:
        return f"{self.advertiser_id}: {self.amount} {self.currency}"
