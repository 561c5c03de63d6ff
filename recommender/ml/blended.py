"""Several models as one: Σ w_m z_m / spread_m, z_m what model m says of an item in a viewer's own measure.

z = (score − mean) / deviation over all V items, so that models whose scores have nothing in common can be added;
spread_m is how far a model's z lie apart among what any of them puts first, so that weights which sum to 1 can be
compared. An item of which a model says nothing counts as its average one. The weights are learned by `blend`. Knows no
torch. Shapes: M models, B viewers, V items.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.model import Model

FAMILY = "blended"
PART = "part-"  # folder of a part


@dataclass(frozen=True)
class Weights:
    """How much each model counts, by its name."""

    share: Mapping[str, float]  # sums to 1, none below 0
    spread: Mapping[str, float]

    def factors(self, names: Sequence[str]) -> Floats:
        """Return what to multiply the z of models by these names with (M,)."""
        return np.array([self.share[name] / self.spread[name] for name in names], np.float32)


@dataclass(frozen=True)
class Blended:
    """Models of the same items, and how much each counts."""

    name: str
    item_ids: Longs  # (V,) sorted
    parts: tuple[Model, ...]
    weights: Weights

    @classmethod
    def of(cls, name: str, parts: Sequence[Model], weights: Weights) -> Self:
        """Return the blend of those parts that count at all. Raises BrokenData where they know different items."""
        kept = tuple(part for part in parts if weights.share[part.name] > 0)
        if not all(np.array_equal(part.item_ids, kept[0].item_ids) for part in kept):
            raise BrokenData("items_differ", "Models of different items cannot be blended.")
        return cls(name, kept[0].item_ids, kept, weights)

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the blended score of every item for viewers (B,) by their history in `data`: (B, V)."""
        total = np.zeros((len(viewers), len(self.item_ids)), np.float32)
        for part, factor in zip(self.parts, self.weights.factors([part.name for part in self.parts]), strict=True):
            total += factor * measured(part.score(data, viewers))
        return total

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder, each part into one of its own."""
        facts = {"family": FAMILY, "name": self.name, "parts": len(self.parts)}
        told = {"share": dict(self.weights.share), "spread": dict(self.weights.spread)}
        folders.write(folder, facts={**facts, **told}, arrays={})
        for place, part in enumerate(self.parts):
            (folder / f"{PART}{place}").mkdir()
            part.save(folder / f"{PART}{place}")


def load(folder: Path, part: Callable[[Path], Any]) -> Blended:
    """Return the model of a folder over mapped memory, its parts as `part` loads them."""
    facts = folders.facts_of(folder)
    parts = [part(folder / f"{PART}{place}") for place in range(facts["parts"])]
    return Blended.of(facts["name"], parts, Weights(facts["share"], facts["spread"]))


def measured(scores: Floats) -> Floats:
    """Return (score − mean) / deviation of every row of scores (B, V), 0 where nothing is said or all is one."""
    said = np.isfinite(scores)
    known = np.maximum(said.sum(1, keepdims=True), 1)
    mean = np.where(said, scores, 0).sum(1, keepdims=True, dtype=np.float64) / known  # (B, 1)
    centred = np.where(said, scores - mean.astype(np.float32), 0)
    length = np.sqrt(np.square(centred, dtype=np.float64).sum(1, keepdims=True) / known)
    least = 1e-6 * np.maximum(np.abs(mean), 1e-30)  # what is smaller is rounding
    return np.asarray(np.where(length > least, centred / np.maximum(length, least), 0), np.float32)
