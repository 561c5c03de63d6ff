"""What is sold in monthly parts: who offers it, who pays so, and part by part."""

from django.db import models
from django.db.models import F, Q

from billing.models.memberships import PaymentMethod
from billing.models.products import Product, one_thing
from billing.models.sales import Order
from billing.money import Money
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned

FEWEST, MOST = 2, 12  # parts


class InstalmentOffer(TenantOwned):
    """Its seller takes the price of an item or a product in so many monthly parts too."""

    item = TenantForeignKey(Item, null=True, blank=True)
    product = TenantForeignKey(Product, null=True, blank=True)
    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: it is the tenant's own.")
    parts = models.PositiveSmallIntegerField(help_text="In how many months it is paid.")
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()
    withdrawn_by = TenantForeignKey(Member, null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_thing(), name="an_offer_of_parts_is_of_one_thing"),
            models.CheckConstraint(condition=Q(parts__gte=FEWEST, parts__lte=MOST), name="there_are_2_to_12_parts"),
            models.UniqueConstraint(
                fields=["tenant", "item"], condition=Q(withdrawn_at=None), name="an_item_is_offered_in_parts_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "product"], condition=Q(withdrawn_at=None), name="a_product_is_offered_in_parts_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item or self.product} / {self.parts}"


class InstalmentPlan(TenantOwned):
    """Somebody pays for a thing month by month. Who changes it holds this row; where an order is held too, that first.

    It is theirs from the first part on, until they default. What has to be done next is due at `due_at`.
    """

    class State(models.TextChoices):
        PLACED = "placed", "the first part was not paid yet"
        ACTIVE = "active"
        PAST_DUE = "past_due", "the last charge failed"
        DEFAULTED = "defaulted", "given up; what is owed opens it again"
        PAID = "paid"
        FORGIVEN = "forgiven", "nothing more is asked for"
        RETURNED = "returned", "all that was paid was given back"

    viewer = TenantForeignKey(Member)
    item = TenantForeignKey(Item, null=True, blank=True)
    product = TenantForeignKey(Product, null=True, blank=True)
    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: it is the tenant's own.")
    amount = models.BigIntegerField(help_text="Σ of all parts: what the buyer pays, in minor units.")
    currency = models.CharField(max_length=3)
    count = models.PositiveSmallIntegerField(help_text="How many parts there are.")
    paid = models.PositiveSmallIntegerField(default=0, help_text="How many of them were paid.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLACED)
    anchor = models.PositiveSmallIntegerField(default=1, help_text="The day of the month on which parts fall due.")
    method = TenantForeignKey(PaymentMethod, null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0, help_text="Charges declined for this part.")
    opened = models.PositiveSmallIntegerField(default=0, help_text="How often it was opened to the buyer.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When something is to be done next.")
    placed_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True, blank=True, help_text="When the first part was paid.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_thing(), name="a_plan_is_of_one_thing"),
            models.CheckConstraint(
                condition=Q(count__gte=FEWEST, count__lte=MOST, amount__gte=F("count"), paid__lte=F("count")),
                name="each_part_of_a_plan_is_something",
            ),
            models.CheckConstraint(condition=Q(anchor__gte=1, anchor__lte=31), name="parts_fall_due_on_a_day"),
            models.CheckConstraint(condition=~Q(state="paid") | Q(paid=F("count")), name="what_is_paid_is_paid_wholly"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "past_due", "defaulted"]) | Q(due_at=None),
                name="nothing_is_due_of_what_is_over",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["paid", "forgiven", "returned"], ended_at__isnull=False)
                | (~Q(state__in=["paid", "forgiven", "returned"]) & Q(ended_at=None)),
                name="a_plan_that_is_over_says_since_when",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "due_at", "id"], condition=Q(due_at__isnull=False), name="plan_due"),
            models.Index(fields=["tenant", "viewer", "-id"], name="plan_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.item or self.product} / {self.count}"

    @property
    def sold(self) -> Item | Product:
        """What is paid for."""
        thing: Item | Product = self.item or self.product
        return thing

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def parts_of_price(self) -> tuple[Money, ...]:
        """What each part costs; they sum to the price."""
        return self.money.split(*[1] * self.count)

    @property
    def needs_method(self) -> bool:
        """Whether parts are still to be paid, and there is nothing to charge them to."""
        owes = self.state in {self.State.ACTIVE, self.State.PAST_DUE}
        return owes and not (self.method and self.method.can_be_charged)

    @property
    def source(self) -> str:
        """What the access is granted by since it was opened last: what was revoked stays revoked."""
        return f"instalments:{self.pk}:{self.opened}"


class InstalmentPart(TenantOwned):
    """An order that pays for a part of a plan, or for all parts from this one on."""

    plan = TenantForeignKey(InstalmentPlan, related_name="parts")
    number = models.PositiveSmallIntegerField(help_text="The first part that it pays for, from 1 on.")
    through = models.PositiveSmallIntegerField(help_text="The last one.")
    is_rest = models.BooleanField(default=False, help_text="The buyer asked for it before it was due.")
    order = TenantForeignKey(Order, related_name="instalment_parts")
    due_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True, help_text="Declined before it was due: never asked for.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "plan", "number"], condition=Q(voided_at=None), name="a_part_is_asked_for_once"
            ),
            models.UniqueConstraint(fields=["tenant", "order"], name="an_order_pays_for_one_part"),
            models.CheckConstraint(
                condition=Q(number__gte=1) & (Q(through=F("number")) | Q(is_rest=True, through__gt=F("number"))),
                name="a_part_is_one_or_the_rest",
            ),
            models.CheckConstraint(condition=Q(voided_at=None) | Q(is_rest=True), name="what_is_due_is_not_voided"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.number}"
