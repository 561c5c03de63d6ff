"""A trained model as arrays: a viewer vector times the item vectors, plus the item biases, is the score.

Knows no torch, so that web processes can hold it, memory-mapped and shared. Shapes: U viewers, V items, D
factors.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np

from recommender.ml.fold_in import FOLDS
from recommender.ml.interactions import Floats, Interactions, Ints, Longs

FACTS = "model.json"

Progress = Callable[[int, int], object]  # told how many of how many steps of a fit are done


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

    def score(self, viewers: Ints) -> Floats:
        """Return the score of every item for viewers (B,), given as codes: (B, V)."""
        return np.asarray(self.viewer_vectors[viewers] @ self.item_vectors.T + self.item_bias)

    def fold_in(self, items: Ints, weights: Floats) -> Floats:
        """Return the vector (D,) of a viewer with these item codes (n,), each once, and their ratings (n,)."""
        vectors = np.asarray(self.item_vectors[items])  # (n, D)
        targets = weights - self.item_bias[items] if self.fold == "rated" else weights
        return FOLDS[self.fold](vectors, targets, self.gram, self.numbers)

    def carried_over(self, data: Interactions, viewers: Ints) -> Self:
        """Return this model for the viewers and items of newer data, so that it can be judged beside a newer one.

        The given viewers (B,), codes of the data, are folded in by their history there; the others keep nothing. An
        item that the model does not know scores by the lowest bias alone.
        """
        places = np.minimum(np.searchsorted(self.item_ids, data.item_ids), len(self.item_ids) - 1)  # (V',)
        known = self.item_ids[places] == data.item_ids
        moved = replace(
            self,
            viewer_ids=data.viewer_ids,
            item_ids=data.item_ids,
            viewer_vectors=np.zeros((len(data.viewer_ids), self.item_vectors.shape[1]), np.float32),
            item_vectors=self.item_vectors[places] * known[:, None],
            item_bias=np.where(known, self.item_bias[places], self.item_bias.min()),
        )
        ratings = data.ratings()
        for viewer in viewers:
            cells = slice(ratings.indptr[viewer], ratings.indptr[viewer + 1])
            items, weights = ratings.indices[cells], ratings.data[cells]
            told = known[items]
            moved.viewer_vectors[viewer] = moved.fold_in(items[told], weights[told])
        return moved

    def item_codes(self, ids: Longs) -> Ints:
        """Return the codes of those ids that the model knows, in the order given."""
        places = np.minimum(np.searchsorted(self.item_ids, ids), len(self.item_ids) - 1)
        return np.asarray(places[self.item_ids[places] == ids], np.int32)

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder: one array per file and the facts as JSON."""
        facts = {"name": self.name, "fold": self.fold, "numbers": dict(self.numbers)}
        for name in _arrays():
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / FACTS).write_text(json.dumps(facts, sort_keys=True))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder with its arrays memory-mapped, so that processes share them."""
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _arrays()}
        return cls(**json.loads((folder / FACTS).read_text()), **arrays)


def _arrays() -> list[str]:
    return [field.name for field in fields(Factors)][3:]
