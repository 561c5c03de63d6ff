"""What an event says about taste: from what happened to one implicit rating.

An event carries signals, and its rating is the sum of their weights. A watch of known length carries `ratio`
times the share watched, `complete` when that is at least 95 % or the view was long, and `skip` below 10 %; a
watch of which only the fact is known carries `watch`. Flags on a watch (liked, shared, ...) add their own
signal; every other kind of event is the signal of its name. A cell R[u, i] is the sum over the viewer's
events with the item.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Flags, Floats, Ints, Longs

KINDS = ("watch", "enrol", "purchase", "like", "follow", "comment", "share", "dislike")
FLAGS = MappingProxyType(
    {
        "liked": "like",
        "followed": "follow",
        "commented": "comment",
        "shared": "share",
        "disliked": "dislike",
    }
)
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "watch": 1.0,
        "ratio": 1.0,
        "complete": 2.0,
        "like": 3.0,
        "follow": 3.0,
        "comment": 2.0,
        "share": 4.0,
        "enrol": 4.0,
        "purchase": 5.0,
        "skip": -1.0,
        "dislike": -4.0,
    }
)
COMPLETE_FROM = 0.95
SKIP_BELOW = 0.1


@dataclass(frozen=True)
class Events:
    """What happened, as columns of length N with the ids of the source."""

    viewer: Longs
    item: Longs
    at: Longs  # milliseconds since the epoch
    kind: NDArray[np.int8]  # places in KINDS
    watched: Floats  # share of the duration that was watched, NaN where unknown
    long_view: Floats  # 1 or 0, NaN where unknown
    watch_ms: Ints  # how long it was watched, −1 where unknown
    flags: Mapping[str, Flags] = field(default_factory=dict)  # names of FLAGS
    circumstance: NDArray[np.int8] | None = None  # on what: codes of ranker.circumstances, where anything is told


def signals(events: Events) -> dict[str, Floats]:
    """Return how strongly each event (N,) carries each signal: 0 to 1."""
    of_kind = {name: events.kind == place for place, name in enumerate(KINDS)}
    is_watch = of_kind.pop("watch")
    long_view = events.long_view == 1
    carried = {
        "watch": is_watch,
        "ratio": is_watch * np.clip(np.nan_to_num(events.watched), 0, 1),
        "complete": is_watch & (long_view | (events.watched >= COMPLETE_FROM)),
        "skip": is_watch & ~long_view & (events.watched < SKIP_BELOW),
        **of_kind,
    }
    for flag, name in FLAGS.items():
        if flag in events.flags:
            carried[name] = carried[name] | (is_watch & events.flags[flag])
    return {name: values.astype(np.float32) for name, values in carried.items()}


def rating(carried: Mapping[str, Floats], *, weights: Mapping[str, float] = WEIGHTS) -> Floats:
    """Return the implicit rating of each event (N,); a signal without a weight counts nothing."""
    total = sum(strength * np.float32(weights.get(name, 0.0)) for name, strength in carried.items())
    return np.asarray(total, np.float32)


def wanted(events: Events) -> Flags:
    """Return which events (N,) a ranking should foresee: a watch to the end, long or liked; no dislike."""
    carried = signals(events)
    untold = np.isnan(events.watched) & np.isnan(events.long_view)
    watched_well = untold | (carried["complete"] + carried["like"] > 0)
    is_watch = events.kind == KINDS.index("watch")
    return np.where(is_watch, watched_well, events.kind != KINDS.index("dislike"))
