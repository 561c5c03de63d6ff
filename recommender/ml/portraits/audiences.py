"""Who watches whom, counted: every viewer of a creator falls into one topic, one hour, one segment, one visit.

So each of the four is a histogram in which a viewer moves one cell by one. Shapes: N events, U viewers, C creators.
"""

from dataclasses import dataclass, field

import numpy as np

from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.interests import DAY_MS, HOURS

WINDOWS = (7, 28, 90)  # days
NEW, RETURNING = 0, 1


@dataclass(frozen=True)
class Traits:
    """Into which cell each viewer (U,) falls; −1 for none."""

    topic: Ints
    hour: Ints
    segment: Ints

    @classmethod
    def of(cls, wishes: Floats, hours: Floats, segment: Ints, *, topics: int) -> "Traits":
        """Return the strongest topic of P (U, D), whose first columns are topics, and the busiest hour (U, 24)."""
        return cls(topic=strongest(wishes[:, :topics]), hour=strongest(hours), segment=segment)


def strongest(matrix: Floats) -> Ints:
    """Return the column of each row's largest number (U,), −1 where none is positive."""
    if not matrix.shape[1]:
        return np.full(len(matrix), -1, np.int32)
    return np.where(matrix.max(1) > 0, matrix.argmax(1), -1).astype(np.int32)


@dataclass
class Count:
    """The audiences of all creators within so many days, so far."""

    days: int
    viewers: Longs  # (C,)
    cells: dict[str, Longs] = field(default_factory=dict)  # name → (C, cells)

    def add(self, creator: Ints, cells: dict[str, tuple[Ints, int]]) -> None:
        """Count pairs of a viewer with a creator: creators (n,), and per name the viewer's cell (n,) of how many."""
        creators = len(self.viewers)
        self.viewers += np.bincount(creator, minlength=creators)
        for name, (cell, size) in cells.items():
            fits = cell >= 0
            counted = np.bincount(creator[fits].astype(np.int64) * size + cell[fits], minlength=creators * size)
            self.cells[name] = self.cells.get(name, np.int64(0)) + counted.reshape(creators, size)


@dataclass(frozen=True)
class Audiences:
    """The audiences within each of the windows."""

    creators: int
    topics: int
    segments: int
    counts: tuple[Count, ...]

    @classmethod
    def empty(cls, *, creators: int, topics: int, segments: int) -> "Audiences":
        """Return audiences in which nobody is yet."""
        counts = tuple(Count(days, np.zeros(creators, np.int64)) for days in WINDOWS)
        return cls(creators, topics, segments, counts)

    def add(self, block: Block, creator_of: Ints, traits: Traits, *, at_ms: int) -> None:
        """Count a block's viewers; `creator_of` (V,) holds the creator's code of each item."""
        told = block.where(~np.isnan(block.watched) & (block.item >= 0))
        pair = told.viewer.astype(np.int64) * self.creators + creator_of[told.item]
        found, first = np.unique(pair, return_index=True)  # events are in the order of time
        _, last = np.unique(pair[::-1], return_index=True)
        first_at, last_at = told.at[first], told.at[len(told) - 1 - last]
        viewer, creator = found // max(self.creators, 1), (found % max(self.creators, 1)).astype(np.int32)
        for count in self.counts:
            since = at_ms - count.days * DAY_MS
            within = last_at >= since
            visit = np.where(first_at[within] >= since, NEW, RETURNING).astype(np.int32)
            count.add(creator[within], self._cells(traits, viewer[within], visit))

    def _cells(self, traits: Traits, viewer: Longs, visit: Ints) -> dict[str, tuple[Ints, int]]:
        return {
            "topics": (traits.topic[viewer], self.topics),
            "hours": (traits.hour[viewer], HOURS),
            "segments": (traits.segment[viewer], self.segments),
            "visits": (visit, 2),
        }
