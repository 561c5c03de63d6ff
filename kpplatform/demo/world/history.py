"""What happened: every watch of every viewer, day after day, in chunks of columns and flat memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kpplatform.demo.world.arrays import DAY, HOUR, MINUTE, Int8s, Int32s, Int64s, stream
from kpplatform.demo.world.behaviour import Outcome, absorb, respond
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.dirt import soiled
from kpplatform.demo.world.events import CLEAN, Events, uuids
from kpplatform.demo.world.shelf import Shelves, stock
from kpplatform.demo.world.showing import show
from kpplatform.demo.world.viewers import Viewers, drift

VIEWERS_IN_A_CHUNK = 1 << 16
"""Viewers in one chunk."""
_VISITS = 4
"""Visits of one viewer in one day, at most."""
_LONGEST_VISIT = 80
_BREAK_MS = 5 * MINUTE
_NEVER = np.iinfo(np.int64).max
_WEEKEND = 1.25
_COOLING = np.float32(0.6)

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class _Day:
    """What one day of one block of viewers is played with."""

    catalogue: Catalogue
    viewers: Viewers
    shelves: Shelves
    number: int
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class _Step:
    """The next video of n visits at once."""

    viewer: Int32s
    item: Int32s
    at_ms: Int64s
    visit: Int64s
    position: int
    source: Int8s
    outcome: Outcome


def history(
    *,
    catalogue: Catalogue,
    viewers: Viewers,
    seed: int,
    visits_per_day: float = 0.6,
    owners: Int32s | None = None,
) -> Iterator[Events]:
    """Yield what happens, day after day and block of viewers after block, each chunk in order of time.

    The mean viewer comes visits_per_day times a day. The owners (C,) are the viewers who are the catalogue's
    creators, -1 where there is none. Viewers are moved on in place: after the last chunk they are as the last
    day has left them.
    """
    videos = catalogue.videos
    owners = np.full(len(catalogue.creators), -1, np.int32) if owners is None else owners
    heat = np.ones(len(videos), np.float32)
    for day in range(catalogue.days):
        shelves, watched = stock(catalogue, day=day, heat=heat), np.zeros(len(videos))
        for first in range(0, len(viewers), VIEWERS_IN_A_CHUNK):
            rng = stream(seed, "history", day, first)
            block = slice(first, min(first + VIEWERS_IN_A_CHUNK, len(viewers)))
            drift(viewers, block, days=1, rng=rng)
            played = _Day(catalogue, viewers, shelves, day, rng)
            events = _events(played, list(_steps(played, block, visits_per_day)))
            watched += np.bincount(events.item[2 * events.watch_ms > events.duration_ms], minlength=len(videos))
            bots = np.flatnonzero(viewers.bot[block]).astype(np.int32) + np.int32(first)
            yield _stamped(soiled(events, catalogue=catalogue, shelves=shelves, bots=bots, owners=owners, rng=rng), rng)
        heat = _COOLING * heat + (1 - _COOLING) * (watched / max(watched.mean(), 1e-9)).astype(np.float32)


def _steps(day: _Day, block: slice, visits_per_day: float) -> Iterator[_Step]:
    """Yield the steps of all visits of the block's viewers."""
    begins = _begins(day, block, visits_per_day)
    for number in range(_VISITS):
        who = np.flatnonzero(begins[:, number] < _NEVER).astype(np.int32)
        at_ms = begins[who, number]
        who += np.int32(block.start)
        yield from _visits(day, who, at_ms, day.number * _VISITS + number)


def _begins(day: _Day, block: slice, visits_per_day: float) -> Int64s:
    """Return when the visits of the block's viewers begin (n, 4), ascending, _NEVER where there are fewer."""
    viewers, rng = day.viewers, day.rng
    start_ms = day.catalogue.start_ms + day.number * DAY
    weekend = _WEEKEND if (start_ms // DAY + 3) % 7 >= 5 else 1.0
    rate = visits_per_day * weekend * viewers.activity[block] * ~viewers.bot[block]
    count = rng.poisson(rate)[:, None]
    hour = (viewers.peak[block, None] + 1.8 * rng.standard_normal((len(rate), _VISITS), np.float32)) % 24
    begins = start_ms + (hour.astype(np.float64) * HOUR).astype(np.int64)
    return np.sort(np.where(np.arange(_VISITS) < count, begins, _NEVER), axis=1)


def _visits(day: _Day, who: Int32s, at_ms: Int64s, number: int) -> Iterator[_Step]:
    """Yield the steps of one visit of each viewer (n,), beginning at (n,), until all have left."""
    catalogue, viewers, rng = day.catalogue, day.viewers, day.rng
    at_ms = np.maximum(at_ms, viewers.last_end[who] + _BREAK_MS)
    for position in range(_LONGEST_VISIT):
        if not len(who):
            return
        what, source = show(catalogue, viewers, day.shelves, who=who, at_ms=at_ms, rng=rng)
        out = what >= 0
        who, at_ms, what, source = who[out], at_ms[out], what[out], source[out]
        outcome = respond(catalogue, viewers, who=who, what=what, at_ms=at_ms, rng=rng)
        absorb(catalogue, viewers, who=who, what=what, at_ms=at_ms, outcome=outcome)
        visit = (np.int64(number) << 32) + who
        yield _Step(who, what, at_ms, visit, position, source, outcome)
        stays = ~outcome.leaves
        swipe = 150 + (900 * rng.random(len(who), np.float32)).astype(np.int64)
        at_ms = (at_ms + outcome.watch_ms + swipe)[stays]
        who = who[stays]


def _events(day: _Day, steps: Sequence[_Step]) -> Events:
    """Return the steps as events, not yet in order of time and not yet stamped."""
    pressed = [step.outcome for step in steps]
    item = _column([step.item for step in steps], np.int32)
    started_at = _column([step.at_ms for step in steps], np.int64)
    watch_ms = _column([outcome.watch_ms for outcome in pressed], np.int32)
    return Events(
        viewer=_column([step.viewer for step in steps], np.int32),
        item=item,
        started_at=started_at,
        received_at=started_at + watch_ms + day.rng.integers(30, 900, len(item)),
        watch_ms=watch_ms,
        duration_ms=day.catalogue.videos.duration_ms[item],
        liked=_column([outcome.liked for outcome in pressed], np.bool_),
        saved=_column([outcome.saved for outcome in pressed], np.bool_),
        shared=_column([outcome.shared for outcome in pressed], np.bool_),
        followed=_column([outcome.followed for outcome in pressed], np.bool_),
        commented=_column([outcome.commented for outcome in pressed], np.bool_),
        not_interested=_column([outcome.not_interested for outcome in pressed], np.bool_),
        bought=_column([outcome.bought for outcome in pressed], np.int32),
        session=_column([step.visit for step in steps], np.int64),
        position=np.repeat(np.array([step.position for step in steps], np.int16), [len(step.item) for step in steps]),
        source=_column([step.source for step in steps], np.int8),
        dirt=np.full(len(item), CLEAN, np.int8),
        uuid=np.zeros((len(item), 16), np.uint8),
    )


def _column(parts: Sequence[NDArray[T]], kind: type[T]) -> NDArray[T]:
    """Return the parts one after the other; there may be none."""
    return np.concatenate([np.zeros(0, kind), *parts])


def _stamped(events: Events, rng: np.random.Generator) -> Events:
    return replace(events, uuid=uuids(events.received_at, rng))
