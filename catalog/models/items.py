"""What there is to watch."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GistIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from creators.models import Creator
from kpplatform.tenancy.owned import TenantForeignKey, TenantManager, TenantOwned

LONGEST_VIDEO_MS = 15 * 60 * 1000
LARGEST_SIDE = 16_384  # pixels
QUIETEST, LOUDEST = -70.0, 6.0  # LUFS
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
    preview_seconds = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="What everybody may see of a video that is not free, from its start."
    )
    width = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of a video, in pixels; none: not told.")
    height = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of a video, in pixels; none: not told.")
    loudness = models.FloatField(
        null=True, blank=True, help_text="Of a video as a whole, in LUFS (ITU-R BS.1770); none: not told."
    )
    captions = ArrayField(
        models.CharField(max_length=10), null=True, blank=True, help_text="Their languages; none: not told."
    )
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
                condition=Q(width=None, height=None)
                | Q(width__gt=0, width__lte=LARGEST_SIDE, height__gt=0, height__lte=LARGEST_SIDE),
                name="a_size_has_two_sides",
            ),
            models.CheckConstraint(
                condition=Q(loudness=None) | Q(loudness__gte=QUIETEST, loudness__lte=LOUDEST),
                name="a_loudness_can_be_heard",
            ),
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
