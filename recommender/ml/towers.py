"""Two towers as any process can run them: a viewer's vector from their history, item vectors beside each other.

The score is their product and the item's bias, so that the best of all items are found exactly, by one product:
nothing is approximated, and recall against brute force is 1. An item that the fit has never met has a place in the
same space by `cold`. Knows no torch. Shapes: B viewers, T places, V items, D dimensions.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.cold import Cold
from recommender.ml.interactions import Interactions
from recommender.ml.latent_cosine import unit
from recommender.ml.sequence.histories import latest
from recommender.ml.sequence.times import PLACES, half_octaves

FAMILY = "towers"
COLD = "cold"  # folder of the item tower


@dataclass(frozen=True)
class ViewerTower:
    """Σ a_t y_t over the last places of a history, then a layer with what came in added."""

    places: Floats  # (PLACES,) the logarithm of how much an item so far back counts
    inner: Floats  # (D, H)
    inner_bias: Floats  # (H,)
    outer: Floats  # (H, D)
    outer_bias: Floats  # (D,)
    sharpness: Floats  # (1,) length of what is said

    def read(self, vectors: Floats, lengths: Ints) -> Floats:
        """Return vectors (B, D) of who wanted items (B, T, D), the oldest first, of which `lengths` (B,) are real."""
        back: Ints = lengths[:, None] - np.arange(1, vectors.shape[1] + 1, dtype=np.int32)  # (B, T)
        share = np.where(back >= 0, np.exp(self.places - self.places.max())[half_octaves(back, PLACES)], 0)
        share = share / np.maximum(share.sum(1, keepdims=True), 1e-12)
        x = np.einsum("bt,btd->bd", share.astype(np.float32), vectors) * np.sqrt(np.float32(vectors.shape[2]))
        said = x + np.maximum(x @ self.inner + self.inner_bias, 0) @ self.outer + self.outer_bias
        return np.asarray(unit(said) * self.sharpness, np.float32)


@dataclass(frozen=True)
class Towers:
    """What a fit leaves behind."""

    name: str  # of the model in `models.MODELS`
    item_ids: Longs  # (V,) sorted
    item_vectors: Floats  # (V, D) of length 1
    item_bias: Floats  # (V,)
    length: int  # most places of a history that are read
    viewer: ViewerTower
    cold: Cold  # the item tower, for what the fit has never met

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the score of every item for viewers (B,) by their history in `data`: (B, V)."""
        return np.asarray(self.vectors(data, viewers) @ self.item_vectors.T + self.item_bias)

    def vectors(self, data: Interactions, viewers: Ints) -> Floats:
        """Return a vector for each viewer (B, D)."""
        told = latest(data, viewers, length=self.length)
        return self.viewer.read(np.asarray(self.item_vectors[told.items]), told.lengths)

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        arrays = {name: getattr(self, name) for name in ("item_ids", "item_vectors", "item_bias")}
        arrays |= {name: getattr(self.viewer, name) for name in _of_viewer()}
        folders.write(folder, facts={"family": FAMILY, "name": self.name, "length": self.length}, arrays=arrays)
        (folder / COLD).mkdir()
        self.cold.save(folder / COLD)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder over mapped memory."""
        facts = folders.facts_of(folder)
        ids, vectors, bias = (folders.array_of(folder, name) for name in ("item_ids", "item_vectors", "item_bias"))
        viewer = ViewerTower(**{name: folders.array_of(folder, name) for name in _of_viewer()})
        return cls(facts["name"], ids, vectors, bias, facts["length"], viewer, Cold.load(folder / COLD))


def _of_viewer() -> list[str]:
    return [column.name for column in fields(ViewerTower)]
