"""Whom those follow who follow the same creators: the follow graph as a signal between viewers.

Two creators are as alike as the sets of their followers: s(a, b) = n_ab / (√(n_a n_b) + h), the cosine between columns
of the follows F (U × C), shrunk as in `similarity`. A creator scores Σ s over those whom the viewer follows, as items
do in `item_cosine`. What only one viewer has in common is left out, so that nobody's follows can be read from it.

It is a part of a version (`social`), numpy alone, and asks for the viewer's follows only: who follows somebody a
moment ago is served by it at once. Shapes: U viewers, C creators, N neighbours of each, n creators asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs, Matrix, common
from recommender.ml.folders import Arrays
from recommender.ml.similarity import blocks, nearest, norms, stacked

FAMILY = "social"
NEIGHBOURS = 30
SHRINK = 5.0  # followers in common that a likeness must outweigh
FEWEST_IN_COMMON = 2
NOBODY = -1


@dataclass(frozen=True)
class Social:
    """The creators nearest to each, by who follows them."""

    creator_ids: Longs  # (C,) sorted
    near: Ints  # (C, N) places in creator_ids, the nearest first, then NOBODY
    likeness: Floats  # (C, N), 0 for nobody

    def nearest_to(self, followed: Sequence[int], *, k: int) -> Longs:
        """Return the k creators whom those follow who follow these, best first (k,); none of these is among them."""
        places = self._places(followed)
        near, likeness = self.near[places].ravel(), self.likeness[places].ravel()
        found, codes = np.unique(near, return_inverse=True)
        scores = np.bincount(codes, likeness, len(found))
        scores[np.isin(found, places) | (found == NOBODY)] = 0
        best = np.argsort(-scores, kind="stable")[:k]
        return self.creator_ids[found[best[scores[best] > 0]]]

    def most_like(self, creator: int, followed: Sequence[int]) -> int | None:
        """Return which of these is nearest to a creator; None where no one is near."""
        at, places = self._places([creator]), self._places(followed)
        if not len(at) or not len(places):
            return None
        likeness = np.where(self.near[places] == at, self.likeness[places], 0).max(1)
        best = int(likeness.argmax())
        return int(self.creator_ids[places[best]]) if likeness[best] > 0 else None

    def _places(self, creators: Sequence[int]) -> Longs:
        """Return the places of those that are known."""
        places, _ = common(self.creator_ids, np.asarray(creators, np.int64))
        return places

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        arrays: Arrays = {"creator_ids": self.creator_ids, "near": self.near, "likeness": self.likeness}
        folders.write(folder, facts={"family": FAMILY, "name": FAMILY}, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return it over mapped memory. Raises ValueError where its arrays do not belong together."""
        arrays = [folders.array_of(folder, name) for name in ("creator_ids", "near", "likeness")]
        if not len(arrays[0]) == len(arrays[1]) == len(arrays[2]):
            raise ValueError(f"{folder} tells of {[len(array) for array in arrays]} creators.")
        return cls(*arrays)


def learn(viewers: Longs, creators: Longs) -> Social | None:
    """Return what follows (n,) of creators by viewers say, each told once; None where no two creators are alike.

    Memory is flat: the likenesses of a block of creators at a time, of which each keeps its nearest.
    """
    creator_ids, columns = np.unique(creators, return_inverse=True)
    people, rows = np.unique(viewers, return_inverse=True)
    told = np.ones(len(rows), np.float32)
    followers: Matrix = csr_array((told, (columns, rows)), shape=(len(creator_ids), len(people)))  # (C, U)
    many = len(creator_ids)
    lengths = norms(followers)
    found = [_alike(followers, block, lengths) for block in blocks(many, width=many)]
    likeness = stacked(found, width=many)
    if not likeness.nnz:
        return None
    return Social(creator_ids, *_padded(likeness))


def _alike(followers: Matrix, block: slice, lengths: Floats) -> Matrix:
    """Return the nearest of a block of creators (B, C)."""
    common = (followers[block] @ followers.T).tocsr()
    rows = block.start + np.repeat(np.arange(common.shape[0]), np.diff(common.indptr))
    counted = (common.data >= FEWEST_IN_COMMON) & (common.indices != rows)
    common.data = np.where(counted, common.data / (lengths[rows] * lengths[common.indices] + np.float32(SHRINK)), 0)
    return nearest(common, each=NEIGHBOURS)


def _padded(likeness: Matrix) -> tuple[Ints, Floats]:
    """Return the same (C, C) as places and likenesses (C, N), the nearest first."""
    rows = np.repeat(np.arange(likeness.shape[0]), np.diff(likeness.indptr))
    order = np.lexsort((likeness.indices, -likeness.data, rows))
    rank = np.arange(likeness.nnz) - likeness.indptr[:-1][rows]
    near = np.full((likeness.shape[0], NEIGHBOURS), NOBODY, np.int32)
    told = np.zeros(near.shape, np.float32)
    near[rows, rank], told[rows, rank] = likeness.indices[order], likeness.data[order]
    return near, told
