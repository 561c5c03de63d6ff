"""A trained model as arrays: a viewer vector times the item vectors, plus the item biases, is the score.

Knows no torch, so that web processes can hold it, memory-mapped and shared. Shapes: U viewers, V items, D
factors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

import numpy as np

from recommender.ml.arrays import Floats, Ints, Longs, common
from recommender.ml.fold_in import FOLDS
from recommender.ml.interactions import Interactions
from recommender.ml.model import FACTS


@dataclass(frozen=True)
class Factors:
    """What a fit leaves behind."""

    name: str  # of the model in `models.MODELS`
    fold: str  # of the function in `fold_in.FOLDS` that makes a viewer vector from a history
    numbers: Mapping[str, float]  # what that function needs
    viewer_ids: Longs  # (U,) sorted
    item_ids: Longs  # (V,) sorted
    viewer_vectors: Floats  # (U, D)
    item_vectors: Floats  # (V, D)
    item_bias: Floats  # (V,)
    gram: Floats  # (D, ...) what all items together add to a viewer's equations
    trained_on: Interactions | None = field(default=None, repr=False, compare=False)  # not saved

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the score of every item for viewers (B,) by their history in `data`: (B, V)."""
        return np.asarray(self.vectors(data, viewers) @ self.item_vectors.T + self.item_bias)

    def vectors(self, data: Interactions, viewers: Ints) -> Floats:
        """Return a vector for each viewer (B, D): the one that was learned for that very history, or a fold-in."""
        if data is self.trained_on:
            return np.asarray(self.viewer_vectors[viewers])
        folded = [self.fold_in(*data.rated(viewer)) for viewer in viewers]
        return np.array(folded, np.float32).reshape(len(viewers), self.item_vectors.shape[1])

    def fold_in(self, items: Ints, weights: Floats) -> Floats:
        """Return the vector (D,) of a viewer with these item codes (n,), each once, and their ratings (n,)."""
        vectors = np.asarray(self.item_vectors[items])  # (n, D)
        targets = weights - self.item_bias[items] if self.fold == "rated" else weights
        return FOLDS[self.fold](vectors, targets, self.gram, self.numbers)

    def item_codes(self, ids: Longs) -> Ints:
        """Return the codes of those ids that the model knows, in the order given."""
        return common(self.item_ids, ids)[0].astype(np.int32)

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder: one array per file and the facts as JSON."""
        facts = {"family": "factors", "name": self.name, "fold": self.fold, "numbers": dict(self.numbers)}
        for name in _arrays():
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / FACTS).write_text(json.dumps(facts, sort_keys=True))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder with its arrays memory-mapped, so that processes share them."""
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _arrays()}
        facts = json.loads((folder / FACTS).read_text())
        return cls(name=facts["name"], fold=facts["fold"], numbers=facts["numbers"], **arrays)


def _arrays() -> list[str]:
    return [column.name for column in fields(Factors)][3:-1]
