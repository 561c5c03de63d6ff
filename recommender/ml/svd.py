"""The ratings as few directions: R ≈ U Σ Vᵀ, and a viewer is where their ratings point, x = Vᵀr.

Follows "Performance of Recommender Algorithms on Top-N Recommendation Tasks" (Cremonesi, Koren, Turrin, 2010), section
3.3.2 (PureSVD): x·vᵢ = rᵀV vᵢ, so that a new history is folded in by the same product. The directions are found as in
"Finding Structure with Randomness" (Halko, Martinsson, Tropp, 2011), algorithms 4.4 and 5.1. Shapes: U viewers,
V items, D factors.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.ml.arrays import Floats, Matrix
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress

SPARE = 10  # directions drawn beyond those kept
NOISE = 1e-5  # of the largest singular value: what is smaller is rounding, not a direction


@dataclass(frozen=True)
class Config:
    """How many directions, and how often the drawn ones are sharpened."""

    factors: int = 64
    iterations: int = 6


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",  # noqa: ARG001 (the interface of all models)
    progress: Progress | None = None,
) -> Factors:
    """Return V as item vectors and U Σ = R V as viewer vectors."""
    ratings = train.ratings()
    _, _, V = truncated(ratings, config=config, seed=seed, progress=progress)
    return Factors(
        name="svd",
        fold="projected",
        numbers={},
        viewer_ids=train.viewer_ids,
        item_ids=train.item_ids,
        viewer_vectors=np.asarray(ratings @ V, np.float32),
        item_vectors=V,
        item_bias=np.zeros(train.shape[1], np.float32),
        gram=np.zeros((0, 0), np.float32),
        trained_on=train,
    )


def truncated(
    ratings: Matrix, *, config: Config, seed: int, progress: Progress | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return U (U, D), the singular values Σ (D,), largest first, and V (V, D) of R (U, V), with D up to its rank."""
    width = min(config.factors + SPARE, *ratings.shape)
    R: Any = ratings.astype(np.float64)  # products with it are dense
    basis = R @ np.random.default_rng(seed).standard_normal((R.shape[1], width))  # (U, W)
    for done in range(config.iterations):
        basis = np.linalg.qr(basis)[0]
        basis = R @ np.linalg.qr(R.T @ basis)[0]
        if progress:
            progress(done + 1, config.iterations)
    basis = np.linalg.qr(basis)[0]  # (U, W) spans what R reaches
    left, values, right = np.linalg.svd((R.T @ basis).T, full_matrices=False)  # (W, W), (W,), (W, V)
    kept = np.flatnonzero(values > NOISE * values.max(initial=0))[: config.factors]
    U, V = basis @ left[:, kept], right[kept].T
    return U.astype(np.float32), values[kept].astype(np.float32), V.astype(np.float32)
