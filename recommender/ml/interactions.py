"""Who met what and when: the one table that every model learns from.

Shapes: N events, U viewers, V items. A code is a place in a vocabulary of sorted ids, so that a smaller code
is a smaller id and a tie between codes is a tie between ids.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from recommender.ml.arrays import Flags, Floats, Ints, Longs, Matrix, common
from recommender.ml.attributes import Attributes


class BrokenData(Exception):
    """What cannot be read, or learned from, as interactions; `code` says why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True)
class Interactions:
    """Events as columns of length N, ordered by viewer and then by time."""

    viewer: Ints  # codes into viewer_ids
    item: Ints  # codes into item_ids
    at: Longs  # milliseconds since the epoch
    weight: Floats  # the implicit rating of this event; may be negative
    positive: Flags  # whether it counts as wanted when a ranking is judged
    watched: Floats  # share of the item that was watched, NaN where unknown
    watch_ms: Ints  # how long it was watched, −1 where unknown
    viewer_ids: Longs  # (U,) sorted
    item_ids: Longs  # (V,) sorted
    attributes: Attributes | None = None  # of the V items, where they are told
    asked_at: Longs | None = None  # (U,) when each viewer is asked what they want next, ms; −1 or None: unknown

    def __len__(self) -> int:
        return len(self.viewer)

    @property
    def shape(self) -> tuple[int, int]:
        """Return (U, V)."""
        return len(self.viewer_ids), len(self.item_ids)

    def where(self, kept: Flags) -> Self:
        """Return the kept events (N,) under the same vocabularies, so that codes stay comparable."""
        return replace(
            self,
            viewer=self.viewer[kept],
            item=self.item[kept],
            at=self.at[kept],
            weight=self.weight[kept],
            positive=self.positive[kept],
            watched=self.watched[kept],
            watch_ms=self.watch_ms[kept],
        )

    def in_words_of(self, item_ids: Longs) -> Self:
        """Return the events whose items are among these ids (V',), sorted, with codes into them; viewers stay."""
        if item_ids is self.item_ids or np.array_equal(item_ids, self.item_ids):
            return self
        code = np.full(self.shape[1], -1, np.int32)  # (V,)
        theirs, ours = common(item_ids, self.item_ids)
        code[ours] = theirs
        kept = self.where(code[self.item] >= 0)
        attributes = self.attributes and self.attributes.of(self.item_ids, item_ids)
        return replace(kept, item=code[kept.item], item_ids=item_ids, attributes=attributes)

    def latest(self, each: int) -> Self:
        """Return every viewer's last so many events."""
        return self.where(self.starts[1:][self.viewer] - np.arange(len(self)) <= each)

    @cached_property
    def starts(self) -> Longs:
        """Return where each viewer's events begin, and where the last ones end (U + 1,)."""
        return np.searchsorted(self.viewer, np.arange(self.shape[0] + 1)).astype(np.int64)

    def of(self, viewer: int) -> slice:
        """Return where a viewer's events stand, the oldest first."""
        return slice(int(self.starts[viewer]), int(self.starts[viewer + 1]))

    def rated(self, viewer: int) -> tuple[Ints, Floats]:
        """Return what a viewer met, each item once (n,), and the sum of its weights (n,)."""
        events = self.of(viewer)
        items, cell = np.unique(self.item[events], return_inverse=True)
        return items, np.bincount(cell, self.weight[events], len(items)).astype(np.float32)

    def ratings_of(self, viewers: Ints) -> Matrix:
        """Return the rows of R of viewers (B,) from their events alone: (B, V)."""
        first, counts = self.starts[viewers], np.diff(self.starts)[viewers]  # (B,)
        ends = np.concatenate([[0], np.cumsum(counts)])  # (B + 1,)
        events = np.arange(ends[-1]) + np.repeat(first - ends[:-1], counts)
        cells = self.weight[events], self.item[events], ends.astype(np.int32)
        matrix: Matrix = csr_array(cells, shape=(len(viewers), self.shape[1]))
        matrix.sum_duplicates()
        return matrix

    def cells(self) -> Longs:
        """Return viewer · V + item of every event (N,): one number for who met what."""
        return self.viewer.astype(np.int64) * self.shape[1] + self.item

    def ratings(self) -> Matrix:
        """Return R (U, V): the sum of the weights of a viewer's events with an item."""
        return self._matrix(self.weight)

    def seen(self) -> Matrix:
        """Return (U, V) with a stored entry wherever a viewer met an item: how often."""
        return self._matrix(np.ones(len(self), np.float32))

    def _matrix(self, values: Floats) -> Matrix:
        matrix: Matrix = csr_array((values.copy(), self.item.copy(), self.starts.astype(np.int32)), shape=self.shape)
        matrix.sum_duplicates()
        return matrix


def gather(
    *,
    viewers: Longs,
    items: Longs,
    at: Longs,
    weight: Floats,
    positive: Flags,
    watched: Floats | None = None,
    watch_ms: Ints | None = None,
    known_items: Longs | None = None,
) -> Interactions:
    """Put events (N,) of any order into Interactions; `known_items` exist even if nobody met them.

    Raises BrokenData where a weight is no number, from which every model would learn nothing but NaN.
    """
    if not np.isfinite(weight).all():
        raise BrokenData("weight_not_finite", f"{np.count_nonzero(~np.isfinite(weight))} events have no finite weight.")
    order = np.lexsort((at, viewers))
    watched = np.full(len(order), np.nan, np.float32) if watched is None else watched[order].astype(np.float32)
    watch_ms = np.full(len(order), -1, np.int32) if watch_ms is None else watch_ms[order].astype(np.int32)
    viewer_ids, viewer = np.unique(viewers[order], return_inverse=True)
    item_ids = np.unique(items if known_items is None else np.concatenate([items, known_items]))
    return Interactions(
        viewer=viewer.astype(np.int32),
        item=np.searchsorted(item_ids, items[order]).astype(np.int32),
        at=at[order].astype(np.int64),
        weight=weight[order].astype(np.float32),
        positive=positive[order].astype(np.bool_),
        watched=watched,
        watch_ms=watch_ms,
        viewer_ids=viewer_ids.astype(np.int64),
        item_ids=item_ids.astype(np.int64),
    )
