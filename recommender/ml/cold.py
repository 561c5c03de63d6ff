"""Where an item belongs that nobody has met: from what is told of it to a vector in the space of a retrieval model.

It is a part of a stored version (`cold`), numpy alone, so that a web process can place an item the minute it is
published:

    cold.name                                                the retrieval model in whose space the vectors lie
    cold.vectors(titles=…, tags=…, creators=…) -> (n, D)     as that model's `item_vectors`
    viewer's vector (D,) @ cold.vectors(…).T -> (n,)         as that model's scores, without a bias of the item

What is not told (an empty title, no tags, a creator below 0) is left out; an item of which nothing is told stands
where the average item does. What it hears of an item is `content.features`: the same words, tags and ids of creators
as at training.

`learn` fits a linear map to the vectors of any model that has some: ridge regression, items weighted by how well they
are known, as the "attribute to latent feature mapping" of Gantner et al. (2010), section III. A model whose own tower
maps what is told to vectors brings a map with a hidden layer. Shapes: n items, V items of the model, E places of a
feature, H hidden, D dimensions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from recommender.ml import content, folders
from recommender.ml.arrays import Floats, Longs, Matrix
from recommender.ml.folders import Arrays
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.latent_cosine import unit

FAMILY = "cold"
RIDGE = 3.0
HALF_KNOWN = 10  # events with which an item's vector counts half as much as one that is known for sure
STEPS = 25  # of the conjugate gradient
TINY = 1e-12

Doubles = NDArray[np.float64]


@runtime_checkable
class Placed(Protocol):
    """A model whose items lie in a space."""

    @property
    def name(self) -> str: ...

    @property
    def item_ids(self) -> Longs: ...

    @property
    def item_vectors(self) -> Floats: ...


@dataclass(frozen=True)
class Cold:
    """A map from what is told of an item to the vectors of the model it is named after."""

    name: str
    hidden: Floats  # (E, H), no column where the map is linear
    out: Floats  # (H, D), or (E, D) where the map is linear
    directions: bool = False  # whether every vector has length 1

    def vectors(self, *, titles: Sequence[str], tags: Sequence[Iterable[str]], creators: Longs) -> Floats:
        """Return vectors (n, D) of items with these titles, tags and ids of creators (n,), below 0 where unknown."""
        return self.of(content.features(titles=titles, tags=tags, creators=creators))

    def of(self, features: Matrix) -> Floats:
        """Return vectors (n, D) of items with these features (n, E)."""
        inner = np.maximum(features @ self.hidden, 0) if self.hidden.shape[1] else features  # (n, H)
        placed = np.asarray(inner @ self.out, np.float32)  # (n, D)
        return unit(placed) if self.directions else placed

    def save(self, folder: Path) -> None:
        """Write the map into an existing folder."""
        facts = {"family": FAMILY, "name": self.name, "directions": self.directions}
        arrays: Arrays = {"hidden": self.hidden, "out": self.out}
        folders.write(folder, facts=facts, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the map of a folder over mapped memory."""
        facts = folders.facts_of(folder)
        hidden, out = (folders.array_of(folder, name) for name in ("hidden", "out"))
        return cls(facts["name"], hidden, out, facts["directions"])


def learn(model: Placed, train: Interactions, *, ridge: float = RIDGE) -> Cold:
    """Return the linear map to the vectors of a model from what is told of its items in `train`.

    Raises BrokenData where `train` tells nothing of items.
    """
    known = train.in_words_of(model.item_ids)
    if known.attributes is None:
        raise BrokenData("no_attributes", "Nothing is told of the items.")
    events = np.bincount(known.item, minlength=len(model.item_ids))  # (V,)
    weights = events / (events + HALF_KNOWN)  # (V,) 0 for an item that nobody met: its vector says nothing
    out = _ridge(content.features_of(known.attributes), np.asarray(model.item_vectors), weights, ridge)
    return Cold(model.name, hidden=np.zeros((content.WIDTH, 0), np.float32), out=out)


def _ridge(X: Matrix, Y: Floats, weights: Doubles, ridge: float) -> Floats:
    """Return W (E, D) that makes Σ weight ‖xW − y‖² + ridge ‖W‖² least for X (V, E) and Y (V, D)."""
    used, columns = np.unique(X.indices, return_inverse=True)  # of E places few say anything: the rest stays 0
    W = np.zeros((X.shape[1], Y.shape[1]), np.float32)  # (E, D)
    W[used] = _conjugate_gradient(csr_array((X.data, columns, X.indptr), shape=(len(Y), len(used))), Y, weights, ridge)
    return W


def _conjugate_gradient(X: Matrix, Y: Floats, weights: Doubles, ridge: float) -> Doubles:
    weighted = (diags_array(weights) @ X).T.tocsr()  # (E, V)
    W = np.zeros((X.shape[1], Y.shape[1]))  # (E, D)
    residual = np.asarray(weighted @ Y, np.float64)  # (E, D)
    direction, size = residual, np.square(residual).sum(0)  # (E, D), (D,)
    for _ in range(STEPS):
        moved = weighted @ (X @ direction) + ridge * direction  # (E, D)
        step = size / ((direction * moved).sum(0) + TINY)  # (D,)
        W = W + step * direction
        residual = residual - step * moved
        smaller = np.square(residual).sum(0)
        direction, size = residual + smaller / (size + TINY) * direction, smaller
    return W
