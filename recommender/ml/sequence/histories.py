"""The latest that viewers wanted, as rows that begin at the left: what encoders read. Shapes: B viewers, T places."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Ints, Longs
from recommender.ml.interactions import Interactions
from recommender.ml.sequence import times

CELLS = 2_000_000  # relations of places held at once


class Histories(NamedTuple):
    """What B viewers wanted, the oldest first; beyond a viewer's length stand zeros."""

    items: Ints  # (B, T) codes
    at: Longs  # (B, T) milliseconds; beyond the length, the last moment
    lengths: Ints  # (B,)
    asked_at: Longs  # (B,) when the next is asked for, −1 unknown

    def inputs(self, *, pairwise: bool) -> dict[str, NDArray[Any]]:
        """Return what encoders read beside the items' vectors, by name."""
        since = times.seconds(self.at)
        read: dict[str, NDArray[Any]] = {
            "gaps": times.gaps(since),
            "waits": times.waits(self.at, self.lengths, self.asked_at),
            "lengths": np.maximum(self.lengths, 1).astype(np.int64),
        }
        return read | ({"relations": times.relations(since)} if pairwise else {})


def latest(data: Interactions, viewers: Ints, *, length: int) -> Histories:
    """Return the last positive events, `length` at most, of viewers (B,); T is the longest there is, at least 1."""
    rows, owner = _positives(data, viewers)
    counts = np.bincount(owner, minlength=len(viewers))  # (B,)
    ends = counts.cumsum()
    from_end = ends[owner] - 1 - np.arange(len(rows))
    rows, owner, from_end = (column[from_end < length] for column in (rows, owner, from_end))
    lengths = np.minimum(counts, length).astype(np.int32)
    items = np.zeros((len(viewers), max(1, int(lengths.max(initial=0)))), np.int32)
    at = np.zeros(items.shape, np.int64)
    places = lengths[owner] - 1 - from_end
    items[owner, places] = data.item[rows]
    at[owner, places] = data.at[rows]
    np.maximum.accumulate(at, axis=1, out=at)
    unknown = np.full(len(viewers), -1, np.int64)
    return Histories(items, at, lengths, unknown if data.asked_at is None else data.asked_at[viewers])


def batches(data: Interactions, viewers: Ints, *, length: int) -> Iterator[tuple[Longs, Histories]]:
    """Yield places in viewers (B,) and their histories, alike lengths side by side, so many as memory should hold."""
    wanted = np.concatenate([[0], data.positive.cumsum()])
    counts = wanted[data.starts[viewers + 1]] - wanted[data.starts[viewers]]  # (B,)
    order = np.argsort(counts, kind="stable")
    first = 0
    while first < len(order):
        last = first + 1
        while last < len(order) and (last + 1 - first) * min(length, max(1, counts[order[last]])) ** 2 <= CELLS:
            last += 1
        yield order[first:last], latest(data, viewers[order[first:last]], length=length)
        first = last


def _positives(data: Interactions, viewers: Ints) -> tuple[Longs, Longs]:
    """Return the rows of the viewers' (B,) positive events, in order, and whose each is: a place in viewers."""
    starts, counts = data.starts[viewers], np.diff(data.starts)[viewers]  # (B,)
    owner = np.repeat(np.arange(len(viewers)), counts)
    rows = np.arange(len(owner)) + np.repeat(starts - (counts.cumsum() - counts), counts)
    wanted = data.positive[rows]
    return rows[wanted], owner[wanted]
