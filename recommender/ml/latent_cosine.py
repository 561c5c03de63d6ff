"""A viewer and an item in one space, and the cosine between them: R̂ = p·f / (‖p‖ ‖f‖).

The space is that of the truncated SVD, R ≈ U Σ Vᵀ = P Fᵀ with P = U √Σ and F = V √Σ; a history r stands at r V / √Σ,
which for a viewer of the training matrix is their row of P. The result lies in [−1, 1] and is no rating: how popular
an item is drops out. Shapes: U viewers, V items, D factors.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from recommender.ml import folders, svd
from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.folders import Arrays
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress

FAMILY = "latent-cosine"


@dataclass(frozen=True)
class Config(svd.Config):
    """That of the decomposition."""


@dataclass(frozen=True)
class LatentCosine:
    """The items' directions, and what each adds to where a viewer stands."""

    name: str
    item_ids: Longs  # (V,) sorted
    directions: Floats  # (V, D) f / ‖f‖
    pulls: Floats  # (V, D) V / √Σ

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the cosine of viewers (B,), by their ratings in `data`, with every item: (B, V)."""
        return cosine(data.ratings_of(viewers) @ self.pulls, self.directions)

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        arrays: Arrays = {"item_ids": self.item_ids, "directions": self.directions, "pulls": self.pulls}
        folders.write(folder, facts={"family": FAMILY, "name": self.name}, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder over mapped memory."""
        arrays = {name: folders.array_of(folder, name) for name in ("item_ids", "directions", "pulls")}
        return cls(name=folders.facts_of(folder)["name"], **arrays)


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",  # noqa: ARG001 (the interface of all models)
    progress: Progress | None = None,
) -> LatentCosine:
    """Return the items in the space of the truncated SVD."""
    _, values, V = svd.truncated(train.ratings(), config=config, seed=seed, progress=progress)
    root = np.asarray(np.sqrt(values), np.float32)  # (D,)
    return LatentCosine("latent-cosine", train.item_ids, directions=unit(V * root), pulls=V / root)


def cosine(P: Floats, F: Floats) -> Floats:
    """Return p·f / (‖p‖ ‖f‖) for the rows of P (B, D) and F (V, D): (B, V), 0 where either is a vector of zeros."""
    between: Floats = unit(P) @ unit(F).T
    return between


def unit(vectors: Floats) -> Floats:
    """Return every row at length 1; a row of zeros stays."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0))
