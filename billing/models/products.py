"""What is sold beside single items: bundles, rentals, e-books, answers, memberships, coins, an advertiser's balance."""

from django.db import models
from django.db.models import Q

from billing.money import Money
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


def one_thing() -> Q:
    """Return the condition that it is an item or a product."""
    return Q(item__isnull=False, product=None) | Q(item=None, product__isnull=False)


class Product(TenantOwned):
    """One of these: whose it is and what it costs, tax included.

    What a kind needs besides stands in a table of its own.
    """

    class Kind(models.TextChoices):
        BUNDLE = "bundle", "several items at once"
        RENTAL = "rental", "an item for so many hours"
        EBOOK = "ebook"
        CONSULTATION = "consultation", "a question or a plan"
        MEMBERSHIP = "membership", "a period of a tier"
        COINS = "coins", "a pack of coins"
        AD_BALANCE = "ad_balance", "money for ads, paid in before"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: it is the tenant's own.")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    amount = models.BigIntegerField(help_text="In minor units; the least there is to pay where the price is open.")
    currency = models.CharField(max_length=3)
    is_open = models.BooleanField(default=False, db_default=False, help_text="The buyer may pay more.")
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Not sold any longer since then.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="a_product_costs_something")]
        indexes = [
            models.Index(fields=["tenant", "kind", "-id"], name="product_newest"),
            models.Index(fields=["tenant", "creator", "-id"], name="product_creator"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Content(TenantOwned):
    """An item that a product opens: each of a bundle's, the one of a rental."""

    product = TenantForeignKey(Product, related_name="contents")
    item = TenantForeignKey(Item)
    hours = models.PositiveIntegerField(null=True, blank=True, help_text="After the payment; none: for good.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "product", "item"], name="a_product_opens_an_item_once")
        ]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.item_id}"


class OfferChange(TenantOwned):
    """Who made, changed or withdrew what is sold, when, and what it said before and after."""

    product = TenantForeignKey(Product)
    by = TenantForeignKey(Member)
    before = models.JSONField(help_text="What was changed, as it was; empty when it was made.")
    after = models.JSONField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_change_of_an_offer_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "product", "-id"], name="offer_change_product")]

    def __str__(self) -> str:
        return f"{self.product_id}: {self.changed_at:%Y-%m-%d %H:%M}"
