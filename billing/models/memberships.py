"""Memberships: tiers and their plans, who subscribes, and period by period."""

from django.db import models
from django.db.models import F, Q

from billing.models.products import Product
from billing.models.sales import Order
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Tier(TenantOwned):
    """What members may watch: all courses of the creator, or of the tenant; or else the items listed for it."""

    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: it is the tenant's own.")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=5_000)
    opens_all = models.BooleanField(default=True, db_default=True, help_text="All courses, those made later too.")
    is_ad_free = models.BooleanField(default=False, db_default=False, help_text="Members see no ads.")
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Nobody can join since then.")

    class Meta:
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="tier_newest")]

    def __str__(self) -> str:
        return self.title


class TierItem(TenantOwned):
    """An item that a tier opens, from the next period that is paid."""

    tier = TenantForeignKey(Tier, related_name="items")
    item = TenantForeignKey(Item)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "tier", "item"], name="a_tier_lists_an_item_once")]

    def __str__(self) -> str:
        return f"{self.tier_id}: {self.item_id}"


class Plan(TenantOwned):
    """A tier by the month or by the year: its product says what a period costs."""

    class Interval(models.TextChoices):
        MONTH = "month"
        YEAR = "year"

    tier = TenantForeignKey(Tier, related_name="plans")
    product = TenantForeignKey(Product, related_name="plans")
    interval = models.CharField(max_length=10, choices=Interval.choices)
    trial_days = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Free, before the first period.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "product"], name="a_product_is_one_plan")]
        indexes = [models.Index(fields=["tenant", "tier"], name="plan_of_tier")]

    def __str__(self) -> str:
        return f"{self.product_id} / {self.interval}"


class PaymentMethod(TenantOwned):
    """What a member pays by without being asked again: kept by the provider, known to us by its reference."""

    class State(models.TextChoices):
        NEW = "new", "the provider may not know of it"
        OPEN = "open", "the member can agree to it"
        SAVED = "saved"
        REFUSED = "refused", "declined for good"
        REMOVED = "removed", "by the member, to be charged no more"

    member = TenantForeignKey(Member)
    provider = models.CharField(max_length=20)
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    checkout_url = models.CharField(max_length=2_000, blank=True, help_text="Where the member agrees to it.")
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    made_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True, help_text="When the provider had let go of it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_method_is_asked_for_once"),
            models.CheckConstraint(
                condition=~Q(state="removed") | Q(removed_at__isnull=False), name="what_was_removed_says_when"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["saved", "refused"]) | ~Q(reference=""), name="a_saved_method_has_a_reference"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "member", "-id"], name="method_newest")]

    def __str__(self) -> str:
        return self.key

    @property
    def can_be_charged(self) -> bool:
        return self.state == self.State.SAVED


class Subscription(TenantOwned):
    """A member of a tier. Whoever changes anything about it holds this row; where an order is held too, that first.

    The period is the last one that was paid or is a trial; what has to be done about it next is due at `due_at`.
    """

    class State(models.TextChoices):
        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due", "the last charge failed"
        PAUSED = "paused"
        CANCELLED = "cancelled"
        EXPIRED = "expired", "it was not paid, or not to be renewed"

    viewer = TenantForeignKey(Member)
    tier = TenantForeignKey(Tier)
    plan = TenantForeignKey(Plan)
    next_plan = TenantForeignKey(Plan, null=True, blank=True, help_text="From the next period on.")
    state = models.CharField(max_length=10, choices=State.choices)
    anchor = models.PositiveSmallIntegerField(help_text="The day of the month on which periods begin.")
    starts_at = models.DateTimeField(help_text="Of the present period.")
    ends_at = models.DateTimeField(help_text="Of the present period.")
    renews = models.BooleanField(default=True, db_default=True, help_text="Not: it ends with the present period.")
    method = TenantForeignKey(PaymentMethod, null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Charges declined for this period.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When something is to be done next.")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "viewer", "tier"],
                condition=Q(renews=True) & ~Q(state__in=["cancelled", "expired"]),
                name="a_tier_is_renewed_once_for_a_member",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_period_takes_time"),
            models.CheckConstraint(condition=Q(anchor__gte=1, anchor__lte=31), name="an_anchor_is_a_day_of_the_month"),
            models.CheckConstraint(
                condition=Q(state__in=["cancelled", "expired"], ended_at__isnull=False, due_at=None)
                | (~Q(state__in=["cancelled", "expired"]) & Q(ended_at=None)),
                name="what_is_over_says_since_when",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "due_at", "id"], condition=Q(due_at__isnull=False), name="subscription_due"),
            models.Index(fields=["tenant", "viewer", "-id"], name="subscription_newest"),
        ]

    def __str__(self) -> str:
        return f"subscription {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None

    @property
    def needs_method(self) -> bool:
        """Whether it is to be renewed, and there is nothing to charge it to."""
        return self.renews and not self.is_over and not (self.method and self.method.can_be_charged)


class Period(TenantOwned):
    """What a member gets of a plan for one order: from then until then. Without an order it is a trial."""

    class Kind(models.TextChoices):
        FIRST = "first"
        TRIAL = "trial"
        RENEWAL = "renewal"
        UPGRADE = "upgrade"
        GIFT = "gift"

    subscription = TenantForeignKey(Subscription, related_name="periods")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    plan = TenantForeignKey(Plan)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    order = TenantForeignKey(Order, null=True, blank=True, related_name="periods")
    source = models.CharField(max_length=60, blank=True, help_text="What its access is granted by.")
    credited = TenantForeignKey("self", null=True, blank=True, help_text="The period whose rest was counted in.")
    credit = models.BigIntegerField(default=0, db_default=0, help_text="How much that was, in minor units.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "subscription", "starts_at"], name="a_period_is_invoiced_once"),
            models.UniqueConstraint(fields=["tenant", "order"], name="an_order_pays_for_one_period"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_paid_period_takes_time"),
            models.CheckConstraint(
                condition=Q(credited=None, credit=0) | Q(credited__isnull=False, credit__gte=0),
                name="a_credit_is_of_a_period",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "credited"], name="period_credited")]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.starts_at:%Y-%m-%d}"


class GiftMembership(TenantOwned):
    """A period of a plan that somebody pays for another member; it is not renewed."""

    order = TenantForeignKey(Order)
    plan = TenantForeignKey(Plan)
    to = TenantForeignKey(Member)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "order"], name="an_order_is_one_gift")]

    def __str__(self) -> str:
        return f"{self.order_id} → {self.to_id}"


class SubscriptionChange(TenantOwned):
    """What was done to a subscription: by whom (none: by the clock), when and why."""

    subscription = TenantForeignKey(Subscription, related_name="changes")
    by = TenantForeignKey(Member, null=True, blank=True)
    what = models.CharField(max_length=30)
    before = models.CharField(max_length=10, blank=True, choices=Subscription.State.choices)
    after = models.CharField(max_length=10, choices=Subscription.State.choices)
    why = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="what_was_done_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "subscription", "-id"], name="subscription_change_newest")]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.what}"
