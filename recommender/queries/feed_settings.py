"""How a tenant's feed is put together."""

from django.db.models import QuerySet

from recommender.ml.feed_settings import DEFAULTS, Settings
from recommender.models import FeedSettings, FeedSettingsChange


def feed_settings() -> Settings:
    """Return how the tenant's feed is put together; the defaults while nobody has said otherwise."""
    row = FeedSettings.objects.first()
    return row.plain if row else DEFAULTS


def feed_settings_changes() -> QuerySet[FeedSettingsChange]:
    """Return who changed that, the latest first."""
    return FeedSettingsChange.objects.select_related("by").order_by("-pk")
