"""What happens in the generated world hangs together, and the dirt in it is known."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from kpplatform.demo.world.arrays import DAY
from kpplatform.demo.world.events import (
    BOT,
    CLEAN,
    CLOCK_SKEW,
    DIRT,
    DUPLICATE,
    IMPOSSIBLE_DURATION,
    SELF_VIEW,
    TOO_FAST,
    Events,
)
from kpplatform.demo.world.showing import BY_SERIES
from kpplatform.demo.world.videos import PUBLISHED
from tests.kpplatform.demo.played import World, ratios


def test_days_come_in_order_and_nobody_watches_two_videos_at_once(world: World) -> None:
    days = [int(np.median(chunk.started_at)) // DAY for chunk in world.chunks]
    clean = world.clean.take(np.lexsort((world.clean.started_at, world.clean.viewer)))
    same = clean.viewer[1:] == clean.viewer[:-1]

    assert all(before < after for before, after in pairwise(days))
    for chunk in world.chunks:
        assert (np.diff(chunk.started_at[chunk.dirt == CLEAN]) >= 0).all()
    assert (clean.started_at[1:] >= (clean.started_at + clean.watch_ms)[:-1])[same].all()


def test_only_what_is_out_is_shown(world: World) -> None:
    videos, clean = world.catalogue.videos, world.clean

    assert (videos.state[clean.item] == PUBLISHED).all()
    assert (videos.published_at[clean.item] <= clean.started_at).all()


@pytest.mark.parametrize("act", ["liked", "saved", "shared", "commented", "not_interested"])
def test_nobody_presses_twice_on_one_video(world: World, act: str) -> None:
    rows = np.flatnonzero(getattr(world.events, act))
    pairs = world.events.viewer[rows].astype(np.int64) << 32 | world.events.item[rows]

    assert len(pairs) > 100
    assert len(np.unique(pairs)) == len(pairs)


def test_nobody_follows_or_buys_twice(world: World) -> None:
    follows = world.events.take(world.events.followed)
    buys = world.events.take(world.events.bought >= 0)
    creator = world.catalogue.videos.creator[follows.item]

    assert len(buys) > 10
    assert (world.catalogue.courses.published_at[buys.bought] <= buys.started_at).all()
    assert len({*zip(follows.viewer.tolist(), creator.tolist(), strict=True)}) == len(follows)
    assert len({*zip(buys.viewer.tolist(), buys.bought.tolist(), strict=True)}) == len(buys)


def test_event_ids_are_distinct_and_of_version_7(world: World) -> None:
    uuid = world.events.uuid

    assert len({row.tobytes() for row in uuid}) == len(uuid)
    assert (uuid[:, 6] >> 4 == 7).all()
    assert (uuid[:, 8] >> 6 == 2).all()
    assert int.from_bytes(uuid[5, :6].tobytes(), "big") == world.events.received_at[5]


def test_dirt_is_rare_and_every_kind_is_what_it_says(world: World) -> None:
    events = world.events
    of = [events.take(events.dirt == kind) for kind in range(len(DIRT))]
    owner = world.owners[world.catalogue.videos.creator]

    assert 0.93 < len(of[CLEAN]) / len(events) < 0.998
    assert all(len(part) for part in of)
    assert (of[IMPOSSIBLE_DURATION].watch_ms >= 25 * of[IMPOSSIBLE_DURATION].duration_ms).all()
    assert (owner[of[SELF_VIEW].item] == of[SELF_VIEW].viewer).all()
    assert (owner[of[CLEAN].item] != of[CLEAN].viewer).all()
    assert (np.abs(of[CLOCK_SKEW].received_at - of[CLOCK_SKEW].started_at) > DAY).all()
    assert world.viewers.bot[of[BOT].viewer].all()
    assert of[BOT].watch_ms.max() < 200
    originals = {*_watches(events.take(events.dirt != DUPLICATE))}
    assert sum(watch in originals for watch in _watches(of[DUPLICATE])) > 0.98 * len(of[DUPLICATE])
    assert len(of[TOO_FAST]) > 10


def _watches(events: Events) -> Iterator[tuple[int, int, int]]:
    return zip(events.viewer.tolist(), events.item.tolist(), events.started_at.tolist(), strict=True)


def test_few_videos_take_many_of_the_views(world: World) -> None:
    views = np.sort(np.bincount(world.clean.item, minlength=len(world.catalogue.videos)))[::-1]
    half = len(views) // 2
    slope = np.polyfit(np.log(np.arange(1, half + 1)), np.log(views[:half] + 1.0), 1)[0]

    assert views[: len(views) // 10].sum() > 0.25 * views.sum()
    assert -1.5 < slope < -0.25


def test_some_viewers_come_all_the_time_and_many_hardly_ever(world: World) -> None:
    watched = np.sort(np.bincount(world.clean.viewer, minlength=len(world.viewers)))

    assert watched[-len(watched) // 10 :].mean() > 5 * np.median(watched)


def test_an_enjoyed_episode_leads_to_the_next_one(world: World) -> None:
    clean = world.clean.take(np.lexsort((world.clean.started_at, world.clean.session)))
    follow_up = world.catalogue.videos.follow_up[clean.item[:-1]]
    could = (clean.session[1:] == clean.session[:-1]) & (follow_up >= 0) & (ratios(clean)[:-1] > 0.5)

    went_on = clean.item[1:] == follow_up

    assert went_on[could].mean() > 0.3
    assert (clean.source[1:][went_on & could] == BY_SERIES).mean() > 0.9
