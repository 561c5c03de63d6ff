"""Which items say nearly the same: pairs whose words and tags have a cosine of at least so much, found exactly.

Of two rows of length 1 whose product reaches t, the part of one row that is shorter than t cannot do it alone (Cauchy
and Schwarz). So the places that most items share are left to that part, and only rows with one of the remaining, rare
places in common are compared: prefix filtering ("Scaling Up All Pairs Similarity Search", Bayardo, Ma, Srikant, 2007,
section 3.2). Only the most alike are kept while others are looked for, so that memory is flat even where everything is
one and the same. Shapes: V items, E places of a feature, P pairs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array, diags_array

from recommender.ml import content
from recommender.ml.arrays import Flags, Floats, Ints, Matrix
from recommender.ml.attributes import Attributes
from recommender.ml.similarity import norms

ALIKE = 0.9
MOST = 10_000  # pairs that are told
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]  # one, other, cosine
BLOCK = 500  # rows compared at once, at most
TOUCHED = 5_000_000  # pairs with a rare place in common that are held at once
COMPARED = 200_000  # pairs whose rows are held at once
SLACK = 1e-6  # for what single precision rounds


@dataclass(frozen=True)
class Pairs:
    """Items that are alike, the most alike first."""

    one: Ints  # (P,) codes
    other: Ints  # (P,) codes, each larger than its `one`
    cosine: Floats  # (P,)


def duplicates(told: Attributes, *, alike: float = ALIKE, most: int = MOST) -> Pairs:
    """Return the pairs of items whose titles and tags are that much alike; who made them is not told.

    An item of which nothing is told is like no other.
    """
    return pairs(_told(told), alike=alike, most=most)


def pairs(rows: Matrix, *, alike: float, most: int = MOST) -> Pairs:
    """Return the pairs of rows (V, E) with a cosine of at least `alike`, above 0 and at most 1."""
    unit = _unit(rows)
    rare = _rare(unit, alike)
    touching: Matrix = csr_array(abs(unit.T))
    best = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    for block in _blocks(unit, rare):
        for found in _of_block(unit, rare, touching, block, alike):
            best = _best(best, found, most)
    one, other, cosine = best
    return Pairs(one.astype(np.int32), other.astype(np.int32), cosine.astype(np.float32))


def _blocks(unit: Matrix, rare: Matrix) -> Iterator[slice]:
    """Yield runs of rows, so many as touch no more than TOUCHED pairs, but one at least."""
    often = np.bincount(unit.indices, minlength=unit.shape[1])
    before = np.concatenate([[0], np.cumsum(often[rare.indices])])[rare.indptr]  # (V + 1,) pairs of the rows before
    start = 0
    while start < unit.shape[0]:
        most = int(np.searchsorted(before, before[start] + TOUCHED, side="right")) - 1
        stop = max(start + 1, min(most, start + BLOCK, unit.shape[0]))
        yield slice(start, stop)
        start = stop


def _of_block(unit: Matrix, rare: Matrix, touching: Matrix, block: slice, alike: float) -> Iterator[Columns]:
    """Yield the pairs whose first row is in the block, with their cosines."""
    touched = (abs(rare[block]) @ touching).tocoo()
    row, column = touched.row + block.start, touched.col
    later = column > row
    row, column = row[later], column[later]
    for start in range(0, len(row), COMPARED):
        one, other = row[start : start + COMPARED], column[start : start + COMPARED]
        cosine: Floats = np.asarray(unit[one].multiply(unit[other]).sum(axis=1)).ravel()
        kept = cosine >= alike - SLACK
        yield one[kept], other[kept], cosine[kept]


def _best(some: Columns, more: Columns, most: int) -> Columns:
    """Return the most alike of both, so many at most."""
    if not len(more[0]):
        return some
    one, other, cosine = (np.concatenate(columns) for columns in zip(some, more, strict=True))
    order = np.lexsort((other, one, -cosine))[:most]
    return one[order], other[order], cosine[order]


def _rare(unit: Matrix, alike: float) -> Matrix:
    """Return the rows without their most frequent places, as many of these as stay shorter than `alike` together."""
    often = np.bincount(unit.indices, minlength=unit.shape[1])
    row = np.repeat(np.arange(unit.shape[0]), np.diff(unit.indptr))
    order = np.lexsort((-often[unit.indices], row))  # the most frequent place of every row first
    squares = np.concatenate([[0], np.cumsum(np.square(unit.data[order], dtype=np.float64))])
    length = squares[1:] - squares[unit.indptr[:-1]][row]  # of the row up to here, squared
    kept: Flags = np.zeros(len(row), np.bool_)
    kept[order] = length >= (alike - 10 * SLACK) ** 2
    rare: Matrix = csr_array(
        (unit.data[kept], unit.indices[kept], np.concatenate([[0], np.cumsum(kept)])[unit.indptr]), shape=unit.shape
    )
    return rare


def _told(told: Attributes) -> Matrix:
    """Return words and tags (V, E) of a table."""
    starts, codes = told.tags.indptr, told.tags.indices
    return rows_of(
        told.title, [[told.tag_names[code] for code in codes[first:last]] for first, last in pairwise(starts)]
    )


def rows_of(titles: Sequence[str], tags: Sequence[Sequence[str]]) -> Matrix:
    """Return words and tags (V, E) without the place that is 1 in every row."""
    rows = content.features(titles=titles, tags=tags, creators=np.full(len(titles), -1))
    kept = rows.indices != content.CONSTANT
    matrix: Matrix = csr_array(
        (rows.data[kept], rows.indices[kept], np.concatenate([[0], np.cumsum(kept)])[rows.indptr]), shape=rows.shape
    )
    return matrix


def _unit(rows: Matrix) -> Matrix:
    length = norms(rows)
    scale = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
    unit: Matrix = csr_array(diags_array(scale) @ rows)
    unit.eliminate_zeros()
    unit.sort_indices()
    return unit
