"""Making and changing items and topics. Whether others see an item is decided in publishing.

Items are withdrawn, never deleted: watches, comments and payments refer to them.
"""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction

from catalog.models import Item, Topic
from creators.models import Creator
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member


class NotYours(Forbidden):
    code = "not_yours"


class PreviewTooLong(Invalid):
    code = "preview_too_long"


class HalfASize(Invalid):
    code = "half_a_size"


class SlugTaken(Conflict):
    code = "slug_taken"


class About(TypedDict, total=False):
    """What an item says of itself."""

    title: str
    description: str
    topic: Topic | None
    tags: Sequence[str]
    language: str
    is_free: bool


class AboutVideo(About, total=False):
    """What a video says of itself."""

    duration_ms: int
    preview_seconds: int
    width: int | None
    height: int | None
    loudness: float | None
    captions: Sequence[str] | None


class Named(TypedDict, total=False):
    """What a topic is called."""

    name_zh: str
    name_en: str
    parent: Topic | None


def must_own(item: Item, by: Member) -> None:
    """Raise NotYours unless the member may change the item."""
    if item.creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYours("Only its creator and the tenant's staff may do this.")


@transaction.atomic
def draft_video(*, creator: Creator, **about: Unpack[AboutVideo]) -> Item:
    """Make a video that nobody else sees yet. Raises PreviewTooLong and HalfASize."""
    video = Item(kind=Item.Kind.VIDEO, creator=creator, **about)
    _must_keep_something(video)
    _must_be_whole(video)
    video.save()
    return video


@transaction.atomic
def draft_course(*, creator: Creator, **about: Unpack[About]) -> Item:
    """Make a course that nobody else sees yet, without sections."""
    return Item.objects.create(kind=Item.Kind.COURSE, creator=creator, **about)


@transaction.atomic
def revise_item(*, item: Item, by: Member, **about: Unpack[AboutVideo]) -> Item:
    """Change what an item says of itself. Raises NotYours, PreviewTooLong and HalfASize."""
    must_own(item, by)
    for name, value in about.items():
        setattr(item, name, value)
    _must_keep_something(item)
    _must_be_whole(item)
    item.save(update_fields=[*about, "updated_at"])
    return item


@transaction.atomic
def add_topic(*, by: Member, slug: str, **named: Unpack[Named]) -> Topic:
    """Add a topic. Raises NotYours and SlugTaken."""
    _must_run_the_tenant(by)
    try:
        with transaction.atomic():
            return Topic.objects.create(slug=slug, **named)
    except IntegrityError as error:
        raise SlugTaken(f"There is a topic {slug}.") from error


@transaction.atomic
def revise_topic(*, topic: Topic, by: Member, **named: Unpack[Named]) -> Topic:
    """Call a topic something else. Raises NotYours."""
    _must_run_the_tenant(by)
    for name, value in named.items():
        setattr(topic, name, value)
    topic.save(update_fields=list(named))
    return topic


def _must_keep_something(item: Item) -> None:
    """Raise PreviewTooLong for a preview that leaves nothing to buy."""
    if item.preview_seconds and item.preview_seconds * 1_000 >= (item.duration_ms or 0):
        raise PreviewTooLong("A preview is shorter than its video.")


def _must_be_whole(item: Item) -> None:
    """Raise HalfASize for one side without the other."""
    if (item.width is None) != (item.height is None):
        raise HalfASize("A size is a width and a height.")


def _must_run_the_tenant(by: Member) -> None:
    if not by.runs_the_tenant:
        raise NotYours("Topics are the tenant's staff's.")
