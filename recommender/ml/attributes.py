"""What is told of items beside what happened with them. Shapes: V items, T tags, C creators."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array, vstack

from recommender.ml.arrays import Ints, Longs, Matrix, common


@dataclass(frozen=True)
class Attributes:
    """Columns over V items, in the order of their ids."""

    creator: Ints  # (V,) a code into creator_ids, −1 unknown
    creator_ids: Longs  # (C,) sorted
    tags: Matrix  # (V, T) 1 where an item has a tag; its topic is one of them
    tag_names: tuple[str, ...]  # (T,) sorted
    duration_ms: Longs  # (V,) 0 unknown
    published_at: Longs  # (V,) milliseconds since the epoch, 0 unknown
    title: tuple[str, ...]  # (V,) empty where unknown

    @property
    def creator_id(self) -> Longs:
        """Return the id of every item's creator (V,), −1 where unknown."""
        return np.append(self.creator_ids, -1)[self.creator]

    def of(self, known: Longs, asked: Longs) -> Self:
        """Return what is told of the items `asked` (V',), given the sorted ids `known` (V,) of these."""
        theirs, ours = common(known, asked)
        place = np.full(len(asked), len(known))  # one behind the last: what is unknown
        place[ours] = theirs
        title = (*self.title, "")
        nothing = csr_array((1, len(self.tag_names)), dtype=np.float32)
        return type(self)(
            creator=np.append(self.creator, np.int32(-1))[place],
            creator_ids=self.creator_ids,
            tags=csr_array(vstack([self.tags, nothing], format="csr")[place]),
            tag_names=self.tag_names,
            duration_ms=np.append(self.duration_ms, 0)[place],
            published_at=np.append(self.published_at, 0)[place],
            title=tuple(title[of] for of in place),
        )


def gather_attributes(
    *,
    item: Longs,
    creator: Longs,
    tags: Sequence[Iterable[str]],
    duration_ms: Longs,
    published_at: Longs,
    title: Sequence[str],
    item_ids: Longs,
) -> Attributes:
    """Put rows (n,) about items, in any order, into the order of `item_ids` (V,); a creator below 0 is unknown."""
    order = np.argsort(item, kind="stable")
    names = sorted({tag for of in tags for tag in of})
    code = {name: place for place, name in enumerate(names)}
    cells = [(row, code[tag]) for row, of in enumerate(order) for tag in set(tags[of])]
    rows, columns = np.array(cells, np.int64).reshape(-1, 2).T
    codes = np.unique(creator[creator >= 0])
    known = Attributes(
        creator=np.where(creator < 0, -1, np.searchsorted(codes, creator))[order].astype(np.int32),
        creator_ids=codes.astype(np.int64),
        tags=csr_array((np.ones(len(cells), np.float32), (rows, columns)), shape=(len(item), len(names))),
        tag_names=tuple(names),
        duration_ms=duration_ms[order].astype(np.int64),
        published_at=published_at[order].astype(np.int64),
        title=tuple(title[of] for of in order),
    )
    return known.of(item[order], item_ids)
