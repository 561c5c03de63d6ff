"""What goes wrong with events on the way: retries, broken players, robots, wrong clocks, vain creators."""

from dataclasses import replace

import numpy as np

from kpplatform.demo.world.arrays import DAY, SECOND, Int32s, Int64s
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.events import (
    BOT,
    CLEAN,
    CLOCK_SKEW,
    DUPLICATE,
    IMPOSSIBLE_DURATION,
    SELF_VIEW,
    TOO_FAST,
    Events,
    in_order,
    joined,
)
from kpplatform.demo.world.shelf import EVERYTHING, Shelves
from kpplatform.demo.world.showing import BY_CHANCE

_SHARE = 0.002
"""Of all events, for each way to go wrong but bots."""
_BOT_EVENTS = 120
_BOT_STEP_MS = 150
_BOT_VISIT = 1 << 60


def soiled(
    events: Events,
    *,
    catalogue: Catalogue,
    shelves: Shelves,
    bots: Int32s,
    owners: Int32s,
    rng: np.random.Generator,
) -> Events:
    """Return the events in order of time, with a small share of dirty ones among them, each flagged.

    Some are added: those of bots (viewers, any number), of creators (their viewers are in owners (C,), -1
    where there is none) on their own videos, repeated ones and simultaneous ones. Some are only spoiled.
    """
    added = [_repeated(events, rng), _simultaneous(events, rng)]
    if len(events) and (owners >= 0).any():
        added.append(_own(events, catalogue, owners, rng))
    if len(events) and len(bots):
        added.append(_robotic(events, catalogue, shelves, bots, rng))
    found = in_order(joined([events, *added]))
    found.dirt[owners[catalogue.videos.creator[found.item]] == found.viewer] = SELF_VIEW
    _spoil(found, rng)
    return found


def _some(events: Events, rng: np.random.Generator) -> Int64s:
    """Return a few rows, none of them dirty."""
    return np.flatnonzero((rng.random(len(events)) < _SHARE) & (events.dirt == CLEAN))


def _quiet(events: Events, dirt: int) -> Events:
    """Return the events without anything pressed or bought, flagged."""
    no = np.zeros(len(events), np.bool_)
    return replace(
        events,
        liked=no,
        saved=no,
        shared=no,
        followed=no,
        commented=no,
        not_interested=no,
        bought=np.full(len(events), -1, np.int32),
        dirt=np.full(len(events), dirt, np.int8),
    )


def _repeated(events: Events, rng: np.random.Generator) -> Events:
    """The same watch under another id, some seconds later."""
    again = _quiet(events.take(_some(events, rng)), DUPLICATE)
    return replace(again, received_at=again.received_at + rng.integers(1, 30 * SECOND, len(again)))


def _simultaneous(events: Events, rng: np.random.Generator) -> Events:
    """Another whole video within the time of a longer watch."""
    rows = _some(events, rng)
    rows = rows[events.watch_ms[rows] > 5 * SECOND]
    over = _quiet(events.take(rows), TOO_FAST)
    other = events.take((rows + 1) % max(len(events), 1))
    started_at = over.started_at + 50
    return replace(
        over,
        item=other.item,
        duration_ms=other.duration_ms,
        watch_ms=other.duration_ms.copy(),
        started_at=started_at,
        received_at=started_at + other.duration_ms + 200,
    )


def _own(events: Events, catalogue: Catalogue, owners: Int32s, rng: np.random.Generator) -> Events:
    """A creator on their own video."""
    own = _quiet(events.take(_some(events, rng)), SELF_VIEW)
    owner = owners[catalogue.videos.creator[own.item]]
    return replace(own, viewer=owner).take(owner >= 0)


def _robotic(events: Events, catalogue: Catalogue, shelves: Shelves, bots: Int32s, rng: np.random.Generator) -> Events:
    """Bursts of glances faster than a thumb, some time between the first event and the last."""
    active = bots[rng.random(len(bots)) < 0.5]
    n = len(active) * _BOT_EVENTS
    begin = rng.integers(events.started_at.min(), events.started_at.max() + 1, len(active))
    step = np.tile(np.arange(_BOT_EVENTS), len(active))
    started_at = np.repeat(begin, _BOT_EVENTS) + step * _BOT_STEP_MS
    viewer = np.repeat(active, _BOT_EVENTS)
    item = shelves.draw(np.full(n, EVERYTHING), rng.random((n, 1), np.float32))[:, 0]
    watch_ms = rng.integers(40, 120, n).astype(np.int32)
    burst = replace(
        _quiet(events.take(np.zeros(n, np.int64)), BOT),
        viewer=viewer,
        item=item,
        started_at=started_at,
        received_at=started_at + watch_ms,
        watch_ms=watch_ms,
        duration_ms=catalogue.videos.duration_ms[item],
        session=_BOT_VISIT + np.repeat(begin, _BOT_EVENTS),
        position=step.astype(np.int16),
        source=np.full(n, BY_CHANCE, np.int8),
    )
    return burst.take(catalogue.videos.published_at[item] <= started_at)


def _spoil(events: Events, rng: np.random.Generator) -> None:
    """Make some watches impossibly long and put some clocks days or years off."""
    rows = _some(events, rng)
    events.watch_ms[rows] = events.duration_ms[rows] * rng.integers(25, 200, len(rows))
    events.dirt[rows] = IMPOSSIBLE_DURATION
    rows = _some(events, rng)
    days = rng.integers(2, 800, len(rows)) * rng.choice([-1, 1], len(rows))
    events.started_at[rows] += days * DAY
    events.dirt[rows] = CLOCK_SKEW
