"""Small worlds in which what comes next can be told in the head."""

import numpy as np

from recommender.ml.interactions import Interactions, gather
from recommender.ml.sequence.config import Config
from tests.recommender.ml import make

ITEMS = 12


def rounds(*, viewers: int = 60, each: int = 9, items: int = ITEMS) -> Interactions:
    """Return viewers who walk through all items in a circle, each from a place of their own."""
    steps = [(viewer, (viewer * 5 + step) % items) for viewer in range(viewers) for step in range(each)]
    return make.interactions(*[(viewer, item, 1.0) for viewer, item in steps])


def both_ways(*, viewers: int = 96, each: int = 9, items: int = ITEMS) -> Interactions:
    """Return viewers of whom half walk the circle the other way: one step back says nothing, two say all."""
    way = [1, -1]
    steps = [
        (viewer, (viewer * 5 + way[viewer // items % 2] * step) % items)
        for viewer in range(viewers)
        for step in range(each)
    ]
    return make.interactions(*[(viewer, item, 1.0) for viewer, item in steps])


def small(encoder: str, **settings: float) -> Config:
    """Return a model that learns such a world in a second or two."""
    told = {"width": 32, "layers": 2, "tokens": 512, "epochs": 60, "rate": 0.005, "dropout": 0.0, "hidden_items": 0.0}
    return Config(encoder=encoder, **(told | settings))  # type: ignore[arg-type]


MINUTE, DAY = 60_000, 86_400_000


def pauses(*, viewers: int = 150, each: int = 12, seed: int = 0) -> Interactions:
    """Return viewers who want an even item a minute after the last, an odd one a day after; pauses are random."""
    rng = np.random.default_rng(seed)
    late = rng.random((viewers, each)) < 0.5
    drawn = np.array([rng.permutation(20)[:each] for _ in range(viewers)])  # none twice
    return gather(
        viewers=np.repeat(np.arange(viewers), each),
        items=(2 * drawn + late).ravel(),
        at=make.NOON + np.where(late, DAY, MINUTE).cumsum(1).ravel(),
        weight=np.ones(late.size, np.float32),
        positive=np.ones(late.size, np.bool_),
        known_items=np.arange(40),
    )
