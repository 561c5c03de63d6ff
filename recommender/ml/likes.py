"""What viewers wanted, as a set: neither how often nor in which order. Shapes: B viewers, V items."""

import numpy as np
from scipy.sparse import csr_array

from recommender.ml.arrays import Ints, Matrix
from recommender.ml.interactions import Interactions


def liked(data: Interactions, viewers: Ints) -> Matrix:
    """Return 1 where viewers (B,) wanted an item: (B, V), by their events alone."""
    starts, counts = data.starts[viewers], np.diff(data.starts)[viewers]  # (B,)
    owner = np.repeat(np.arange(len(viewers)), counts)
    rows = np.arange(len(owner)) + np.repeat(starts - (counts.cumsum() - counts), counts)
    wanted = data.positive[rows]
    cells = np.unique(owner[wanted] * data.shape[1] + data.item[rows[wanted]])
    ends = np.searchsorted(cells, np.arange(len(viewers) + 1) * data.shape[1]).astype(np.int32)
    items = (cells % max(data.shape[1], 1)).astype(np.int32)
    matrix: Matrix = csr_array((np.ones(len(cells), np.float32), items, ends), shape=(len(viewers), data.shape[1]))
    return matrix


def pooling(likes: Matrix) -> Matrix:
    """Return 1 / √n where a row has n likes (B, V): its product with vectors grows with a history, but slowly."""
    counts = np.diff(likes.indptr)
    weights = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    matrix: Matrix = csr_array((weights, likes.indices, likes.indptr), shape=likes.shape)
    return matrix
