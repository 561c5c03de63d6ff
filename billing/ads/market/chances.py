"""The chance that a view brings a click: what was counted, smoothed, and made to mean what it says.

Counted rates of new creatives say little, so each is drawn towards the rate of all (a beta prior). A logistic
regression over it and the viewer's taste for the creative's topic is fitted to what was viewed; its intercept
calibrates the whole and its slopes the parts (Platt, 1999). Explored places count like others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]

PRIOR_VIEWS = 200.0  # views that the rate of all counts for
FLOOR, CEILING = 1e-5, 0.5


@dataclass(frozen=True)
class Chances:
    """How a smoothed rate and a taste become a chance: logit p = offset + slope·logit(rate) + taste·affinity."""

    offset: float = 0.0
    slope: float = 1.0
    taste: float = 0.0

    def of(self, rate: Floats, affinity: Floats) -> Floats:
        """Return the chance of each view (N,), given smoothed rates (N,) and tastes from 0 to 1 (N,)."""
        raised = self.offset + self.slope * logit(rate) + self.taste * affinity
        return np.clip(1 / (1 + np.exp(-raised)), FLOOR, CEILING)


def smoothed(clicks: Longs, views: Longs, *, everyone: float) -> Floats:
    """Return the rate of each creative (C,), drawn towards that of all."""
    return np.clip((clicks + PRIOR_VIEWS * everyone) / (views + PRIOR_VIEWS), FLOOR, CEILING)


def fitted(rate: Floats, affinity: Floats, clicked: Flags) -> Chances:
    """Return what fits the views (N,) best; what is counted alone where all or none of them was clicked."""
    if clicked.all() or not clicked.any():
        return Chances()
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  web processes read chances, and never fit

    found = LogisticRegression(C=10.0, solver="newton-cholesky").fit(np.column_stack([logit(rate), affinity]), clicked)
    return Chances(float(found.intercept_[0]), *(float(slope) for slope in found.coef_[0]))


def calibration_error(chance: Floats, clicked: Flags, *, bins: int = 10) -> float:
    """Return the mean distance between what was foretold and what happened, over bins of equally many views.

    The expected calibration error of Guo et al. (2017), with equal-mass bins, for clicks are rare. 0 is perfect.
    """
    order = np.argsort(chance, kind="stable")
    gaps = [
        len(part) * abs(float(chance[part].mean()) - float(clicked[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return sum(gaps) / len(chance) if len(chance) else 0.0


def log_loss(chance: Floats, clicked: Flags) -> float:
    """Return the mean surprise in nats."""
    told = np.where(clicked, chance, 1 - chance)
    return float(-np.log(np.clip(told, 1e-12, 1)).mean())


def logit(rate: Floats) -> Floats:
    return np.log(rate) - np.log1p(-rate)
