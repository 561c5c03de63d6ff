"""What was counted of each day and told of each week; and looks at profiles and offers: no floor below needs them."""

from django.db import models
from django.db.models import F, Q

from billing.models import Product
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class DailyFigure(TenantOwned):
    """What a metric of the dictionary was on a day: of an item, of a creator (no item), or of the tenant (neither).

    Each level is counted by itself, so that a page reads few rows; counted again from the events, it is the same.
    """

    day = models.DateField(help_text="By the tenant's clock.")
    metric = models.CharField(max_length=30)
    creator = TenantForeignKey(Creator, null=True, blank=True, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, null=True, blank=True, on_delete=models.CASCADE)
    part = models.CharField(max_length=60, blank=True, help_text="Which source, kind, currency …, as the metric says.")
    value = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "day", "metric", "creator", "item", "part"],
                nulls_distinct=False,
                name="a_figure_stands_once",
            ),
            models.CheckConstraint(condition=Q(item=None) | Q(creator__isnull=False), name="an_item_has_a_creator"),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "metric", "day"],
                condition=Q(creator=None),
                include=["part", "value"],
                name="figure_of_tenant",
            ),
            models.Index(
                fields=["tenant", "creator", "metric", "day"],
                condition=Q(creator__isnull=False, item=None),
                include=["part", "value"],
                name="figure_of_creator",
            ),
            models.Index(
                fields=["tenant", "item", "metric", "day"],
                condition=Q(item__isnull=False),
                include=["part", "value"],
                name="figure_of_item",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.day}"


class CountedDay(TenantOwned):
    """A day that was counted, and when: what came in later is counted with the next round."""

    day = models.DateField()
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="a_day_is_counted_in_one_row")]

    def __str__(self) -> str:
        return f"{self.day}"


class WeeklyReport(TenantOwned):
    """What was counted of a creator's week (or of the tenant's), what it asks for, and what became of the last one's.

    It is written once, when the week was counted to its end; what comes in later does not change it.
    """

    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: the tenant's.")
    week = models.DateField(help_text="Its Monday, by the tenant's clock.")
    currency = models.CharField(max_length=3, help_text="Of the money in it, in minor units.")
    figures = models.JSONField(help_text="The sum of each metric.")
    before = models.JSONField(help_text="The same of the week before.")
    actions = models.JSONField(help_text="What it asks for: code, measured.")
    followed = models.JSONField(help_text="What the week before asked for: code, before, after, is_better.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "week", "creator"], nulls_distinct=False, name="a_week_is_reported_once"
            ),
            models.CheckConstraint(condition=Q(week__iso_week_day=1), name="a_week_begins_on_monday"),
            AppendOnly(name="a_weekly_report_never_changes"),
        ]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="report_of_creator")]

    def __str__(self) -> str:
        return f"{self.creator_id or ''} {self.week}".strip()


class Visit(TenantOwned):
    """A viewer looked at a creator's profile, or at what an item or a product costs."""

    class Page(models.TextChoices):
        PROFILE = "profile", "a creator's profile"
        PRODUCT = "product", "what something costs"

    event_id = models.UUIDField(help_text="Made by the client: sent again, it is the same visit.")
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    page = models.CharField(max_length=10, choices=Page.choices)
    creator = TenantForeignKey(Creator, null=True, blank=True, on_delete=models.CASCADE, help_text="Whose it is.")
    item = TenantForeignKey(Item, null=True, blank=True, on_delete=models.CASCADE)
    product = TenantForeignKey(Product, null=True, blank=True, on_delete=models.CASCADE)
    source = models.CharField(max_length=20, blank=True, help_text="Where it was found: feed, profile, search …")
    visited_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "event_id"], name="a_visit_is_stored_once"),
            models.CheckConstraint(
                condition=Q(page="profile", creator__isnull=False, item=None, product=None)
                | (Q(page="product") & (Q(item=None, product__isnull=False) | Q(item__isnull=False, product=None))),
                name="a_visit_is_of_a_profile_or_a_product",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "visited_at"], name="visit_when"),
            models.Index(fields=["tenant", "received_at"], name="visit_received"),
            models.Index(
                F("tenant"), F("viewer"), F("visited_at").desc(), condition=Q(page="product"), name="visit_before_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} looked at {self.page}"
