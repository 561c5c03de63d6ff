"""What viewers give to creators for nothing: money with an order, or gifts bought with coins."""

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from billing.models.ledger import Journal
from billing.models.sales import OrderLine
from billing.money import Money
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class VirtualGift(TenantOwned):
    """Something in the catalogue that can be given for coins."""

    name_zh = models.CharField(max_length=40)
    name_en = models.CharField(max_length=40)
    coins = models.PositiveIntegerField(help_text="What one of it costs.")
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Not given any longer since then.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(coins__gt=0), name="a_virtual_gift_costs_something")]

    def __str__(self) -> str:
        return self.name_zh if (get_language() or "").startswith("zh") else self.name_en


class Giving(TenantOwned):
    """Somebody gave a creator something: a line of an order, or a virtual gift. With a message, if they liked."""

    viewer = TenantForeignKey(Member)
    creator = TenantForeignKey(Creator)
    item = TenantForeignKey(Item, null=True, blank=True, help_text="For what, if for something.")
    line = TenantForeignKey(OrderLine, null=True, blank=True, help_text="Of a gift of money.")
    gift = TenantForeignKey(VirtualGift, null=True, blank=True)
    pieces = models.PositiveIntegerField(default=1)
    coins = models.PositiveIntegerField(default=0)
    amount = models.BigIntegerField(help_text="What it is worth, in minor units.")
    currency = models.CharField(max_length=3)
    message = models.CharField(max_length=200, blank=True)
    is_anonymous = models.BooleanField(default=False)
    key = models.CharField(max_length=210, help_text="Given again, it is this one.")
    given_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    matures_at = models.DateTimeField(null=True, blank=True, help_text="Of a virtual gift, until it has matured.")
    taken_back_at = models.DateTimeField(null=True, blank=True)
    taken_back_by = TenantForeignKey(Member, null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was taken back.")
    journal = TenantForeignKey(Journal, null=True, blank=True, help_text="Of a virtual gift.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "key"], name="a_gift_is_given_once"),
            models.UniqueConstraint(fields=["tenant", "line"], name="a_line_is_one_gift"),
            models.CheckConstraint(
                condition=Q(line__isnull=False, gift=None, journal=None, coins=0)
                | Q(line=None, gift__isnull=False, journal__isnull=False, coins__gt=0, paid_at__isnull=False),
                name="a_gift_is_of_money_or_of_coins",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_gift_is_worth_something"),
        ]
        indexes = [
            models.Index(fields=["tenant", "viewer", "-given_at"], name="giving_viewer"),
            models.Index(fields=["tenant", "creator", "-id"], name="giving_creator"),
            models.Index(fields=["tenant", "matures_at"], condition=Q(matures_at__isnull=False), name="giving_matures"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} → {self.creator_id}: {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
