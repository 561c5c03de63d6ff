"""Items, courses and comments, as they are sent and shown."""

from math import isfinite
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog import queries
from catalog.models import (
    LARGEST_SIDE,
    LONGEST_VIDEO_MS,
    LOUDEST,
    QUIETEST,
    Comment,
    Item,
    Lesson,
    Reaction,
    Report,
    Section,
    Topic,
)
from kpplatform.rest.serializers import In

LANGUAGE = r"^[a-z]{2,3}(-[a-z0-9]{2,8})?$"
LAST_PLACE = 9_999


class CreatorNameOut(serializers.Serializer[Any]):
    handle = serializers.CharField()
    name = serializers.CharField()


class ItemOut(serializers.ModelSerializer[Item]):
    creator = CreatorNameOut()
    topic = serializers.SlugRelatedField(slug_field="slug", read_only=True)  # type: ignore[var-annotated]
    tags = serializers.ListField(child=serializers.CharField())
    captions = serializers.ListField(child=serializers.CharField(), allow_null=True)
    state = serializers.SerializerMethodField()

    class Meta:
        model = Item
        fields = [
            *("id", "kind", "title", "description", "tags", "language", "topic", "creator", "duration_ms", "is_free"),
            *("width", "height", "loudness", "captions"),
            *("preview_seconds", "state", "published_at", "likes", "saves", "shares", "comments"),
        ]

    def get_state(self, item: Item) -> Item.State:
        """Return the state now: what was scheduled is published once its time has come."""
        return Item.State.PUBLISHED if item.is_live(timezone.now()) else Item.State(item.state)


class LessonTitleOut(serializers.ModelSerializer[Lesson]):
    duration_ms = serializers.IntegerField(allow_null=True, help_text="Of a video.")

    class Meta:
        model = Lesson
        fields = ["id", "position", "title", "is_preview", "duration_ms"]


class SectionOut(serializers.ModelSerializer[Section]):
    lessons = LessonTitleOut(many=True)

    class Meta:
        model = Section
        fields = ["id", "position", "title", "lessons"]


class ItemDetailOut(ItemOut):
    sections = serializers.SerializerMethodField(help_text="Of a course.")
    may_play = serializers.SerializerMethodField(help_text="Whether who asks may watch it.")
    reactions = serializers.SerializerMethodField(help_text="Of who asks.")

    class Meta(ItemOut.Meta):
        fields = [*ItemOut.Meta.fields, "sections", "may_play", "reactions"]

    @extend_schema_field(SectionOut(many=True))
    def get_sections(self, item: Item) -> list[Any]:
        is_course = item.kind == Item.Kind.COURSE
        return list(SectionOut(queries.outline(item), many=True).data) if is_course else []

    def get_may_play(self, item: Item) -> bool:
        return queries.playable_by(self.context["viewer"], at=timezone.now()).filter(pk=item.pk).exists()

    def get_reactions(self, item: Item) -> list[Reaction.Kind]:
        return queries.reactions_to(item, viewer=self.context["viewer"])


class ListedIn(serializers.Serializer[Any]):
    """What a list of items is asked for."""

    kind = serializers.ChoiceField(Item.Kind.choices, required=False)
    topic = serializers.SlugField(required=False)
    creator = serializers.SlugField(required=False)
    language = serializers.RegexField(LANGUAGE, required=False)
    q = serializers.CharField(required=False, max_length=100, help_text="What the title contains.", source="title")


class AboutIn(In):
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5_000, allow_blank=True, required=False)
    topic = serializers.SlugField(allow_null=True, required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20, required=False)
    language = serializers.RegexField(LANGUAGE, required=False)
    is_free = serializers.BooleanField(required=False, help_text="For everybody, without having bought it.")

    def validate_topic(self, slug: str | None) -> Topic | None:
        return slug if slug is None else known_topic(slug)


class VideoIn(AboutIn):
    duration_ms = serializers.IntegerField(min_value=1, max_value=LONGEST_VIDEO_MS)
    preview_seconds = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_VIDEO_MS // 1_000,
        required=False,
        help_text="For everybody, if it is not free.",
    )
    width = serializers.IntegerField(
        min_value=1, max_value=LARGEST_SIDE, allow_null=True, required=False, help_text="In pixels; with the height."
    )
    height = serializers.IntegerField(
        min_value=1, max_value=LARGEST_SIDE, allow_null=True, required=False, help_text="In pixels; with the width."
    )
    loudness = serializers.FloatField(
        min_value=QUIETEST,
        max_value=LOUDEST,
        allow_null=True,
        required=False,
        help_text="Of the whole, in LUFS (ITU-R BS.1770).",
    )
    captions = serializers.ListField(
        child=serializers.RegexField(LANGUAGE, max_length=10),
        max_length=50,
        allow_null=True,
        required=False,
        help_text="The languages it has captions in; an empty list: it has none, null: not told.",
    )

    def validate_loudness(self, told: float | None) -> float | None:
        if told is not None and not isfinite(told):
            raise serializers.ValidationError("This must be a number.")
        return told


class CourseIn(AboutIn):
    """A course says nothing more than any item."""


class ScheduleIn(In):
    published_at = serializers.DateTimeField()


class SectionIn(In):
    title = serializers.CharField(max_length=200)
    position = serializers.IntegerField(min_value=1, max_value=LAST_PLACE, required=False)


class LessonIn(SectionIn):
    video = serializers.IntegerField(min_value=1, allow_null=True, required=False)
    body = serializers.CharField(max_length=100_000, allow_blank=True, required=False)
    is_preview = serializers.BooleanField(required=False)

    def validate_video(self, number: int | None) -> Item | None:
        if number is None:
            return None
        if video := Item.objects.filter(pk=number, kind=Item.Kind.VIDEO).first():
            return video
        raise serializers.ValidationError("There is no such video.", code="unknown_video")


class LessonOut(serializers.ModelSerializer[Lesson]):
    course = serializers.IntegerField(source="section.course_id")
    video = serializers.IntegerField(source="video_id", allow_null=True)

    class Meta:
        model = Lesson
        fields = ["id", "course", "position", "title", "is_preview", "video", "body"]


class TopicIn(In):
    name_zh = serializers.CharField(max_length=60)
    name_en = serializers.CharField(max_length=60)
    parent = serializers.SlugField(allow_null=True, required=False)  # type: ignore[assignment]

    def validate_parent(self, slug: str | None) -> Topic | None:
        return slug if slug is None else known_topic(slug)


class NewTopicIn(TopicIn):
    slug = serializers.SlugField(max_length=60)


class TopicOut(serializers.ModelSerializer[Topic]):
    parent = serializers.SlugRelatedField(slug_field="slug", read_only=True)  # type: ignore[assignment,var-annotated]

    class Meta:
        model = Topic
        fields = ["slug", "name_zh", "name_en", "parent"]


class CommentIn(In):
    body = serializers.CharField(max_length=2_000)
    parent = serializers.IntegerField(min_value=1, allow_null=True, default=None)  # type: ignore[assignment]


class CommentOut(serializers.ModelSerializer[Comment]):
    item = serializers.IntegerField(source="item_id")
    parent = serializers.IntegerField(source="parent_id", allow_null=True)  # type: ignore[assignment]
    viewer = serializers.CharField(source="viewer.name", help_text="What its writer is called.")
    is_deleted = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = ["id", "item", "parent", "viewer", "body", "is_deleted", "written_at"]

    def get_is_deleted(self, comment: Comment) -> bool:
        return comment.deleted_at is not None


class ReportIn(In):
    reason = serializers.ChoiceField(choices=Report.Reason.choices)
    text = serializers.CharField(max_length=1_000, allow_blank=True, default="")


class ReportOut(serializers.ModelSerializer[Report]):
    item = serializers.IntegerField(source="item_id")

    class Meta:
        model = Report
        fields = ["item", "reason", "text", "reported_at"]


class CommentsIn(serializers.Serializer[Any]):
    """Which comments are asked for."""

    parent = serializers.IntegerField(required=False, min_value=1, help_text="The answers to this comment.")  # type: ignore[assignment]


def known_topic(slug: str) -> Topic:
    """Return the topic. Raises ValidationError."""
    if topic := queries.topics().filter(slug=slug).first():
        return topic
    raise serializers.ValidationError("There is no such topic.", code="unknown_topic")
