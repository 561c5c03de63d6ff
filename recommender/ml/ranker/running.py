"""Sums over what had happened until some moment, for a million rows at once: by sorting, without a loop."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Longs

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Running:
    """Events of groups, ordered within each group by a whole number: a time or a place in a sequence.

    The sum over a stretch is the difference of two cumulated sums, found by binary search. A group below 0 is none:
    its sums are 0. Shapes: N events, K values of each, M questions.
    """

    groups: Longs  # (G,) sorted
    keys: Longs  # (N,) sorted: place of the group · span + order
    total: Sums  # (N + 1, K) cumulated in the order of the keys
    first: int  # the smallest order
    span: int  # more than any difference of orders

    @classmethod
    def of(cls, group: Longs, order: Longs, values: Sums) -> Self:
        """Take events of groups (N,) at orders (N,) with values (N, K), in any order."""
        groups, code = np.unique(group, return_inverse=True)
        first = int(order.min()) if len(order) else 0
        span = int(order.max()) - first + 2 if len(order) else 2
        keys = code.astype(np.int64) * span + (order - first)
        sorting = np.argsort(keys, kind="stable")
        total = np.zeros((len(keys) + 1, values.shape[1]))
        np.cumsum(values[sorting], axis=0, out=total[1:])
        return cls(groups, keys[sorting], total, first, span)

    def sums(self, group: Longs, since: Longs | int, until: Longs) -> Sums:
        """Return the sums (M, K) over the events of groups (M,) with since ≤ order < until (M,)."""
        base, known = self._base(group)
        begin = np.searchsorted(self.keys, base + self._clamped(since))
        end = np.searchsorted(self.keys, base + self._clamped(until))
        return np.asarray((self.total[np.maximum(end, begin)] - self.total[begin]) * known[:, None])

    def _clamped(self, order: Longs | int) -> Longs:
        """Return orders counted from the first one, within the span."""
        return np.clip(np.subtract(order, self.first), 0, self.span - 1)

    def _base(self, group: Longs) -> tuple[Longs, NDArray[np.bool_]]:
        """Return where the keys of groups (M,) begin, and which groups there are."""
        if not len(self.groups):
            return np.zeros(len(group), np.int64), np.zeros(len(group), np.bool_)
        place = np.minimum(np.searchsorted(self.groups, group), len(self.groups) - 1)
        return place * self.span, (self.groups[place] == group) & (group >= 0)
