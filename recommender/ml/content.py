"""What is told of an item as one sparse row: its words, tags and creator, hashed.

Nothing has to be kept to do the same to an item that appears tomorrow: no vocabulary, no encoder, and a tag or a
creator that nobody has seen before falls on places that say nothing yet. Each of the three blocks has length 1, or 0
where nothing is told, so that a missing one is tolerated. Follows "Feature Hashing for Large Scale Multitask
Learning" (Weinberger et al., 2009), section 2. Shapes: n items, E the width.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from recommender.ml import bag
from recommender.ml.arrays import Longs, Matrix
from recommender.ml.attributes import Attributes

WIDTH = 1 << 15  # E
CONSTANT = 0  # the place that is 1 in every row

Feature = tuple[int, float]  # a place and what stands there


def features(*, titles: Sequence[str], tags: Sequence[Iterable[str]], creators: Longs) -> Matrix:
    """Return (n, E) of items with these titles, tags and ids of creators, below 0 where unknown."""
    rows = [
        [(CONSTANT, 1.0), *_words(title), *_block(f"tag {tag}" for tag in of), *_creator(creator)]
        for title, of, creator in zip(titles, tags, creators.tolist(), strict=True)
    ]
    starts = np.cumsum([0, *map(len, rows)])
    cells = np.array([cell for row in rows for cell in row], np.float64).reshape(-1, 2)
    matrix: Matrix = csr_array(
        (cells[:, 1].astype(np.float32), cells[:, 0].astype(np.int32), starts.astype(np.int32)),
        shape=(len(rows), WIDTH),
    )
    matrix.sum_duplicates()
    return matrix


def features_of(attributes: Attributes) -> Matrix:
    """Return (V, E) of what is told of the items of a table."""
    return features(titles=attributes.title, tags=_tags(attributes), creators=attributes.creator_id)


def narrowed(rows: Matrix, *, width: int) -> Matrix:
    """Return rows (n, E) hashed on to fewer places (n, width), for networks that hold a weight for each."""
    narrow: Matrix = csr_array((rows.data.copy(), rows.indices % width, rows.indptr), shape=(rows.shape[0], width))
    narrow.sum_duplicates()
    return narrow


def _tags(attributes: Attributes) -> list[list[str]]:
    starts, codes = attributes.tags.indptr, attributes.tags.indices
    return [[attributes.tag_names[code] for code in codes[first:last]] for first, last in pairwise(starts)]


def _words(title: str) -> Iterator[Feature]:
    weights = bag.weights(title)
    return _scaled((f"word {word}", weight) for word, weight in weights.items())


def _creator(creator: int) -> Iterator[Feature]:
    return _block([f"creator {creator}"] if creator >= 0 else [])


def _block(names: Iterable[str]) -> Iterator[Feature]:
    return _scaled((name, 1.0) for name in sorted(set(names)))


def _scaled(weights: Iterable[tuple[str, float]]) -> Iterator[Feature]:
    """Yield where the names stand, the whole at length 1."""
    told = list(weights)
    length = float(np.sqrt(sum(weight**2 for _, weight in told)))
    for name, weight in told:
        place, sign = _place(name)
        yield place, sign * weight / length


@lru_cache(maxsize=200_000)
def _place(name: str) -> tuple[int, int]:
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    return 1 + (number >> 1) % (WIDTH - 1), 1 if number & 1 else -1
