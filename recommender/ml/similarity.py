"""Cosines between the rows of sparse matrices, a block at a time. A row of zeros is like nothing: 0, never NaN."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array, vstack

from recommender.ml.arrays import Floats, Matrix

BLOCK_CELLS = 8_000_000  # similarities held at once: 64 MB at most, stored sparsely
TINY = 1e-12


def norms(matrix: Matrix) -> Floats:
    """Return the Euclidean length of every row."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.sqrt(np.bincount(rows, np.square(matrix.data), matrix.shape[0])).astype(np.float32)


def cosines(left: Matrix, right: Matrix, *, shrink: float) -> Matrix:
    """Return a·b / (‖a‖ ‖b‖ + shrink) for every row a of left (B, N) and b of right (M, N): (B, M).

    The shrinkage makes a likeness that rests on little count less: "Are We Really Making Much Progress?" (Ferrari
    Dacrema, Cremonesi, Jannach, 2019), section 3.1.
    """
    products = (left @ right.T).tocsr()
    rows = np.repeat(np.arange(products.shape[0]), np.diff(products.indptr))
    products.data /= norms(left)[rows] * norms(right)[products.indices] + np.float32(shrink + TINY)
    return products


def nearest(similar: Matrix, *, each: int) -> Matrix:
    """Return the matrix with only the `each` largest entries of every row, and none that is not positive."""
    kept = similar.data > 0
    for row in np.flatnonzero(np.diff(similar.indptr) > each):
        cells = slice(similar.indptr[row], similar.indptr[row + 1])
        rest = np.argpartition(similar.data[cells], -each)[:-each]
        kept[cells.start + rest] = False
    starts = np.concatenate([[0], np.cumsum(kept)])[similar.indptr].astype(np.int32)
    matrix: Matrix = csr_array((similar.data[kept], similar.indices[kept], starts), shape=similar.shape)
    return matrix


def blocks(rows: int, *, width: int) -> Iterator[slice]:
    """Yield slices over the rows so that a block of that width stays within memory."""
    size = max(1, BLOCK_CELLS // max(width, 1))
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def stacked(parts: list[Matrix], *, width: int) -> Matrix:
    """Return blocks of rows as one matrix."""
    matrix: Matrix = vstack([csr_array((0, width), dtype=np.float32), *parts], format="csr")
    return matrix
