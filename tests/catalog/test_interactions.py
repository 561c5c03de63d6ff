"""What recommenders read of viewers and items."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np

from catalog import operations, queries
from catalog.models import Item, Reaction, Watch
from catalog.queries import Kind
from kpplatform.tenancy.models import Member
from tests import make
from tests.catalog import things
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)


def watched(viewer: Member, item: Item, at: datetime, *, quarantine: str = "") -> None:
    Watch.objects.create(
        event_id=uuid4(),
        viewer=viewer,
        item=item,
        started_at=at,
        received_at=at,
        watch_ms=30_000,
        duration_ms=60_000,
        quarantine=quarantine,
    )


def test_a_history_is_what_was_watched_and_liked_newest_first(viewer: Member) -> None:
    first, second = things.video(), things.video()
    watched(viewer, first, NOON)
    watched(viewer, second, NOON + 2 * MINUTE)
    watched(viewer, second, NOON + 3 * MINUTE, quarantine="bot")
    watched(make.member(), first, NOON)
    operations.react(viewer=viewer, item=first, kind=Reaction.Kind.LIKE, at=NOON + MINUTE)

    history = queries.history(viewer, limit=10)

    assert [(did.item, did.kind, did.watch_ms) for did in history] == [
        (second.pk, Kind.WATCH, 30_000),
        (first.pk, Kind.LIKE, 0),
        (first.pk, Kind.WATCH, 30_000),
    ]
    assert queries.history(viewer, limit=1) == history[:1]


def test_interactions_come_as_arrays_from_since_until_before_until(viewer: Member) -> None:
    video = things.video()
    for minute in range(5):
        watched(viewer, video, NOON + minute * MINUTE)
    operations.react(viewer=viewer, item=video, kind=Reaction.Kind.SHARE, at=NOON + 2 * MINUTE)

    arrays = list(queries.interactions_between(NOON + MINUTE, NOON + 3 * MINUTE, rows=2))
    rows = np.sort(np.concatenate(arrays), order=["at", "kind"])

    assert [len(array) for array in arrays] == [2, 1]
    assert rows["kind"].tolist() == [Kind.WATCH, Kind.WATCH, Kind.SHARE]
    assert rows["at"].astype(datetime).tolist() == [
        (NOON + minutes * MINUTE).astimezone(UTC).replace(tzinfo=None) for minutes in (1, 2, 2)
    ]
    assert set(rows["viewer"]) == {viewer.pk}
    assert rows["watch_ms"].tolist() == [30_000, 30_000, 0]


def test_no_interactions_are_no_arrays(viewer: Member) -> None:
    assert list(queries.interactions_between(None, NOON)) == []


def test_cards_are_told_by_id(viewer: Member) -> None:
    video = things.video(topic=things.topic())

    cards = queries.cards([video.pk, video.pk + 1])

    assert list(cards) == [video.pk]
    assert (cards[video.pk].topic, cards[video.pk].creator) == ("piano", video.creator.handle)
