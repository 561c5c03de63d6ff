"""Within what bounds the settings of a model are searched. Plain numbers, so that web processes may read them."""

from collections.abc import Mapping
from typing import NamedTuple


class Range(NamedTuple):
    """From where to where; by factors rather than by steps, and in whole numbers, where that is said."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


Space = Mapping[str, Range]

OF_ALS: Space = {
    "alpha": Range(1, 60, log=True),
    "reg": Range(5, 500, log=True),
    "power": Range(0, 1),
    "factors": Range(16, 128, log=True, whole=True),
}
OF_COSINES = Range(0.5, 200, log=True)
OF_SEQUENCES: Space = {
    "dropout": Range(0, 0.5),
    "hidden_items": Range(0, 0.3),
    "rate": Range(5e-4, 5e-3, log=True),
}
SPACES: Mapping[str, Space] = {
    "implicit-als": OF_ALS,
    "recent-als": {**OF_ALS, "recency": Range(0.005, 0.5, log=True), "days": Range(1, 30)},
    "ease": {"reg": Range(0.05, 20, log=True)},
    "item-cosine": {"neighbours": Range(10, 400, log=True, whole=True), "shrink": OF_COSINES},
    "user-cosine": {"neighbours": Range(20, 800, log=True, whole=True), "shrink": OF_COSINES},
    "svd": {"factors": Range(8, 128, log=True, whole=True)},
    "markov": {"back": Range(1, 8, whole=True), "decay": Range(0.1, 1), "prior": Range(0.5, 50)},
    "transformer": OF_SEQUENCES,
    "gru": OF_SEQUENCES,
}
SAMPLERS = ("tpe", "random")
