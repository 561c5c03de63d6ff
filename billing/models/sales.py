"""What is sold: orders, how they were paid and what was given back."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from billing.models.ledger import Journal
from billing.models.products import Product
from billing.money import Money
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned

PARTS = ("tax", "processor", "platform", "share")


def sums_up() -> Q:
    """Return the condition that the parts are the amount, to the minor unit."""
    return Q(amount=F("tax") + F("processor") + F("platform") + F("share"))


class Order(TenantOwned):
    """A viewer wants to buy. Whoever changes anything about an order holds this row first."""

    class State(models.TextChoices):
        PLACED = "placed"
        PAID = "paid"
        REFUNDED = "refunded"

    viewer = TenantForeignKey(Member)
    key = models.CharField(max_length=200, help_text="The buyer's: placed again, it is this order.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLACED)
    amount = models.BigIntegerField(help_text="Σ of its lines, in minor units; nothing, if a coupon paid for all.")
    currency = models.CharField(max_length=3)
    placed_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True, help_text="When it was given up: it had not been paid.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "key"], name="an_order_is_placed_once"),
            models.CheckConstraint(condition=Q(lapsed_at=None) | Q(state="placed"), name="what_is_paid_has_not_lapsed"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="an_order_never_costs_less_than_nothing"),
            models.CheckConstraint(
                condition=Q(state="placed", paid_at=None) | (~Q(state="placed") & Q(paid_at__isnull=False)),
                name="a_paid_order_says_since_when",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "viewer", "-id"], name="order_newest"),
            models.Index(fields=["tenant", "placed_at"], name="order_when"),
            models.Index(fields=["tenant", "paid_at"], condition=Q(paid_at__isnull=False), name="order_paid"),
            models.Index(
                fields=["tenant", "placed_at", "id"], condition=Q(state="placed", lapsed_at=None), name="order_unpaid"
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.pk}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Parted(models.Model):
    """An amount and who gets which part of it."""

    amount = models.BigIntegerField(help_text="In minor units.")
    tax = models.BigIntegerField()
    processor = models.BigIntegerField(help_text="The payment provider's fee.")
    platform = models.BigIntegerField(help_text="The platform's fee.")
    share = models.BigIntegerField(help_text="The creator's.")

    class Meta:
        abstract = True

    def parts(self, currency: str) -> tuple[Money, ...]:
        """Return tax, the provider's fee, the platform's fee and the creator's share."""
        return tuple(Money(getattr(self, part), currency) for part in PARTS)


class OrderLine(TenantOwned, Parted):
    """One thing of an order, divided as agreed when the order was placed."""

    class Kind(models.TextChoices):
        """What is sold: an item, a gift of money to its creator, a product of this kind, or a part of a price."""

        ITEM = "item"
        TIP = "tip"
        BUNDLE = Product.Kind.BUNDLE.value
        RENTAL = Product.Kind.RENTAL.value
        EBOOK = Product.Kind.EBOOK.value
        CONSULTATION = Product.Kind.CONSULTATION.value
        MEMBERSHIP = Product.Kind.MEMBERSHIP.value
        COINS = Product.Kind.COINS.value
        AD_BALANCE = Product.Kind.AD_BALANCE.value
        INSTALMENT = "instalment"

    order = TenantForeignKey(Order, related_name="lines")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.ITEM, db_default=Kind.ITEM)
    item = TenantForeignKey(Item, null=True, blank=True)
    product = TenantForeignKey(Product, null=True, blank=True)
    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: it is the tenant's own.")
    discount = models.BigIntegerField(default=0, db_default=0, help_text="What was taken off the price before.")
    cost = models.BigIntegerField(default=0, db_default=0, help_text="What the provider keeps, and the platform bears.")
    refunded = models.BigIntegerField(default=0, help_text="How much of the amount was given back.")
    disputed = models.BigIntegerField(default=0, db_default=0, help_text="How much of it is held, or was lost.")
    matures_at = models.DateTimeField(
        null=True, blank=True, help_text="When creators get theirs; none: not paid, or they have it."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "order", "item"], name="an_order_has_an_item_once"),
            models.UniqueConstraint(fields=["tenant", "order", "product"], name="an_order_has_a_product_once"),
            models.CheckConstraint(
                condition=Q(kind="item", item__isnull=False, product=None, creator__isnull=False)
                | Q(kind="tip", item=None, product=None, creator__isnull=False)
                | Q(kind="instalment", item__isnull=False, product=None)
                | (~Q(kind__in=["item", "tip"]) & Q(item=None, product__isnull=False)),
                name="a_line_says_what_is_sold",
            ),
            models.CheckConstraint(condition=sums_up(), name="the_parts_of_a_line_are_its_amount"),
            models.CheckConstraint(
                condition=Q(tax__gte=0, processor__gte=0, platform__gte=0, share__gte=0),
                name="no_part_of_a_line_is_negative",
            ),
            models.CheckConstraint(condition=Q(discount__gte=0), name="a_discount_takes_nothing_on"),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("amount")), name="no_more_is_refunded_than_was_paid"
            ),
            models.CheckConstraint(
                condition=Q(disputed__gte=0, disputed__lte=F("amount") - F("refunded")),
                name="no_more_is_taken_back_than_was_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "item"], name="order_line_item"),
            models.Index(fields=["tenant", "product"], name="order_line_product"),
            models.Index(
                fields=["tenant", "matures_at", "id"], condition=Q(matures_at__isnull=False), name="order_line_matures"
            ),
            models.Index(
                fields=["tenant", "creator", "matures_at"],
                condition=Q(matures_at__isnull=False),
                name="order_line_matures_for",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.title}"

    @property
    def title(self) -> str:
        """What is sold, in words."""
        sold = self.item or self.product
        return sold.title if sold else str(self.creator)

    @property
    def left(self) -> int:
        """What has not been given back and is not disputed, in minor units."""
        return self.amount - self.refunded - self.disputed

    @property
    def source(self) -> str:
        """What the access to what was bought is granted by."""
        return f"order:{self.order_id}" if self.item_id else f"order:{self.order_id}:{self.pk}"


class LineShare(TenantOwned):
    """A part of a line's share that is somebody else's than the creator's alone: with such rows, they are all of it."""

    class Role(models.TextChoices):
        OWNER = "owner", "the creator"
        COLLABORATOR = "collaborator"
        AFFILIATE = "affiliate", "who brought the buyer"

    line = TenantForeignKey(OrderLine, related_name="shares")
    creator = TenantForeignKey(Creator)
    role = models.CharField(max_length=20, choices=Role.choices)
    amount = models.BigIntegerField(help_text="In minor units.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "line", "creator"], name="a_creator_has_one_share_of_a_line"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_share_is_something"),
        ]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="line_share_creator")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.creator_id}"


class Payment(TenantOwned):
    """What a provider is to collect for an order, under a key that is stored before it is ever called."""

    class State(models.TextChoices):
        NEW = "new", "the provider may not know of it"
        OPEN = "open", "the buyer can pay"
        AGREED = "agreed", "is charged to a saved method"
        DECLINED = "declined", "the buyer can try again"
        CAPTURED = "captured"

    order = TenantForeignKey(Order, related_name="payments")
    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    checkout_url = models.CharField(max_length=2_000, blank=True, help_text="Where the buyer pays.")
    way = models.CharField(max_length=10, blank=True, default="", db_default="", help_text="How the buyer gets there.")
    handed = models.TextField(blank=True, default="", db_default="", help_text="What a page in the app hands to it.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    amount = models.BigIntegerField(help_text="In minor units.")
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True, help_text="When the provider opened its page last.")
    captured_at = models.DateTimeField(null=True, blank=True)
    is_split = models.BooleanField(default=False, db_default=False, help_text="The provider gives creators their part.")
    journal = TenantForeignKey(Journal, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_payment_is_asked_for_once"),
            models.UniqueConstraint(fields=["tenant", "order"], name="an_order_has_one_payment"),
            models.UniqueConstraint(
                fields=["tenant", "provider", "reference"],
                condition=~Q(reference=""),
                name="a_reference_is_one_payment",
            ),
            models.CheckConstraint(
                condition=Q(state="captured", journal__isnull=False, captured_at__isnull=False)
                | (~Q(state="captured") & Q(journal=None, captured_at=None)),
                name="what_is_captured_is_booked",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "journal"], condition=Q(journal__isnull=False), name="payment_journal")
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Refund(TenantOwned, Parted):
    """Money on its way back to a buyer: booked when it is asked for, sent by a job, confirmed by the provider."""

    class State(models.TextChoices):
        ASKED = "asked", "booked; the provider may not know of it"
        SENT = "sent", "confirmed by the provider"
        FAILED = "failed", "refused by the provider, and taken back"

    line = TenantForeignKey(OrderLine, related_name="refunds")
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    asked_by = TenantForeignKey(Member)
    asked_key = models.CharField(max_length=200, help_text="Theirs: asked again, it is this refund.")
    currency = models.CharField(max_length=3)
    cost = models.BigIntegerField(default=0, db_default=0, help_text="What the provider hands back of the line's cost.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why the provider refused it.")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    journal = TenantForeignKey(Journal)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_refund_is_sent_once"),
            models.UniqueConstraint(fields=["tenant", "line", "asked_by", "asked_key"], name="a_refund_is_asked_once"),
            models.CheckConstraint(condition=sums_up(), name="the_parts_of_a_refund_are_its_amount"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_refund_gives_something_back"),
        ]
        indexes = [
            models.Index(fields=["tenant", "line"], name="refund_line"),
            models.Index(fields=["tenant", "asked_at"], name="refund_when"),
            models.Index(fields=["tenant", "reference"], condition=~Q(reference=""), name="refund_reference"),
            models.Index(fields=["tenant", "journal"], name="refund_journal"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    def divided(self) -> dict[str, Any]:
        """Return the parts by name."""
        return {part: getattr(self, part) for part in PARTS}
