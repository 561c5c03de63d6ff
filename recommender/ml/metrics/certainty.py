"""How sure one can be of a mean over viewers. Shapes: B viewers, M metrics.

Intervals are percentiles over redrawn viewers ("Bootstrap Methods", Efron, 1979). Whether two models differ is told by
the paired randomisation test: if they were alike, each viewer's difference could as well have the other sign ("A
Comparison of Statistical Significance Tests for Information Retrieval Evaluation", Smucker, Allan, Carterette, 2007).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from recommender.ml.metrics.accuracy import Scores

ROUNDS, LEVEL = 1000, 0.95
ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds between which it lies by the bootstrap."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """By how much one model beats another, and how likely so much would be by chance if they were alike."""

    p: float


def intervals(
    scores: Mapping[str, Scores], *, seed: int, rounds: int = ROUNDS, level: float = LEVEL
) -> dict[str, Interval]:
    """Return the mean of every metric's scores (B,) and its percentile interval over the same redrawn viewers."""
    table = np.array([*scores.values()])  # (M, B)
    rng, viewers = np.random.default_rng(seed), table.shape[1]
    means = _rounds(table, rounds, lambda: np.bincount(rng.integers(0, viewers, viewers), minlength=viewers))
    bounds = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0).T  # (M, 2)
    return {
        name: Interval(float(mean), *map(float, pair))
        for name, mean, pair in zip(scores, table.mean(1), bounds, strict=True)
    }


def bootstrap(scores: Scores, *, seed: int, rounds: int = ROUNDS, level: float = LEVEL) -> Interval:
    """Return the mean of scores (B,) and its interval."""
    return intervals({"": scores}, seed=seed, rounds=rounds, level=level)[""]


def paired_difference(
    ours: Scores, theirs: Scores, *, seed: int, rounds: int = ROUNDS, level: float = LEVEL
) -> Interval:
    """Return by how much `ours` beats `theirs` for the same viewers (B,): surely when `low` is above 0."""
    return bootstrap(ours - theirs, seed=seed, rounds=rounds, level=level)


def paired_tests(
    ours: Mapping[str, Scores], theirs: Mapping[str, Scores], *, seed: int, rounds: int = ROUNDS
) -> dict[str, Difference]:
    """Return for every metric of both, over the same viewers (B,), by how much `ours` beats `theirs`."""
    lead = {name: scores - theirs[name] for name, scores in ours.items() if name in theirs}
    table = np.array([*lead.values()])  # (M, B)
    rng = np.random.default_rng(seed)
    flipped = _rounds(table, rounds, lambda: 2 * rng.integers(0, 2, table.shape[1], np.int8) - 1)
    extreme = np.abs(flipped) >= np.abs(table.mean(1)) - ROUNDING  # (rounds, M)
    chances = (1 + extreme.sum(0)) / (1 + rounds)
    found = intervals(lead, seed=seed, rounds=rounds)
    return {
        name: Difference(of.mean, of.low, of.high, float(p))
        for (name, of), p in zip(found.items(), chances, strict=True)
    }


def _rounds(table: Scores, rounds: int, drawn: Callable[[], np.ndarray]) -> Scores:
    """Return the mean of every metric (rounds, M) with the viewers of table (M, B) weighted anew by each draw (B,)."""
    return np.array([table @ drawn().astype(np.float64) / table.shape[1] for _ in range(rounds)])
