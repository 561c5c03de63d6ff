"""What there is, who may watch it, what was watched."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now

from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantManager, TenantOwned

LONGEST_VIDEO_MS = 15 * 60 * 1000
# What can be watched once its time has come: publishing is a time, and no job has to be in time for it.
LIVE_STATES = ["scheduled", "published"]


class Topic(TenantOwned):
    """What items are about; a topic may be part of another."""

    slug = models.SlugField(max_length=60)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60)
    parent = TenantForeignKey("self", null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "slug"], name="a_slug_names_one_topic")]

    def __str__(self) -> str:
        return f"{self.name_zh} {self.name_en}"


class Item(TenantOwned):
    """Something to watch: a short video or a course. Counters equal the count of their rows."""

    class Kind(models.TextChoices):
        VIDEO = "video"
        COURSE = "course"

    class State(models.TextChoices):
        DRAFT = "draft"
        SCHEDULED = "scheduled"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    creator = TenantForeignKey(Creator)
    topic = TenantForeignKey(Topic, null=True, blank=True)
    title = models.CharField(max_length=200)
    # A column of its own: below row-level security an index serves LIKE on a column, but not on lower(title).
    title_lower = models.GeneratedField(
        expression=Lower("title"), output_field=models.CharField(max_length=200), db_persist=True
    )
    description = models.TextField(blank=True, max_length=5_000)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    duration_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Of a video.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True, help_text="From when it can be watched.")
    is_free = models.BooleanField(default=True, help_text="Without access of one's own.")
    likes = models.PositiveIntegerField(default=0, editable=False)
    saves = models.PositiveIntegerField(default=0, editable=False)
    shares = models.PositiveIntegerField(default=0, editable=False)
    comments = models.PositiveIntegerField(default=0, editable=False)
    external_id = models.BigIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "external_id"], name="an_imported_item_is_one_item"),
            models.CheckConstraint(condition=~Q(kind="video") | Q(duration_ms__gt=0), name="a_video_has_a_duration"),
            models.CheckConstraint(
                condition=~Q(state__in=LIVE_STATES) | Q(published_at__isnull=False),
                name="what_is_published_says_since_when",
            ),
        ]
        indexes = [
            *(
                models.Index(
                    fields=["tenant", *by, "-published_at", "-id"],
                    condition=Q(state__in=LIVE_STATES),
                    name="_".join(["item", *by, "newest"]),
                )
                for by in ([], ["creator"], ["topic"], ["kind"])
            ),
            models.Index(fields=["tenant", "creator", "-id"], name="item_of_creator"),
            GistIndex("tenant", OpClass("title_lower", "gist_trgm_ops"), name="item_title"),
        ]

    def __str__(self) -> str:
        return self.title

    def is_live(self, at: datetime) -> bool:
        """Whether its time to be watched has come."""
        return self.state in LIVE_STATES and self.published_at is not None and self.published_at <= at


class OfKind(TenantManager[Any]):
    """The items of one kind."""

    def __init__(self, kind: Item.Kind) -> None:
        super().__init__()
        self.kind = kind

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(kind=self.kind)


class Video(Item):
    """A vertical short: an item that has a duration."""

    objects: ClassVar[Any] = OfKind(Item.Kind.VIDEO)

    class Meta:
        proxy = True


class Course(Item):
    """An item that has sections with lessons."""

    objects: ClassVar[Any] = OfKind(Item.Kind.COURSE)

    class Meta:
        proxy = True


class Section(TenantOwned):
    """A part of a course."""

    course = TenantForeignKey(Item, on_delete=models.CASCADE, related_name="sections")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "course", "position"],
                name="a_section_has_its_place",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title


class Lesson(TenantOwned):
    """A video or a text in a section; a preview is free."""

    section = TenantForeignKey(Section, on_delete=models.CASCADE, related_name="lessons")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    video = TenantForeignKey(Item, null=True, blank=True)
    body = models.TextField(blank=True)
    is_preview = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "section", "position"],
                name="a_lesson_has_its_place",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(video=None, body__gt="") | Q(video__isnull=False, body=""),
                name="a_lesson_is_a_video_or_a_text",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "video"], condition=Q(video__isnull=False), name="lesson_of_video")]
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.title


class Access(TenantOwned):
    """A viewer may watch an item that is not free: since when, until when, and where it came from."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    source = models.CharField(max_length=60, help_text="What granted it, e.g. order:12")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "item", "source"], name="a_source_grants_an_item_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="access_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "item"], name="access_item")]

    def __str__(self) -> str:
        return f"{self.viewer_id} may watch {self.item_id}"


class Reaction(TenantOwned):
    """A viewer likes, saves, shares an item, or does not want to see its like. Once each."""

    class Kind(models.TextChoices):
        LIKE = "like"
        SAVE = "save"
        SHARE = "share"
        NOT_INTERESTED = "not_interested"

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reacted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "item", "kind"], name="a_viewer_reacts_once_each")
        ]
        indexes = [
            models.Index(fields=["tenant", "viewer", "-reacted_at"], name="reaction_newest"),
            models.Index(fields=["tenant", "item", "kind"], name="reaction_item"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} {self.kind} {self.item_id}"


class Comment(TenantOwned):
    """What a viewer wrote under an item, or under another comment."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    parent = TenantForeignKey("self", null=True, blank=True, on_delete=models.CASCADE)
    body = models.TextField(max_length=2_000)
    written_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "item", "parent", "-written_at", "-id"], name="comment_newest"),
            models.Index(fields=["tenant", "viewer", "-written_at"], name="comment_viewer"),
        ]

    def __str__(self) -> str:
        return self.body[:40]


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

    event_id = models.UUIDField(help_text="Made by the client: sent again, it is the same watch.")
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()
    watch_ms = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField(help_text="Of the item, when it was watched.")
    source = models.CharField(max_length=20, blank=True, help_text="Where it was found: feed, profile, search …")
    session = models.CharField(max_length=40, blank=True)
    quarantine = models.CharField(max_length=20, choices=Quarantine.choices, default=Quarantine.CLEAN, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "viewer", "event_id"], name="a_watch_is_stored_once")]
        indexes = [
            models.Index(fields=["tenant", "viewer", "started_at", "id"], name="watch_of_viewer"),
            models.Index(fields=["tenant", "started_at"], name="watch_when"),
            models.Index(fields=["tenant", "quarantine", "-id"], condition=~Q(quarantine=""), name="watch_quarantined"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} watched {self.item_id}"
