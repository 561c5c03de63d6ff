"""What each viewer has, as things: who liked it, who bought it. Shapes: N events, U viewers, V items."""

import numpy as np
from scipy.sparse import csr_array

from recommender.ml.arrays import Ints, Matrix
from recommender.ml.portraits.block import Block

LIKED, BOUGHT = VERBS = (0, 1)
MOST = 200  # things of one viewer, the latest: somebody who likes everything says nothing


def things(block: Block) -> tuple[Ints, Ints]:
    """Return (viewer, thing) of what was liked or bought, each once a viewer; a thing is 2 · item + verb."""
    told = block.where((block.liked | block.bought) & (block.item >= 0))
    from_end = np.searchsorted(told.viewer, told.viewer, side="right") - np.arange(len(told))
    latest = told.where(from_end <= MOST)
    pairs = np.unique(np.stack([latest.viewer, 2 * latest.item + latest.bought]), axis=1)
    return pairs[0].astype(np.int32), pairs[1].astype(np.int32)


def ratings(block: Block, items: int) -> Matrix:
    """Return R (U, V): the sum of a viewer's ratings of an item."""
    known = block.where(block.item >= 0)
    matrix: Matrix = csr_array((known.rating, (known.viewer, known.item)), shape=(block.viewers, items))
    return matrix
