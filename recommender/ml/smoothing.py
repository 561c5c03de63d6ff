"""Scores that do not jump when a model is replaced: R̂ₜ₊₁ = α P Fᵀ + (1 − α) R̂ₜ.

With P (U, D) and F (V, D) the result is (U, V). While P and F stay, R̂ₜ = PFᵀ + (1 − α)ᵗ (R̂₀ − PFᵀ): for 0 < α ≤ 1 it
tends to PFᵀ, the one fixed point. A dense (U, V) is for small examples; what is kept between the versions of a model is
every viewer's best candidates alone. Shapes: U viewers, V items, D factors, N candidates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Floats, Ints

Array = NDArray[np.floating]


def step(scores: Array, P: Array, F: Array, *, alpha: float) -> Array:
    """Return R̂ₜ₊₁ (U, V) from R̂ₜ (U, V)."""
    return np.asarray(alpha * (P @ F.T) + (1 - alpha) * scores)


def after(steps: int, scores: Array, P: Array, F: Array, *, alpha: float) -> Array:
    """Return R̂ (U, V) after so many steps from `scores`, in closed form."""
    limit = P @ F.T
    return np.asarray(limit + (1 - alpha) ** steps * (scores - limit))


@dataclass(frozen=True)
class Candidates:
    """Every viewer's candidates, best first and ties by item; a place without one holds −1 and minus infinity."""

    items: Ints  # (U, N)
    scores: Floats  # (U, N)


def smoothed(old: Candidates, new: Candidates, known: Floats, *, alpha: float) -> Candidates:
    """Return the N best of what either version offers each viewer, scored α new + (1 − α) old.

    `known` (U, N) is what the new version says of the old candidates: P Fᵀ taken at those cells only. A candidate
    that the old version had not stored has nothing to be smoothed with and comes with its new score.
    """
    again = np.where(old.items >= 0, alpha * known + (1 - alpha) * old.scores, -np.inf)  # (U, N)
    stored = (new.items[:, :, None] == old.items[:, None, :]).any(2)  # (U, N)
    items = np.concatenate([old.items, new.items], 1)  # (U, 2N)
    scores = np.concatenate([again, np.where(stored, -np.inf, new.scores)], 1).astype(np.float32)
    order = np.lexsort((items, -scores), axis=1)[:, : old.items.shape[1]]
    best = np.take_along_axis(scores, order, 1)
    return Candidates(np.where(np.isfinite(best), np.take_along_axis(items, order, 1), -1).astype(np.int32), best)


def at(items: Ints, P: Array, F: Array) -> Floats:
    """Return P Fᵀ at the cells (u, items[u, n]) alone: (U, N); minus infinity where there is no item."""
    scores = np.einsum("ud,und->un", P, F[items])
    return np.where(items >= 0, scores, -np.inf).astype(np.float32)
