"""Which items say nearly the same: pairs whose words and tags have a cosine of at least so much, found exactly.

Of two rows of length 1 whose product reaches t, the part of one row that is shorter than t cannot do it alone (Cauchy
and Schwarz). So the places that most items share are left to that part, and only rows with one of the remaining, rare
places in common are compared: prefix filtering ("Scaling Up All Pairs Similarity Search", Bayardo, Ma, Srikant, 2007,
section 3.2). Shapes: V items, E places of a feature, P pairs.
"""

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
BLOCK = 500  # rows compared at once
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
    columns: Matrix = csr_array(unit.T)
    found = [_of_block(unit, rare, columns, start, alike) for start in range(0, unit.shape[0], BLOCK)]
    one, other, cosine = (np.concatenate(column) for column in zip(_none(), *found, strict=True))
    order = np.lexsort((other, one, -cosine))[:most]
    return Pairs(one[order].astype(np.int32), other[order].astype(np.int32), cosine[order].astype(np.float32))


def _of_block(
    unit: Matrix, rare: Matrix, columns: Matrix, start: int, alike: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs whose first row is in the block, with their cosines."""
    stop = min(start + BLOCK, unit.shape[0])
    touched = (abs(rare[start:stop]) @ abs(columns)).tocoo()
    one, other = touched.row + start, touched.col
    later = other > one
    one, other = one[later], other[later]
    cosine: Floats = np.asarray(unit[one].multiply(unit[other]).sum(axis=1)).ravel()
    kept = cosine >= alike - SLACK
    return one[kept], other[kept], cosine[kept]


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
    """Return words and tags (V, E) without the place that is 1 in every row."""
    starts, codes = told.tags.indptr, told.tags.indices
    tags = [[told.tag_names[code] for code in codes[first:last]] for first, last in pairwise(starts)]
    rows = content.features(titles=told.title, tags=tags, creators=np.full(len(told.title), -1))
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


def _none() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
