"""What was watched."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from catalog.models.items import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Source(models.TextChoices):
    """Where a viewer found something. There is no other, so that figures by source stay few, whoever tells them."""

    UNTOLD = "", "not told"
    FEED = "feed"
    FOLLOWING = "following", "what the creators one follows have published"
    RELATED = "related", "shown beside or after another item"
    SEARCH = "search"
    PROFILE = "profile", "a creator's profile"
    COURSE = "course", "a course's page"
    SHARE = "share", "shared by somebody"
    NOTIFICATION = "notification"
    AD = "ad"
    EXTERNAL = "external", "a page elsewhere"
    DIRECT = "direct", "its own address"
    OTHER = "other"

    @classmethod
    def of(cls, told: str) -> str:
        """Return what is stored of a word that a client tells: the word itself, or `other` for any that is not here."""
        return told if told in _SOURCES else cls.OTHER.value

    @classmethod
    def explained(cls) -> str:
        """Return what clients read about it."""
        return f"Where it was found: {', '.join(filter(None, cls.values))}. Any other word is stored as `other`."


_SOURCES = frozenset(Source.values)


class Watch(TenantOwned):
    """One viewing of an item. Rows that break a cleaning rule stay here, marked with the rule, and count nowhere."""

    class Quarantine(models.TextChoices):
        CLEAN = "", "clean"
        DUPLICATE = "duplicate"
        IMPOSSIBLE_DURATION = "impossible_duration"
        TOO_FAST = "too_fast"
        SELF_VIEW = "self_view"
        BOT = "bot"
        CLOCK_SKEW = "clock_skew"

    class Device(models.IntegerChoices):
        UNKNOWN = 0
        PHONE = 1
        TABLET = 2
        DESKTOP = 3
        TV = 4, "TV"

    class Network(models.IntegerChoices):
        UNKNOWN = 0
        WIFI = 1, "Wi-Fi"
        CELLULAR = 2

    event_id = models.UUIDField(help_text="Made by the client: sent again, it is the same watch.")
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()
    watch_ms = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField(help_text="Of the item, when it was watched.")
    source = models.CharField(max_length=20, blank=True, help_text="Where it was found: feed, profile, search …")
    session = models.CharField(max_length=40, blank=True)
    device = models.SmallIntegerField(choices=Device.choices, default=Device.UNKNOWN, db_default=Device.UNKNOWN)
    network = models.SmallIntegerField(choices=Network.choices, default=Network.UNKNOWN, db_default=Network.UNKNOWN)
    quarantine = models.CharField(max_length=20, choices=Quarantine.choices, default=Quarantine.CLEAN, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "viewer", "event_id"], name="a_watch_is_stored_once")]
        indexes = [
            models.Index(fields=["tenant", "viewer", "started_at", "id"], name="watch_of_viewer"),
            models.Index(fields=["tenant", "started_at"], name="watch_when"),
            BrinIndex(fields=["received_at"], name="watch_received"),
            models.Index(fields=["tenant", "quarantine", "-id"], condition=~Q(quarantine=""), name="watch_quarantined"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} watched {self.item_id}"
