"""What is told of items, for those who learn from it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.models import F
from django.db.models.functions import Coalesce, Extract

from catalog.models import Item


class ToldOfItem(NamedTuple):
    """One item: times in milliseconds, 0 where unknown; its topic is one of the tags."""

    item: int
    creator: int
    tags: list[str]
    duration_ms: int
    published_at: int
    title: str


def told_of_items() -> Iterator[ToldOfItem]:
    """Yield every item of the scope's tenant, streamed, in whatever state it is."""
    published = Extract("published_at", "epoch")
    columns: list[Any] = ["pk", "creator_id", "tags", Coalesce("duration_ms", 0), published, "title", F("topic__slug")]
    rows = Item.objects.order_by().values_list(*columns).iterator(chunk_size=5_000)
    for item, creator, tags, duration_ms, seconds, title, topic in rows:
        about = [*tags, topic] if topic else tags
        yield ToldOfItem(item, creator, about, duration_ms, int(1_000 * (seconds or 0)), title)


class AboutItem(NamedTuple):
    """What an item says of itself, and the id of its topic if it has one."""

    item: int
    creator: int
    title: str
    tags: list[str]
    topic: int | None


def about_items() -> Iterator[AboutItem]:
    """Yield every item of the scope's tenant, streamed, in whatever state it is."""
    rows = Item.objects.order_by("pk").values_list("pk", "creator_id", "title", "tags", "topic_id")
    yield from (AboutItem(*row) for row in rows.iterator(chunk_size=5_000))
