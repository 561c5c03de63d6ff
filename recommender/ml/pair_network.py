"""A small network over a viewer and an item, as any process can run it over all items of a request.

R̂_ui = σ(wᵀ h_ui + b + b_u + b_i) with h_ui = (e_u ∘ e_i, max(0, A e_u + B e_i + c)). With one hidden layer over a pair,
what the item brings is the same for everyone: it is made once, and a viewer costs V · (D + 2H) multiplications, a few
milliseconds for 10⁵ items. Knows no torch. Shapes: B viewers, V items, D dimensions, H hidden.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import Interactions
from recommender.ml.likes import liked, pooling

FAMILY = "pair-network"


@dataclass(frozen=True)
class PairNetwork:
    """What a fit leaves behind."""

    name: str  # of the model in `models.MODELS`
    item_ids: Longs  # (V,) sorted
    pulls: Floats  # (V, D) what having wanted an item adds to e_u
    products: Floats  # (V, D) w ∘ e_i
    inner: Floats  # (V, H) B e_i + c
    outer: Floats  # (D, H) A
    out: Floats  # (H,) the rest of w
    viewer_bias: Floats  # (D,) b_u is its product with e_u
    item_bias: Floats  # (V,) b + b_i

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return R̂ (B, V), between 0 and 1, for viewers (B,) by their history in `data`."""
        e = pooling(liked(data, viewers)) @ self.pulls  # (B, D)
        logits = e @ self.products.T + self.item_bias + (e @ self.viewer_bias)[:, None]
        hidden = np.empty_like(self.inner)  # (V, H) one for all viewers: fresh memory is slow to get
        for row, asked in enumerate(e @ self.outer):
            np.maximum(np.add(self.inner, asked, out=hidden), 0, out=hidden)
            logits[row] += hidden @ self.out
        return sigmoid(logits)

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        arrays = {name: getattr(self, name) for name in _arrays()}
        folders.write(folder, facts={"family": FAMILY, "name": self.name}, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder over mapped memory."""
        return cls(
            name=folders.facts_of(folder)["name"], **{name: folders.array_of(folder, name) for name in _arrays()}
        )


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(−x)), without overflow."""
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1, small) / (1 + small), np.float32)


def _arrays() -> list[str]:
    return [column.name for column in fields(PairNetwork)][1:]
