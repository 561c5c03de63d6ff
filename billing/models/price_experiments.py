"""Prices that are tried: of what, who was shown which, and what was bought at it."""

from django.db import models
from django.db.models import F, Q

from billing.models.products import Product, one_thing
from billing.models.sales import OrderLine
from billing.money import WHOLE_BPS, Money
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class PriceExperiment(TenantOwned):
    """Some prices of one thing are tried until then.

    Who sees which is dealt by its name, the moment it began and their id, by nothing else. The highest is what the
    thing costs, so nobody pays more because of it.
    """

    class State(models.TextChoices):
        RUNNING = "running", "prices are tried"
        ENDED = "ended", "it costs for everybody what it did"
        ADOPTED = "adopted", "one of the prices holds for everybody"

    name = models.SlugField(max_length=60, help_text="Viewers are dealt by it; another name deals anew.")
    item = TenantForeignKey(Item, null=True, blank=True)
    product = TenantForeignKey(Product, null=True, blank=True)
    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: it is the tenant's own.")
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    made_by = TenantForeignKey(Member)
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="By then it is over, if nobody ends it before.")
    ended_at = models.DateTimeField(null=True, blank=True)
    adopted = models.CharField(max_length=1, blank=True, default="", help_text="Of which arm the price holds since.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=one_thing(), name="prices_are_tried_of_one_thing"),
            models.UniqueConstraint(fields=["tenant", "name"], name="a_name_is_one_price_experiment"),
            models.UniqueConstraint(
                fields=["tenant", "item"], condition=Q(state="running"), name="an_item_has_one_price_experiment"
            ),
            models.UniqueConstraint(
                fields=["tenant", "product"], condition=Q(state="running"), name="a_product_has_one_price_experiment"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("began_at")), name="prices_are_tried_for_a_time"),
            models.CheckConstraint(
                condition=Q(state="running", ended_at=None) | (~Q(state="running") & Q(ended_at__isnull=False)),
                name="prices_that_are_not_tried_any_more_say_since_when",
            ),
            models.CheckConstraint(
                condition=(Q(state="adopted") & ~Q(adopted="")) | (~Q(state="adopted") & Q(adopted="")),
                name="what_is_adopted_is_an_arms_price",
            ),
            AppendOnly(name="what_is_tried_is_never_changed", updatable=("state", "ended_at", "adopted")),
        ]
        indexes = [models.Index(fields=["tenant", "ends_at"], name="price_experiment_ends")]

    def __str__(self) -> str:
        return self.name

    @property
    def sold(self) -> Item | Product:
        """What the prices are of."""
        thing: Item | Product = self.item or self.product
        return thing


class PriceArm(TenantOwned):
    """One of the prices that are tried, and the share of viewers who see it. The first is what the thing costs."""

    experiment = TenantForeignKey(PriceExperiment, related_name="arms")
    name = models.CharField(max_length=1, help_text="A is what the thing costs; B, C and D cost less and less.")
    amount = models.BigIntegerField(help_text="In minor units.")
    share = models.PositiveIntegerField(help_text="Of all viewers, in hundredths of a percent.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "experiment", "name"], name="an_arm_has_a_name_of_its_own"),
            models.UniqueConstraint(fields=["tenant", "experiment", "amount"], name="a_price_is_tried_in_one_arm"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_tried_price_is_more_than_nothing"),
            models.CheckConstraint(condition=Q(share__gt=0, share__lt=WHOLE_BPS), name="an_arm_has_a_part_of_viewers"),
            AppendOnly(name="a_tried_price_is_never_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.experiment_id} {self.name}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.experiment.currency)


class PriceShown(TenantOwned):
    """A viewer was shown a tried price for the first time; who never was counts in no comparison."""

    experiment = TenantForeignKey(PriceExperiment)
    arm = TenantForeignKey(PriceArm)
    viewer = TenantForeignKey(Member)
    shown_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "experiment", "viewer"], name="a_viewer_is_shown_one_price"),
            AppendOnly(name="what_was_shown_stays"),
        ]
        indexes = [models.Index(fields=["tenant", "arm"], name="price_shown_arm")]

    def __str__(self) -> str:
        return f"{self.viewer_id}: {self.arm_id}"


class TriedLine(TenantOwned):
    """A line of an order at a tried price: of which arm, and the price before a coupon.

    Of a price that is paid in parts, it is the line of the first one.
    """

    line = TenantForeignKey(OrderLine, related_name="tried")
    arm = TenantForeignKey(PriceArm)
    amount = models.BigIntegerField(help_text="The price, in minor units.")
    added_tax = models.BigIntegerField(default=0, help_text="The tax on it, where it is added to prices.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "line"], name="a_line_has_one_tried_price"),
            models.CheckConstraint(condition=Q(amount__gt=0, added_tax__gte=0), name="a_tried_line_has_a_price"),
            AppendOnly(name="a_tried_line_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "arm"], name="tried_line_arm")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.arm_id}"
