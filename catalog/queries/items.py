"""What there is to watch."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Prefetch, Q, QuerySet

from catalog.models import Item, Lesson, Reaction, Section, Topic
from catalog.queries.access import is_live
from catalog.queries.muting import item_is_muted
from kpplatform.tenancy.models import Member


@dataclass(frozen=True, slots=True)
class Card:
    """An item as a feed, a list or a search shows it."""

    id: int
    kind: str
    title: str
    language: str
    duration_ms: int | None
    is_free: bool
    published_at: datetime | None
    likes: int
    comments: int
    topic: str | None
    creator: str
    creator_name: str


def cards(ids: Iterable[int]) -> dict[int, Card]:
    """Return the cards of these items by id, published or not, with one query."""
    renamed = {"topic": "topic__slug", "creator": "creator__handle", "creator_name": "creator__name"}
    columns = [renamed.get(name, name) for name in Card.__dataclass_fields__]
    return {row[0]: Card(*row) for row in Item.objects.filter(pk__in=list(ids)).values_list(*columns)}


def topics() -> QuerySet[Topic]:
    """Return the tenant's topics, by slug."""
    return Topic.objects.select_related("parent").order_by("slug", "pk")


def published(*, at: datetime) -> QuerySet[Item]:
    """Return what has been published, newest first."""
    return Item.objects.filter(is_live(at)).select_related("creator", "topic").order_by("-published_at", "-pk")


def listed(
    *,
    viewer: Member,
    at: datetime,
    kind: str = "",
    topic: str = "",
    creator: str = "",
    language: str = "",
    title: str = "",
) -> QuerySet[Item]:
    """Return what has been published and fits, newest first, but nothing with a word that the viewer has muted.

    A title fits when it contains the words.
    """
    asked = {"kind": kind, "topic__slug": topic, "creator__handle": creator, "language": language}
    asked["title_lower__contains"] = title.lower()
    fitting = published(at=at).filter(**{name: value for name, value in asked.items() if value})
    return fitting.exclude(item_is_muted(viewer))


def owned_by(member: Member) -> QuerySet[Item]:
    """Return what the member may change, in every state, newest first: staff see the whole tenant's."""
    items = Item.objects.select_related("creator", "topic").order_by("-pk")
    return items if member.runs_the_tenant else items.filter(creator__member=member)


def visible_to(viewer: Member, *, at: datetime) -> QuerySet[Item]:
    """Return what the viewer may know of: what has been published, and what they may change."""
    seen = Q() if viewer.runs_the_tenant else is_live(at) | Q(creator__member=viewer)
    return Item.objects.filter(seen).select_related("creator", "topic").order_by("-pk")


def outline(course: Item) -> QuerySet[Section]:
    """Return the course's sections in order, with their lessons but without what the lessons say."""
    shown = Lesson.objects.defer("body").annotate(duration_ms=F("video__duration_ms"))
    return Section.objects.filter(course=course).prefetch_related(Prefetch("lessons", shown))


def lessons(viewer: Member, *, at: datetime) -> QuerySet[Lesson]:
    """Return the lessons of the courses that the viewer may know of."""
    course = "section__course__"
    seen = Q() if viewer.runs_the_tenant else is_live(at, of=course) | Q(**{f"{course}creator__member": viewer})
    return Lesson.objects.filter(seen).select_related("section__course__creator", "video").order_by("pk")


def reactions_to(item: Item, *, viewer: Member) -> list[Reaction.Kind]:
    """Return how the viewer reacted to the item."""
    kinds = Reaction.objects.filter(item=item, viewer=viewer).order_by("kind").values_list("kind", flat=True)
    return [Reaction.Kind(kind) for kind in kinds]
