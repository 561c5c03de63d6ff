"""Viewers whose portraits one can draw in the head. Call inside a scope."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from catalog.models import Access, Item, Reaction, Topic, Watch
from kpplatform.tenancy.models import Member
from recommender.models import Portrait
from tests.recommender import planted

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
TOPICS = ("piano", "cooking", "chess", "history")


def topics(*slugs: str) -> dict[str, list[Item]]:
    """Return five old videos about each topic, each by a creator of its own."""
    made = {}
    for slug in slugs:
        topic = Topic.objects.create(slug=slug, name_zh=slug, name_en=slug)
        made[slug] = planted.videos(5)
        Item.objects.filter(pk__in=[item.pk for item in made[slug]]).update(topic=topic, tags=[f"{slug}-tag"])
    return made


def watched(viewer: Member, items: Sequence[Item], *, days_ago: float = 1.0) -> None:
    """Let the viewer watch the items to the end, a minute after each other."""
    began = NOW - timedelta(days=days_ago)
    Watch.objects.bulk_create(
        Watch(
            event_id=uuid.uuid4(),
            viewer=viewer,
            item=item,
            started_at=began + timedelta(minutes=minute),
            received_at=began,
            watch_ms=60_000,
            duration_ms=60_000,
        )
        for minute, item in enumerate(items)
    )


def members(count: int) -> list[Member]:
    return Member.objects.bulk_create([Member(name=f"viewer {number}") for number in range(count)])


def fans(items: dict[str, list[Item]], *, each: int) -> dict[str, list[Member]]:
    """Return viewers who have watched all about one topic, and a few items about anything, at various times."""
    rng = np.random.default_rng(0)
    anything = np.array([item for of in items.values() for item in of], object)
    found = {}
    for slug, own in items.items():
        found[slug] = members(each)
        for viewer in found[slug]:
            watched(viewer, own, days_ago=2)
            for item in rng.permutation(anything)[: rng.integers(1, 4)]:
                watched(viewer, [item], days_ago=rng.uniform(3, 60))
    return found


def portrait(viewer: Member) -> Portrait:
    return Portrait.objects.get(viewer=viewer)


def liked(viewer: Member, item: Item) -> None:
    Reaction.objects.create(viewer=viewer, item=item, kind="like", reacted_at=NOW - timedelta(days=1))


def bought(viewer: Member, item: Item, *, at: datetime = NOW - timedelta(days=1)) -> None:
    Access.objects.create(viewer=viewer, item=item, source="order:1", starts_at=at)
