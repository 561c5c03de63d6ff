"""How good foretold chances are: do they rank (AUC), and are they as high as they say (Brier, ECE)?

Shapes: n judged, each with a chance and with what came of it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from recommender.ml.arrays import Flags

Chances = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class Bin:
    """Some of the judged, whose chances are near each other."""

    foretold: float  # mean chance
    observed: float  # share to whom it happened
    judged: int


@dataclass(frozen=True)
class Report:
    """What was measured on a later slice of time."""

    auc: float
    brier: float
    ece: float
    base_rate: float
    judged: int
    bins: tuple[Bin, ...]


def auc(chances: Chances, came: Flags) -> float:
    """Return the chance that one to whom it happened stood above one to whom it did not; ties count half.

    By ranks, as in Mann and Whitney (1947). NaN when all went alike.
    """
    ones, zeros = int(came.sum()), int((~came).sum())
    if not ones or not zeros:
        return float("nan")
    ranks = rankdata(chances)
    return float((ranks[came].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def reliability(chances: Chances, came: Flags, *, bins: int = BINS) -> tuple[Bin, ...]:
    """Return bins of equally many, by ascending chance (Niculescu-Mizil and Caruana, 2005)."""
    order = np.argsort(chances, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return tuple(Bin(float(chances[part].mean()), float(came[part].mean()), len(part)) for part in parts)


def report(chances: Chances, came: Flags) -> Report:
    """Judge chances (n,) by what came (n,). ECE is the bins' mean |foretold − observed| (Naeini et al., 2015)."""
    bins = reliability(chances, came)
    apart = sum(abs(of.foretold - of.observed) * of.judged for of in bins)
    return Report(
        auc=auc(chances, came),
        brier=float(np.mean((chances - came) ** 2)),
        ece=apart / len(chances),
        base_rate=float(came.mean()),
        judged=len(chances),
        bins=bins,
    )
