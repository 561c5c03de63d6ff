"""What some viewers did, as columns: as much of a tenant as is looked at at once. Shapes: N events, U viewers."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from recommender.ml.arrays import Flags, Floats, Ints, Longs


@dataclass(frozen=True)
class Chosen:
    """What viewers said of themselves (n,), whatever they did."""

    viewer: Ints  # codes into the block's viewer_ids
    dimension: Ints  # of the contents
    is_wanted: Flags


NOTHING_CHOSEN = Chosen(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.bool_))


@dataclass(frozen=True)
class Block:
    """Events (N,) ordered by viewer and then by time."""

    viewer_ids: Longs  # (U,) sorted; also of those who did nothing
    viewer: Ints  # codes into viewer_ids
    item: Ints  # places in the contents, −1 for what is not there any more
    at: Longs  # milliseconds since the epoch
    rating: Floats  # what the event says about taste
    watched: Floats  # share of the item, NaN where it was not watched
    liked: Flags  # said so: liked, saved or shared
    bought: Flags
    chosen: Chosen = NOTHING_CHOSEN

    def __len__(self) -> int:
        return len(self.viewer)

    @property
    def viewers(self) -> int:
        """Return U."""
        return len(self.viewer_ids)

    def where(self, kept: Flags) -> Self:
        """Return the kept events (N,) of the same viewers."""
        columns = {field.name: getattr(self, field.name)[kept] for field in fields(self)[1:-1]}
        return replace(self, **columns)

    def count(self, kept: Flags) -> Longs:
        """Return how many of the kept events (N,) each viewer has: (U,)."""
        return np.bincount(self.viewer[kept], minlength=self.viewers)


def order(
    *,
    viewer_ids: Longs,
    viewers: Longs,
    item: Ints,
    at: Longs,
    rating: Floats,
    watched: Floats,
    liked: Flags,
    bought: Flags,
    chosen: Chosen = NOTHING_CHOSEN,
) -> Block:
    """Put events (N,) of any order into a block; those of viewers who are not in `viewer_ids` are left out."""
    kept = np.flatnonzero(np.isin(viewers, viewer_ids))
    code = np.searchsorted(viewer_ids, viewers[kept])
    by_time = np.lexsort((item[kept], at[kept], code))
    kept = kept[by_time]
    return Block(
        viewer_ids=viewer_ids,
        viewer=code[by_time].astype(np.int32),
        item=item[kept],
        at=at[kept],
        rating=rating[kept],
        watched=watched[kept],
        liked=liked[kept],
        bought=bought[kept],
        chosen=chosen,
    )
