"""Who advertises, and what: campaign → flight → creative."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from billing.money import Money
from catalog.models import Topic
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned

MICROS = 1_000_000  # of a minor unit
CLOSED = -1  # of an ended campaign's flights: less than any has reserved and spent


class Advertiser(TenantOwned):
    """Who pays for ads, out of a prepaid balance in the ledger; a member acts for them."""

    member = TenantForeignKey(Member)
    name = models.CharField(max_length=200, help_text="As it is shown beside the word 广告.")
    made_at = models.DateTimeField()
    blocked_at = models.DateTimeField(null=True, blank=True, help_text="None of their ads stands anywhere since then.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "member"], name="a_member_is_one_advertiser")]

    def __str__(self) -> str:
        return self.name


class Campaign(TenantOwned):
    """What an advertiser wants in a span of time, and how often the same viewer may see it."""

    class Tier(models.TextChoices):
        SPONSORSHIP = "sponsorship", "sponsorship: before all others, at its own price"
        AUCTION = "auction"
        HOUSE = "house", "the tenant's own: where nobody pays"

    class State(models.TextChoices):
        DRAFT = "draft"
        LIVE = "live"
        PAUSED = "paused"
        ENDED = "ended"

    advertiser = TenantForeignKey(Advertiser)
    name = models.CharField(max_length=200)
    tier = models.CharField(max_length=12, choices=Tier.choices, default=Tier.AUCTION)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    per_day = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text="Times a viewer sees it in a day, at most."
    )
    per_session = models.PositiveSmallIntegerField(default=2, validators=[MinValueValidator(1)])
    per_viewer = models.PositiveIntegerField(
        default=50, validators=[MinValueValidator(1)], help_text="Times a viewer sees it in all."
    )
    shuns = ArrayField(
        models.SlugField(max_length=60), default=list, blank=True, help_text="Topics that it does not stand beside."
    )
    committed = models.BigIntegerField(default=0, help_text="Set aside of the balance for it, in minor units …")
    given_back = models.BigIntegerField(null=True, blank=True, help_text="… and what of it came back at its end.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_campaign_ends_after_its_start"),
            models.CheckConstraint(
                condition=Q(per_day__gt=0, per_session__gt=0, per_viewer__gt=0), name="a_campaign_may_be_seen"
            ),
            models.CheckConstraint(
                condition=Q(committed__gte=0)
                & (Q(given_back=None) | Q(given_back__gte=0, given_back__lte=F("committed"))),
                name="no_more_comes_back_than_was_set_aside",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "advertiser", "-id"], name="ad_campaign_newest"),
            models.Index(fields=["tenant", "ends_at"], condition=Q(state="live"), name="ad_campaign_live"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_paid(self) -> bool:
        return self.tier != self.Tier.HOUSE


class CampaignChange(TenantOwned):
    """Who changed a campaign's state or terms, when, and why."""

    campaign = TenantForeignKey(Campaign)
    by = TenantForeignKey(Member, null=True, blank=True, help_text="None: the clock.")
    what = models.CharField(max_length=40)
    reason = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_change_of_a_campaign_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "campaign", "-id"], name="ad_campaign_change")]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.what}"


class Flight(TenantOwned):
    """A budget of a campaign: what is bid for which event, on whom and where.

    Its money is counted in micros. What is offered is reserved at once, so `reserved + spent` never passes the budget:
    the database holds it.
    """

    class PaysFor(models.TextChoices):
        VIEWS = "views", "a thousand views (CPM)"
        CLICK = "click", "a click (CPC)"
        WATCH = "watch", "a video watched through (CPV)"

    campaign = TenantForeignKey(Campaign)
    name = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    budget = models.BigIntegerField(help_text="In minor units; of a house ad 0.")
    daily = models.BigIntegerField(null=True, blank=True, help_text="At most so much a day, in minor units.")
    pays_for = models.CharField(max_length=8, choices=PaysFor.choices, default=PaysFor.VIEWS)
    bid = models.BigIntegerField(help_text="In minor units for that, at most; of a house ad 0.")
    is_even = models.BooleanField(default=True, help_text="Spent like viewers come, not as soon as can be.")
    placements = ArrayField(models.CharField(max_length=20), default=list, blank=True, help_text="None: any.")
    topics = ArrayField(models.SlugField(max_length=60), default=list, blank=True, help_text="What it stands beside.")
    segments = ArrayField(models.SlugField(max_length=60), default=list, blank=True, help_text="Of viewers.")
    languages = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    devices = ArrayField(models.SmallIntegerField(), default=list, blank=True)
    hours = ArrayField(models.SmallIntegerField(), default=list, blank=True, help_text="Of the tenant's day, 0 to 23.")
    countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text="Of viewers, as ISO 3166 has them."
    )
    reserved = models.BigIntegerField(default=0, help_text="Offered and not yet decided, in micros.")
    expected = models.BigIntegerField(default=0, help_text="What of the reserved is likely to be spent, in micros.")
    spent = models.BigIntegerField(default=0, help_text="Billed, in micros.")
    today = models.DateField(null=True, blank=True, help_text="The tenant's day on which it was billed last …")
    spent_today = models.BigIntegerField(default=0, help_text="… and what was billed on that day, in micros.")
    charged = models.BigIntegerField(default=0, help_text="Taken from the balance, in whole minor units.")
    pace = models.FloatField(default=1.0, help_text="What its bids are multiplied with, from 0 to 1.")
    ceiling = models.BigIntegerField(
        null=True, blank=True, default=0, help_text="Spent by now at most, in micros; none: all of it at any time."
    )
    tonight = models.BigIntegerField(
        null=True, blank=True, help_text="Reserved and spent by the day's end at most, in micros; none: as it comes."
    )
    looked_at = models.DateTimeField(null=True, blank=True, help_text="When its pace was last set …")
    looked_spent = models.BigIntegerField(default=0, help_text="… and what it had spent by then, in micros.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_flight_ends_after_its_start"),
            models.CheckConstraint(
                condition=Q(expected__gte=0, expected__lte=F("reserved"), spent__gte=0, charged__gte=0),
                name="a_flight_counts_from_nothing",
            ),
            models.CheckConstraint(
                condition=Q(reserved__lte=F("budget") * MICROS - F("spent")), name="a_flight_keeps_to_its_budget"
            ),
            models.CheckConstraint(
                condition=Q(spent__gte=F("charged") * MICROS), name="no_more_is_charged_than_was_billed"
            ),
            models.CheckConstraint(condition=Q(pace__gt=0, pace__lte=1), name="a_pace_is_a_share"),
        ]
        indexes = [models.Index(fields=["tenant", "campaign", "id"], name="ad_flight_campaign")]

    def __str__(self) -> str:
        return self.name

    def money(self, currency: str) -> Money:
        """Return the budget."""
        return Money(self.budget, currency)


class Creative(TenantOwned):
    """What is shown: a video, a picture or a card, once staff have approved it."""

    class Format(models.TextChoices):
        VIDEO = "video"
        IMAGE = "image"
        CARD = "card", "a card in the feed"

    class State(models.TextChoices):
        WAITING = "waiting", "to be looked at"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    flight = TenantForeignKey(Flight)
    format = models.CharField(max_length=5, choices=Format.choices)
    title = models.CharField(max_length=100)
    text = models.CharField(max_length=300, blank=True)
    media_url = models.URLField(max_length=500, blank=True, help_text="Of the video or the picture.")
    link_url = models.URLField(max_length=500, help_text="Where a click leads.")
    duration_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Of a video.")
    topic = TenantForeignKey(Topic, null=True, blank=True, help_text="What it is about: who likes that, likes it more.")
    language = models.CharField(max_length=10, default="zh-hans")
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was rejected.")
    decided_by = TenantForeignKey(Member, null=True, blank=True)
    views = models.BigIntegerField(default=0)
    clicks = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(format="video") | Q(duration_ms__gt=0), name="a_video_ad_has_a_duration"
            ),
            models.CheckConstraint(
                condition=Q(format="card") | ~Q(media_url=""), name="a_video_or_picture_ad_says_where_it_lies"
            ),
            models.CheckConstraint(condition=~Q(state="rejected") | ~Q(reason=""), name="a_rejection_says_why"),
        ]
        indexes = [
            models.Index(fields=["tenant", "flight", "id"], name="ad_creative_flight"),
            models.Index(fields=["tenant", "state", "id"], name="ad_creative_state"),
        ]

    def __str__(self) -> str:
        return self.title


def micros_of(bid: int, pays_for: str) -> int:
    """Return what is bid for one event, in micros."""
    return bid * MICROS // (1_000 if pays_for == Flight.PaysFor.VIEWS else 1)
