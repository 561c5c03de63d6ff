"""What is said to some viewers, and to part of them not, so that what it brings can be told."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.portraits import Segment


class Campaign(TenantOwned):
    """Something is sent or offered to the viewers of a segment, or to those likely to leave, but for some held out.

    Whatever sends it reads whom to reach; what the reached do more than the held-out is what it brings.
    """

    name = models.SlugField(max_length=60, help_text="Viewers are dealt by it; another name deals anew.")
    segment = TenantForeignKey(Segment, null=True, blank=True, help_text="Only its viewers.")
    least_churn = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="Only viewers whose chance to leave is as high.",
    )
    message = models.TextField(max_length=1_000, help_text="What is sent or offered.")
    held_out = models.FloatField(help_text="The share of those viewers who are left in peace.")
    days = models.PositiveSmallIntegerField(help_text="For how long what they do is counted.")
    reached = models.PositiveIntegerField(default=0, help_text="Viewers.")
    spared = models.PositiveIntegerField(default=0, help_text="Viewers who were held out.")
    begun_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="a_name_is_one_campaign"),
            models.CheckConstraint(
                condition=Q(segment__isnull=False) | Q(least_churn__isnull=False), name="a_campaign_says_whom_it_is_for"
            ),
            models.CheckConstraint(condition=Q(held_out__gt=0, held_out__lt=1), name="a_campaign_holds_some_out"),
        ]

    def __str__(self) -> str:
        return self.name


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
