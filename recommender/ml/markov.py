"""What mostly came right after what was wanted last: a first-order Markov chain over items.

score_v = Σ_m decay^m P(v | item m places back),  P(v | w) = (n_wv + prior · p_v) / (Σ_v n_wv + prior)

where n_wv counts how often v followed w at once and p_v is the share of v in all that was wanted: steps seldom seen
shrink to popularity ("Factorizing Personalized Markov Chains", Rendle et al., 2010, section 4.1, with a Dirichlet
prior). Knows no torch. Shapes: B viewers, V items.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs, Matrix
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress
from recommender.ml.sequence.histories import latest

FAMILY = "markov"


@dataclass(frozen=True)
class Config:
    """`back` is how many of the last items are looked at, each `decay` times as much as the one after it."""

    back: int = 3
    decay: float = 0.5
    prior: float = 5.0


@dataclass(frozen=True)
class Markov:
    """What a fit leaves behind."""

    name: str
    item_ids: Longs  # (V,) sorted
    following: Matrix  # (V, V) n / (Σ n + prior)
    left: Floats  # (V,) prior / (Σ n + prior): the share of a row that popularity has
    popularity: Floats  # (V,)
    back: int
    decay: float

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the score of every item for viewers (B,) by what they wanted last: (B, V)."""
        told = latest(data, viewers, length=self.back)
        ago = told.lengths[:, None] - 1 - np.arange(told.items.shape[1])  # (B, back)
        weight = np.where(ago >= 0, np.float32(self.decay) ** np.maximum(ago, 0), 0).astype(np.float32)
        rows = np.repeat(np.arange(len(viewers)), told.items.shape[1])
        steps = csr_array((weight.ravel(), (rows, told.items.ravel())), shape=(len(viewers), len(self.item_ids)))
        by_chance = (steps @ self.left + (told.lengths == 0))[:, None] * self.popularity  # (B, V)
        return np.asarray((steps @ self.following).toarray() + by_chance, np.float32)

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        facts = {"family": FAMILY, "name": self.name, "back": self.back, "decay": self.decay}
        names = ("item_ids", "following", "left", "popularity")
        folders.write(folder, facts=facts, arrays={name: getattr(self, name) for name in names})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder over mapped memory."""
        facts = folders.facts_of(folder)
        item_ids, left, popularity = (folders.array_of(folder, name) for name in ("item_ids", "left", "popularity"))
        following = folders.matrix_of(folder, "following", columns=len(item_ids))
        return cls(facts["name"], item_ids, following, left, popularity, facts["back"], facts["decay"])


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,  # noqa: ARG001 (the interface of all models)
    device: str = "cpu",  # noqa: ARG001
    progress: Progress | None = None,  # noqa: ARG001
) -> Markov:
    """Return the chances of every step that was ever taken."""
    items = train.shape[1]
    wanted = train.where(train.positive)
    same = np.flatnonzero(wanted.viewer[1:] == wanted.viewer[:-1])
    steps = coo_array(
        (np.ones(len(same), np.float32), (wanted.item[same], wanted.item[same + 1])), shape=(items, items)
    )
    counts: Matrix = steps.tocsr()
    counts.sum_duplicates()
    whole = counts.sum(1) + np.float32(config.prior)  # (V,)
    counts.data /= np.repeat(whole, np.diff(counts.indptr))
    popular = np.bincount(wanted.item, minlength=items) + 1.0
    return Markov(
        name="markov",
        item_ids=train.item_ids,
        following=counts,
        left=(config.prior / whole).astype(np.float32),
        popularity=(popular / popular.sum()).astype(np.float32),
        back=config.back,
        decay=config.decay,
    )
