"""Viewers who watched alike will like alike: a viewer's score for an item is what their nearest viewers gave it.

s(u, v) = rᵤ·rᵥ / (‖rᵤ‖ ‖rᵥ‖ + h) and R̂ᵤᵢ = Σ s(u, v) rᵥᵢ / Σ s(u, v) over the nearest viewers v of the training matrix,
which the model keeps: "An Algorithmic Framework for Performing Collaborative Filtering" (Herlocker et al., 1999),
section 3, without centring, since a log of watches has no scale of stars. Shapes: B viewers asked, U viewers kept,
V items.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs, Matrix
from recommender.ml.folders import Arrays
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress
from recommender.ml.similarity import TINY, blocks, cosines, nearest

FAMILY = "user-cosine"


@dataclass(frozen=True)
class Config:
    """How many neighbours a viewer has, and how many ratings of mean strength a likeness must outweigh."""

    neighbours: int = 300
    shrink: float = 10.0


@dataclass(frozen=True)
class UserCosine:
    """What everyone rated."""

    name: str
    item_ids: Longs  # (V,) sorted
    ratings: Matrix  # (U, V)
    neighbours: int
    shrink: float

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return R̂ (B, V) for viewers (B,) by their ratings in `data`; zeros for who is like nobody."""
        asked = data.ratings_of(viewers)  # (B, V)
        scores = np.zeros(asked.shape, np.float32)
        for rows in blocks(len(viewers), width=self.ratings.shape[0]):
            near = nearest(cosines(asked[rows], self.ratings, shrink=self.shrink), each=self.neighbours)  # (b, U)
            scores[rows] = (near @ self.ratings).toarray() / (near.sum(1)[:, None] + TINY)
        return scores

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        numbers = {"neighbours": self.neighbours, "shrink": self.shrink}
        arrays: Arrays = {"item_ids": self.item_ids, "ratings": self.ratings}
        folders.write(folder, facts={"family": FAMILY, "name": self.name, **numbers}, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder over mapped memory."""
        facts, item_ids = folders.facts_of(folder), folders.array_of(folder, "item_ids")
        ratings = folders.matrix_of(folder, "ratings", columns=len(item_ids))
        return cls(facts["name"], item_ids, ratings, neighbours=facts["neighbours"], shrink=facts["shrink"])


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,  # noqa: ARG001 (the interface of all models)
    device: str = "cpu",  # noqa: ARG001
    progress: Progress | None = None,  # noqa: ARG001
) -> UserCosine:
    """Return the model that remembers everyone's ratings."""
    ratings = train.ratings()
    shrink = config.shrink * float(np.square(ratings.data).mean()) if ratings.nnz else 0.0
    return UserCosine("user-cosine", train.item_ids, ratings, neighbours=config.neighbours, shrink=shrink)
