"""What a ranker is told: what viewers did, what is known of items, and which pairs are asked about.

Shapes: N events, V items, M questions. The code of an item is its place in `Items.ids`; the code V means one that is
not among them.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from recommender.ml.arrays import Flags, Floats, Longs, common
from recommender.ml.attributes import Attributes
from recommender.ml.ranker.circumstances import Codes
from recommender.ml.signals import COMPLETE_FROM, KINDS, Events

LONG_FROM_S = 18.0  # a view is long from here on, or when a shorter item was watched to its end (Gao et al., 2022)
LONGEST_S = 300.0  # watch time is counted up to here
LIKED = ("like", "share")  # kinds of events
UNKNOWN = {"creator": -1, "topic": -1, "duration_ms": 0, "published_at": 0}


@dataclass(frozen=True)
class Items:
    """What the catalogue tells of items: columns (V + 1,), of which the last stands for any other item."""

    ids: Longs  # (V,) sorted
    creator: Longs  # −1 unknown
    topic: Longs  # −1 unknown
    duration_ms: Longs  # 0 unknown
    published_at: Longs  # milliseconds since the epoch, 0 unknown

    def __len__(self) -> int:
        return len(self.ids)

    def codes(self, ids: Longs) -> Longs:
        """Return the codes of items (M,)."""
        codes = np.full(len(ids), len(self.ids))
        theirs, ours = common(self.ids, ids)
        codes[ours] = theirs
        return codes

    @classmethod
    def of(cls, ids: Longs, told: Attributes | None) -> Self:
        """Take what is told of items of sorted ids (V,); the topic is an item's first tag."""
        columns = {name: np.full(len(ids) + 1, unknown) for name, unknown in UNKNOWN.items()}
        if told:
            columns["creator"][:-1] = told.creator
            columns["topic"][:-1] = _first_tag(told)
            columns["duration_ms"][:-1] = told.duration_ms
            columns["published_at"][:-1] = told.published_at
        return cls(ids=ids, **columns)


def _first_tag(told: Attributes) -> Longs:
    tags, starts = told.tags, told.tags.indptr
    has = np.diff(starts) > 0
    first = np.full(len(has), -1)
    first[has] = tags.sorted_indices().indices[starts[:-1][has]]
    return first


@dataclass(frozen=True)
class Log:
    """What viewers did, ordered by viewer and then by time: columns of length N.

    A row is a watch, or a reaction or purchase by itself; what is said beside a watch may stand in its row.
    """

    viewer: Longs
    item: Longs  # codes
    at: Longs  # milliseconds since the epoch
    met: Flags  # a watch
    long_view: Floats  # 1 or 0, NaN where unknown
    seconds: Floats  # watched, up to LONGEST_S; NaN where unknown
    liked: Floats  # 1, or −1 where it was not wanted, else 0
    followed: Floats  # 1 or 0
    bought: Floats  # 1 or 0
    circumstance: Codes  # of what it was watched on

    def __len__(self) -> int:
        return len(self.viewer)

    def where(self, kept: Flags | Longs) -> Self:
        """Return some of the rows."""
        return replace(self, **{field.name: getattr(self, field.name)[kept] for field in fields(self)})

    def of(self, viewer: int) -> Self:
        """Return one viewer's rows."""
        start, end = np.searchsorted(self.viewer, [viewer, viewer + 1])
        return self.where(np.arange(start, end))

    def nothing(self) -> Self:
        """Return a log of no rows."""
        return self.where(np.zeros(len(self), np.bool_))

    @classmethod
    def gather(cls, events: Events, items: Items) -> Self:
        """Put events of any order into the order of a log."""
        order = np.lexsort((events.at, events.viewer))
        item = items.codes(events.item)
        duration_ms = items.duration_ms[item]
        watch_ms = _watch_ms(events, duration_ms)
        said = {name: events.kind == place for place, name in enumerate(KINDS)}
        long_view = np.where(np.isnan(events.long_view), is_long(watch_ms, events.watched), events.long_view)
        flags = {name: said[name] | events.flags.get(f"{name}d", np.False_) for name in ("like", "share", "dislike")}
        liked = np.where(flags["dislike"], -1, flags["like"] | flags["share"])
        followed = said["follow"] | events.flags.get("followed", np.False_)
        told = cls(
            viewer=events.viewer.astype(np.int64),
            item=item,
            at=events.at.astype(np.int64),
            met=said["watch"],
            long_view=np.where(said["watch"], long_view, np.nan).astype(np.float32),
            seconds=np.minimum(watch_ms / 1_000, LONGEST_S).astype(np.float32),
            liked=liked.astype(np.float32),
            followed=followed.astype(np.float32),
            bought=(said["purchase"] | said["enrol"]).astype(np.float32),
            circumstance=np.zeros(len(item), np.int8) if events.circumstance is None else events.circumstance,
        )
        return told.where(order)


def _watch_ms(events: Events, duration_ms: Longs) -> Floats:
    """Return how long was watched (N,), from the share where only that is told; NaN where nothing is."""
    by_share = np.where(duration_ms > 0, events.watched * duration_ms, np.nan)
    return np.where(events.watch_ms >= 0, events.watch_ms, by_share).astype(np.float32)


def is_long(watch_ms: Floats, watched: Floats) -> Floats:
    """Return whether views (N,) of so long, and of this share of the item, were long: 1 or 0, NaN where unknown."""
    enough = (watch_ms >= LONG_FROM_S * 1_000) | (watched >= COMPLETE_FROM)
    return np.where(np.isnan(watch_ms) & np.isnan(watched), np.nan, enough).astype(np.float32)


@dataclass(frozen=True)
class Asked:
    """Would this viewer watch this item at this moment? Columns of length M."""

    viewer: Longs
    item: Longs  # codes
    at: Longs
    known_until: Longs  # the moment up to which the past is told: `at`, or earlier
    circumstance: Codes  # on what

    def __len__(self) -> int:
        return len(self.viewer)

    def where(self, kept: Flags | Longs) -> Self:
        """Return some of the questions."""
        return replace(self, **{column.name: getattr(self, column.name)[kept] for column in fields(self)})


def asked(log: Log, rows: Longs, *, known_until: int | None = None) -> Asked:
    """Return the questions to which rows (M,) of the log were the answers, with what was told until some moment."""
    at = log.at[rows]
    known = at if known_until is None else np.minimum(at, known_until)
    return Asked(
        viewer=log.viewer[rows], item=log.item[rows], at=at, known_until=known, circumstance=log.circumstance[rows]
    )
