"""What an advertiser used in a month: a statement that never changes. It is no invoice: what is paid in has one."""

from django.db import models
from django.db.models import F, Q

from billing.ads.models.campaigns import Advertiser, Campaign
from billing.models import SettlementPeriod
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class UseStatement(TenantOwned):
    """An advertiser's month in one currency: what there was, what moved, what there is; set aside or not."""

    period = TenantForeignKey(SettlementPeriod)
    advertiser = TenantForeignKey(Advertiser)
    currency = models.CharField(max_length=3)
    seller = models.JSONField(help_text="Name, place and tax id, as they were.")
    buyer = models.JSONField()
    opening = models.BigIntegerField()
    movements = models.BigIntegerField()
    closing = models.BigIntegerField()
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "period", "advertiser", "currency"], name="an_advertisers_month_is_stated_once"
            ),
            models.CheckConstraint(
                condition=Q(closing=F("opening") + F("movements")), name="a_statement_of_use_adds_up"
            ),
            AppendOnly(name="a_statement_of_use_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "advertiser", "-id"], name="ad_use_advertiser")]

    def __str__(self) -> str:
        return f"USE-{self.period}-{self.advertiser_id}-{self.currency}"


class UseLine(TenantOwned):
    """What moved by one kind of journal."""

    statement = TenantForeignKey(UseStatement, related_name="lines")
    kind = models.CharField(max_length=20)
    count = models.PositiveIntegerField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "statement", "kind"], name="a_kind_of_use_is_told_once"),
            AppendOnly(name="a_line_of_use_is_never_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.amount}"


class UseOfCampaign(TenantOwned):
    """What a campaign was charged in the month, the tax in it, and what was credited."""

    statement = TenantForeignKey(UseStatement, related_name="campaigns")
    campaign = TenantForeignKey(Campaign)
    charged = models.BigIntegerField()
    tax = models.BigIntegerField()
    credited = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "statement", "campaign"], name="a_campaigns_use_is_told_once"),
            AppendOnly(name="a_campaigns_use_is_never_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.charged}"
