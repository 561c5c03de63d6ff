"""A model that is a weight from every item to every item: a viewer's ratings times the weights are the scores.

Knows no torch, so that web processes can hold it. Shapes: B viewers, V items.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs, Matrix
from recommender.ml.interactions import Interactions

FAMILY = "item-to-item"


@dataclass(frozen=True)
class ItemToItem:
    """What a fit leaves behind: row j of the weights says what having met item j means for all others."""

    name: str
    item_ids: Longs  # (V,) sorted
    weights: Floats | Matrix  # (V, V)

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return R W for viewers (B,), R their ratings in `data`: (B, V); zeros for who has rated nothing."""
        product = data.ratings_of(viewers) @ self.weights
        return np.asarray(product if isinstance(product, np.ndarray) else product.toarray(), np.float32)

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        facts = {"family": FAMILY, "name": self.name, "sparse": not isinstance(self.weights, np.ndarray)}
        folders.write(folder, facts=facts, arrays={"item_ids": self.item_ids, "weights": self.weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder over mapped memory."""
        facts, item_ids = folders.facts_of(folder), folders.array_of(folder, "item_ids")
        weights: NDArray[np.float32] | Matrix
        if facts["sparse"]:
            weights = folders.matrix_of(folder, "weights", columns=len(item_ids))
        else:
            weights = folders.array_of(folder, "weights")
        return cls(facts["name"], item_ids, weights)
