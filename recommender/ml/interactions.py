"""Who met what and when: the one table that every model learns from.

Shapes: N events, U viewers, V items. A code is a place in a vocabulary of sorted ids, so that a smaller code
is a smaller id and a tie between codes is a tie between ids.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Matrix = csr_array[np.float32, tuple[int, int]]


@dataclass(frozen=True)
class Interactions:
    """Events as columns of length N, ordered by viewer and then by time."""

    viewer: Ints  # codes into viewer_ids
    item: Ints  # codes into item_ids
    at: Longs  # milliseconds since the epoch
    weight: Floats  # the implicit rating of this event; may be negative
    positive: Flags  # whether it counts as wanted when a ranking is judged
    viewer_ids: Longs  # (U,) sorted
    item_ids: Longs  # (V,) sorted

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
        )

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
        starts = np.searchsorted(self.viewer, np.arange(self.shape[0] + 1)).astype(np.int32)  # (U + 1,)
        matrix: Matrix = csr_array((values.copy(), self.item.copy(), starts), shape=self.shape)
        matrix.sum_duplicates()
        return matrix


def gather(
    *,
    viewers: Longs,
    items: Longs,
    at: Longs,
    weight: Floats,
    positive: Flags,
    known_items: Longs | None = None,
) -> Interactions:
    """Put events (N,) of any order into Interactions; `known_items` exist even if nobody met them."""
    order = np.lexsort((at, viewers))
    viewer_ids, viewer = np.unique(viewers[order], return_inverse=True)
    item_ids = np.unique(items if known_items is None else np.concatenate([items, known_items]))
    return Interactions(
        viewer=viewer.astype(np.int32),
        item=np.searchsorted(item_ids, items[order]).astype(np.int32),
        at=at[order].astype(np.int64),
        weight=weight[order].astype(np.float32),
        positive=positive[order].astype(np.bool_),
        viewer_ids=viewer_ids.astype(np.int64),
        item_ids=item_ids.astype(np.int64),
    )
