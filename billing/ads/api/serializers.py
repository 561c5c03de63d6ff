"""What comes in and what goes out."""

from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers

from billing.ads.models import Advertiser, Campaign, CampaignChange, Creative, Credit, Flight, Offer, Share
from billing.ads.operations import Caps, Target
from billing.ads.operations.reporting import STAMPS
from billing.ads.queries.traffic import Today, today_of, traffic_of_day
from billing.money import EXPONENTS
from kpplatform.rest.pagination import LARGEST_PAGE, PAGE_SIZE
from kpplatform.rest.serializers import Asked, In
from kpplatform.tenancy.scope import current_tenant

MOST_EVENTS = 100
MOST_MINOR = 10**12


class Words(serializers.ListField):
    """A few short words."""

    child = serializers.SlugField(max_length=60, allow_unicode=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=100, **kwargs)


class AdvertiserIn(In):
    name = serializers.CharField(max_length=200, help_text="As viewers see it beside the word 广告 (Ad).")


class AdvertiserOut(serializers.ModelSerializer[Advertiser]):
    class Meta:
        model = Advertiser
        fields = ["id", "name", "made_at", "blocked_at"]


class TopUpIn(In):
    amount = serializers.IntegerField(min_value=1, max_value=MOST_MINOR, help_text="In minor units.")
    currency = serializers.ChoiceField(sorted(EXPONENTS))


class CurrencyIn(In):
    currency = serializers.ChoiceField(sorted(EXPONENTS))


class BlockIn(In):
    reason = serializers.CharField(max_length=200)


class AdCampaignIn(In):
    advertiser = serializers.IntegerField(required=False, help_text="Who asks, if not given.")
    name = serializers.CharField(max_length=200)
    tier = serializers.ChoiceField(Campaign.Tier.choices, default=Campaign.Tier.AUCTION)
    currency = serializers.ChoiceField(sorted(EXPONENTS))
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    per_day = serializers.IntegerField(min_value=1, max_value=1_000, default=Caps.per_day)
    per_session = serializers.IntegerField(min_value=1, max_value=1_000, default=Caps.per_session)
    per_viewer = serializers.IntegerField(min_value=1, max_value=100_000, default=Caps.per_viewer)
    shuns = Words(help_text="Topics, by slug, beside which it does not stand.")


class FlightIn(In):
    name = serializers.CharField(max_length=200)
    budget = serializers.IntegerField(min_value=0, max_value=MOST_MINOR, help_text="In minor units.")
    daily = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_MINOR, help_text="At most so much of it a day."
    )
    pays_for = serializers.ChoiceField(Flight.PaysFor.choices, default=Flight.PaysFor.VIEWS)
    bid = serializers.IntegerField(min_value=0, max_value=MOST_MINOR, help_text="In minor units, for that, at most.")
    starts_at = serializers.DateTimeField(required=False, help_text="With the campaign, if not given.")
    ends_at = serializers.DateTimeField(required=False)
    is_even = serializers.BooleanField(default=True, help_text="Spent like viewers come, not as soon as can be.")
    placements = Words()
    topics = Words(help_text="What it stands beside, by slug.")
    segments = Words(help_text="Of viewers who agreed to be known by them.")
    languages = Words()
    devices = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=9), required=False)
    hours = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=23), required=False, max_length=24
    )
    countries = serializers.ListField(
        child=serializers.CharField(max_length=2), required=False, max_length=250, help_text="ISO 3166, of who agreed."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Put together what says whom it is for."""
        target = Target(**{name: tuple(attrs.pop(name)) for name in Target.__annotations__ if name in attrs})
        return attrs | {"target": target}


class FlightOut(serializers.ModelSerializer[Flight]):
    spent_today = serializers.SerializerMethodField(help_text="Micros, since the tenant's midnight.")
    planned_today = serializers.SerializerMethodField(help_text="Micros by now; null: as soon as can be.")

    class Meta:
        model = Flight
        fields = [
            "id", "name", "budget", "daily", "pays_for", "bid", "starts_at", "ends_at", "is_even", "placements",
            "topics", "segments", "languages", "devices", "hours", "countries", "charged", "spent", "reserved",
            "spent_today", "planned_today",
        ]  # fmt: skip

    def get_spent_today(self, flight: Flight) -> int:
        return self._today(flight).spent

    def get_planned_today(self, flight: Flight) -> int | None:
        return self._today(flight).planned

    def _today(self, flight: Flight) -> Today:
        at = timezone.now()
        return today_of(flight, traffic=traffic_of_day(at=at), zone=ZoneInfo(current_tenant().time_zone), at=at)


class AdCampaignOut(serializers.ModelSerializer[Campaign]):
    advertiser = AdvertiserOut()

    class Meta:
        model = Campaign
        fields = [
            "id", "advertiser", "name", "tier", "currency", "state", "starts_at", "ends_at", "per_day", "per_session",
            "per_viewer", "shuns", "committed", "given_back", "made_at",
        ]  # fmt: skip


class AdChangeOut(serializers.ModelSerializer[CampaignChange]):
    by = serializers.CharField(allow_null=True)

    class Meta:
        model = CampaignChange
        fields = ["id", "by", "what", "reason", "changed_at"]


class ReasonIn(In):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class RejectionIn(In):
    reason = serializers.CharField(max_length=200)


class CreditIn(In):
    amount = serializers.IntegerField(min_value=1, max_value=MOST_MINOR)
    reason = serializers.ChoiceField(Credit.Reason.choices)
    note = serializers.CharField(max_length=200)


class CreditOut(serializers.ModelSerializer[Credit]):
    class Meta:
        model = Credit
        fields = ["id", "amount", "currency", "reason", "note", "credited_at"]


class CreativeIn(In):
    flight = serializers.IntegerField()
    format = serializers.ChoiceField(Creative.Format.choices)
    title = serializers.CharField(max_length=100)
    text = serializers.CharField(max_length=300, required=False, allow_blank=True)
    media_url = serializers.URLField(max_length=500, required=False, help_text="Of the video or the picture.")
    link_url = serializers.URLField(max_length=500)
    duration_ms = serializers.IntegerField(required=False, min_value=1, max_value=600_000)
    topic = serializers.SlugField(required=False, max_length=60)
    language = serializers.SlugField(required=False, max_length=10)


class CreativeOut(serializers.ModelSerializer[Creative]):
    topic = serializers.CharField(source="topic.slug", allow_null=True, default=None)

    class Meta:
        model = Creative
        fields = [
            "id", "flight", "format", "title", "text", "media_url", "link_url", "duration_ms", "topic", "language",
            "state", "reason", "views", "clicks", "made_at",
        ]  # fmt: skip


class AdEventIn(In):
    token = serializers.CharField(max_length=300)
    kind = serializers.ChoiceField(sorted(STAMPS))
    share = serializers.FloatField(required=False, min_value=0, max_value=1, help_text="Of the ad on the screen.")
    ms = serializers.IntegerField(required=False, min_value=0, max_value=3_600_000, help_text="For how long.")


class AdEventsIn(In):
    events = serializers.ListField(child=AdEventIn(), max_length=MOST_EVENTS)


class AdEventOut(serializers.Serializer[Any]):
    token = serializers.CharField()
    is_counted = serializers.BooleanField()
    code = serializers.CharField(allow_blank=True, help_text="Why not, if it is not.")


class HeldOut(serializers.ModelSerializer[Offer]):
    class Meta:
        model = Offer
        fields = ["id", "campaign", "flight", "viewer", "odd", "price", "offered_at", "viewed_at", "clicked_at"]


class DecisionIn(In):
    bill = serializers.BooleanField(help_text="Bill it; else its money is set free.")


class AdShareOut(serializers.ModelSerializer[Share]):
    day = serializers.DateField(source="sharing.day")
    currency = serializers.CharField(source="sharing.currency")
    taken_back = serializers.IntegerField(source="back", help_text="Of it, for what turned out to be no viewer.")

    class Meta:
        model = Share
        fields = ["id", "day", "views", "amount", "currency", "taken_back"]


class StatementIn(Asked):
    currency = serializers.ChoiceField(sorted(EXPONENTS), required=False, help_text="The tenant's, if not given.")
    since = serializers.DateTimeField(required=False, help_text="From when they began, if not given …")
    until = serializers.DateTimeField(required=False, help_text="… and until now.")
    cursor = serializers.CharField(required=False, help_text="From `next` of the page before.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_PAGE, default=PAGE_SIZE)


class AdLineOut(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    key = serializers.CharField()
    amount = serializers.IntegerField()


class AdStatementOut(serializers.Serializer[Any]):
    currency = serializers.CharField()
    opening = serializers.IntegerField(source="opening.minor")
    lines = AdLineOut(many=True, help_text="A page of them; the sums are those of the whole span.")
    next = serializers.URLField(allow_null=True, help_text="The next page of lines, if any.")
    closing = serializers.IntegerField(source="closing.minor")
    by_campaign = serializers.DictField(child=serializers.IntegerField())


class AdRulesOut(serializers.Serializer[Any]):
    viewable = serializers.CharField()
    qualified_view = serializers.CharField()
    creators_share = serializers.CharField()
    frequency = serializers.CharField()
