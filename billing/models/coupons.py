"""Coupons: what is taken off a price, for whom it was agreed, and who has used one."""

from django.db import models
from django.db.models import F, Q

from billing.models.products import Product
from billing.models.sales import Order, OrderLine
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned

CODE = r"^[A-Z0-9][A-Z0-9_-]{2,39}$"


class Coupon(TenantOwned):
    """A share of the price or an amount off it, for all things, one creator's, one item or one product.

    What it says never changes; it can be withdrawn.
    """

    code = models.CharField(max_length=40)
    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="Only for theirs; none: for everybody's.")
    item = TenantForeignKey(Item, null=True, blank=True, help_text="Only for this item.")
    product = TenantForeignKey(Product, null=True, blank=True, help_text="Only for this product.")
    bps = models.PositiveIntegerField(null=True, blank=True, help_text="Of the price, in hundredths of a percent.")
    amount = models.BigIntegerField(null=True, blank=True, help_text="Off the order, in minor units.")
    currency = models.CharField(max_length=3, help_text="Of the amount.")
    most_uses = models.PositiveIntegerField(null=True, blank=True, help_text="By all together; none: no limit.")
    most_each = models.PositiveIntegerField(null=True, blank=True, help_text="By one buyer; none: no limit.")
    uses = models.PositiveIntegerField(default=0, help_text="Equals the count of its uses that are not free again.")
    is_personal = models.BooleanField(default=False, help_text="Only those to whom it was given may use it.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()
    withdrawn_by = TenantForeignKey(Member, null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="a_code_is_one_coupon"),
            models.CheckConstraint(condition=Q(code__regex=CODE), name="a_code_is_plain"),
            models.CheckConstraint(
                condition=Q(amount=None, bps__gt=0, bps__lte=10_000) | Q(bps=None, amount__gt=0),
                name="a_coupon_takes_a_share_or_an_amount_off",
            ),
            models.CheckConstraint(condition=Q(item=None) | Q(product=None), name="a_coupon_is_for_one_thing_or_all"),
            models.CheckConstraint(
                condition=Q(most_uses=None) | Q(uses__lte=F("most_uses")), name="a_coupon_is_not_used_too_often"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="coupon_creator")]

    def __str__(self) -> str:
        return self.code


class CouponHolder(TenantOwned):
    """A viewer to whom a personal coupon was given."""

    coupon = TenantForeignKey(Coupon)
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    given_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "coupon", "viewer"], name="a_coupon_is_given_to_a_viewer_once")
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id}: {self.viewer_id}"


class CouponUse(TenantOwned):
    """A coupon was used for an order. The use is free again when the order lapses."""

    coupon = TenantForeignKey(Coupon)
    order = TenantForeignKey(Order)
    viewer = TenantForeignKey(Member)
    used_at = models.DateTimeField()
    freed_at = models.DateTimeField(null=True, blank=True, help_text="The order was never paid, or too late.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "order"], name="an_order_uses_one_coupon")]
        indexes = [models.Index(fields=["tenant", "coupon", "viewer"], name="coupon_use_viewer")]

    def __str__(self) -> str:
        return f"{self.coupon_id}: {self.order_id}"


class Revocation(TenantOwned):
    """What a coupon had paid for wholly was taken back: there was no money to be given back with it."""

    line = TenantForeignKey(OrderLine, related_name="revocations")
    by = TenantForeignKey(Member)
    why = models.CharField(max_length=200)
    revoked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "line"], name="a_line_is_taken_back_once"),
            models.CheckConstraint(condition=~Q(why=""), name="who_takes_back_says_why"),
            AppendOnly(name="what_was_taken_back_stays_so"),
        ]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.why}"
