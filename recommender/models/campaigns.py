"""What is said to some viewers, and to part of them not, so that what it brings can be told."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from billing.models import Coupon
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.groups import ViewerGroup
from recommender.models.portraits import Segment


class Campaign(TenantOwned):
    """Something is told to the viewers of a group, of a segment or likely to leave, but for some who are held out.

    The platform tells it by notices, or something else that reads whom to reach; what the reached do more than the
    held-out is what it brings.
    """

    name = models.SlugField(max_length=60, help_text="Viewers are dealt by it; another name deals anew.")
    group = TenantForeignKey(ViewerGroup, null=True, blank=True, help_text="Only the viewers of whom its rules hold.")
    segment = TenantForeignKey(Segment, null=True, blank=True, help_text="Only its viewers.")
    least_churn = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Only viewers whose chance to leave is as high.",
    )
    message = models.TextField(max_length=1_000, help_text="What is sent or offered.")
    message_zh = models.TextField(max_length=1_000, blank=True, help_text="The same in Chinese, if it is not.")
    message_en = models.TextField(max_length=1_000, blank=True, help_text="The same in English, if it is not.")
    link = models.CharField(max_length=200, blank=True, help_text="A page of the site, from its first /.")
    coupon = TenantForeignKey(Coupon, null=True, blank=True, help_text="Given to those whom it is told.")
    is_sent_here = models.BooleanField(default=False, help_text="The platform tells it, by notices.")
    held_out = models.FloatField(help_text="The share of those viewers who are left in peace.")
    days = models.PositiveSmallIntegerField(help_text="For how long what they do is counted.")
    reached = models.PositiveIntegerField(default=0, help_text="Viewers.")
    spared = models.PositiveIntegerField(default=0, help_text="Viewers who were held out.")
    begun_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="From then on nobody is told.")
    figures = models.JSONField(default=dict, help_text="What it had brought when it was last read; nothing before.")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="a_name_is_one_campaign"),
            models.CheckConstraint(
                condition=Q(group__isnull=False) | Q(segment__isnull=False) | Q(least_churn__isnull=False),
                name="a_campaign_says_whom_it_is_for",
            ),
            models.UniqueConstraint(fields=["tenant", "coupon"], name="a_coupon_is_of_one_campaign"),
            models.CheckConstraint(condition=Q(link="") | Q(link__startswith="/"), name="a_campaign_leads_to_the_site"),
            models.CheckConstraint(
                condition=Q(coupon=None) | Q(is_sent_here=True), name="who_sends_it_gives_the_coupon"
            ),
            models.CheckConstraint(condition=Q(held_out__gt=0, held_out__lt=1), name="a_campaign_holds_some_out"),
        ]

    def __str__(self) -> str:
        return self.name

    def told_in(self, language: str) -> str:
        """Return what it says in the language, or else in the one that it was written in."""
        said = self.message_zh if language.startswith("zh") else self.message_en
        return said or self.message


class Addressee(TenantOwned):
    """A viewer whom a campaign is for, and whether they were held out."""

    campaign = TenantForeignKey(Campaign, on_delete=models.CASCADE)
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    is_held_out = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "campaign", "viewer"], name="a_campaign_is_for_a_viewer_once")
        ]

    def __str__(self) -> str:
        return str(self.viewer_id)
