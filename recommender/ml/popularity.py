"""What most viewers wanted lately, the same for everyone: the baseline a personal model must beat."""

from dataclasses import dataclass

import numpy as np

from recommender.ml.arrays import Floats
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Config:
    """`days` is how far back from the last event to count; None counts everything."""

    days: float | None = None


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,  # noqa: ARG001 (the interface of all models)
    device: str = "cpu",  # noqa: ARG001
    progress: Progress | None = None,  # noqa: ARG001
) -> Factors:
    """Return a model whose item bias (V,) is log(1 + recent positives)."""
    viewers, items = train.shape
    return Factors(
        name="popularity",
        fold="nothing",
        numbers={},
        viewer_ids=train.viewer_ids,
        item_ids=train.item_ids,
        viewer_vectors=np.zeros((viewers, 0), np.float32),
        item_vectors=np.zeros((items, 0), np.float32),
        item_bias=recent(train, days=config.days),
        gram=np.zeros((0, 0), np.float32),
        trained_on=train,
    )


def recent(train: Interactions, *, days: float | None) -> Floats:
    """Return log(1 + positives) of every item (V,) within `days` before the last event."""
    counted = train.positive
    if days is not None and len(train):
        counted = counted & (train.at > train.at.max() - int(days * DAY_MS))
    return np.log1p(np.bincount(train.item[counted], minlength=train.shape[1])).astype(np.float32)
