"""How well a ranker foretells. Shapes: M questions."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from recommender.ml.arrays import Floats, Longs

PAIRS = 2_000_000  # of which XAUC is estimated; its standard error is below 0.0004
SEED = 0


def auc(right: Floats, told: Floats) -> float:
    """Return how often a yes is told higher than a no, ties half (Mann and Whitney, 1947); NaN without both."""
    yes = right > 0
    many, others = int(yes.sum()), int((~yes).sum())
    if not many or not others:
        return float("nan")
    return float((rankdata(told)[yes].sum() - many * (many + 1) / 2) / (many * others))


def aucs(viewer: Longs, right: Floats, told: Floats) -> tuple[NDArray[np.float64], Longs]:
    """Return the AUC of each viewer who gave both answers (B,), in the order of their ids, and their questions (B,)."""
    order = np.argsort(viewer, kind="stable")
    who, yes = viewer[order], right[order] > 0
    starts = np.flatnonzero(np.append(True, who[1:] != who[:-1])) if len(who) else np.zeros(0, np.int64)
    many = np.diff(np.append(starts, len(who)))
    agreed = np.add.reduceat(yes, starts, dtype=np.int64) if len(starts) else np.zeros(0, np.int64)
    both = (agreed > 0) & (agreed < many)
    rows = (order[start : start + length] for start, length in zip(starts[both], many[both], strict=True))
    return np.array([auc(right[of], told[of]) for of in rows], np.float64), many[both]


def grouped_auc(viewer: Longs, right: Floats, told: Floats) -> tuple[float, int]:
    """Return the mean AUC of viewers who gave both answers, weighted by their questions, and how many these are.

    (Zhu et al., "Optimized Cost per Click in Taobao Display Advertising", KDD 2017, section 5.) NaN where none did.
    """
    each, weights = aucs(viewer, right, told)
    return (float(np.average(each, weights=weights)) if len(each) else float("nan")), len(each)


def xauc(seconds: Floats, told: Floats) -> float:
    """Return how often, of two views of different length, the longer one is told higher, ties half; over drawn pairs.

    (Zhan et al., D2Q, KDD 2022, section 4.1.3.)
    """
    rng = np.random.default_rng(SEED)
    one, other = rng.integers(0, max(len(seconds), 1), (2, PAIRS)) if len(seconds) > 1 else np.zeros((2, 0), np.int64)
    differ = seconds[one] != seconds[other]
    if not differ.any():
        return float("nan")
    agree = np.sign(seconds[one] - seconds[other])[differ] * np.sign(told[one] - told[other])[differ]
    return float((agree > 0).mean() + (agree == 0).mean() / 2)


def mean_absolute_error(seconds: Floats, told: Floats) -> float:
    """Return by how many seconds the views are missed on average."""
    return float(np.abs(seconds - told).mean()) if len(seconds) else float("nan")
