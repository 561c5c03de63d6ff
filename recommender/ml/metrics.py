"""How good a ranking is, per viewer, so that means, intervals and comparisons come from the same numbers.

A ranking is judged against every item (nothing is sampled), with the items a viewer had met left out. Shapes:
B viewers, k places, V items. `hits` (B, k) says which places hold a wanted item, `wanted` (B,) how many items
were wanted at all.

HR@k         1 if any of the first k places is a hit, else 0.
precision@k  hits in the first k / k, also for a viewer who wanted fewer than k.
recall@k     hits in the first k / wanted.
F1@k         2 · hits / (k + wanted): the harmonic mean of the two.
NDCG@k       Σ hit / log2(place + 1)  /  the same sum for a ranking that begins with min(wanted, k) hits.
MAP@k        Σ over hits of precision@(its place)  /  wanted.
coverage     share of all V items that stand in anyone's first k places.

Viewers who wanted nothing are not judged; the caller leaves them out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Flags, Ints, Longs

Scores = NDArray[np.float64]
Metric = Callable[[Flags, Longs], Scores]


@dataclass(frozen=True)
class Interval:
    """A mean with the bounds between which it lies by the bootstrap."""

    mean: float
    low: float
    high: float


def hits(pages: Ints, *, viewers: Ints, wanted: Longs, items: int) -> Flags:
    """Return which places of the pages (B, k) of viewers (B,) hold one of `wanted` (viewer · items + item, sorted)."""
    offered = viewers.astype(np.int64)[:, None] * items + pages  # (B, k)
    places = np.minimum(np.searchsorted(wanted, offered), len(wanted) - 1)
    return np.asarray((wanted[places] == offered) & (pages >= 0))


def hit_rate(hit: Flags, wanted: Longs) -> Scores:  # noqa: ARG001 (one signature for all metrics)
    """Return HR@k (B,)."""
    return np.asarray(hit.any(1), np.float64)


def precision(hit: Flags, wanted: Longs) -> Scores:  # noqa: ARG001
    """Return precision@k (B,)."""
    return np.asarray(hit.mean(1))


def recall(hit: Flags, wanted: Longs) -> Scores:
    """Return recall@k (B,)."""
    return np.asarray(hit.sum(1) / wanted)


def f1(hit: Flags, wanted: Longs) -> Scores:
    """Return F1@k (B,)."""
    return np.asarray(2 * hit.sum(1) / (hit.shape[1] + wanted))


def ndcg(hit: Flags, wanted: Longs) -> Scores:
    """Return NDCG@k (B,)."""
    discount = 1 / np.log2(np.arange(hit.shape[1]) + 2)  # (k,)
    ideal = np.concatenate([[0], discount.cumsum()])[np.minimum(wanted, hit.shape[1])]  # (B,)
    return np.asarray(hit @ discount / ideal)


def average_precision(hit: Flags, wanted: Longs) -> Scores:
    """Return MAP@k's terms (B,)."""
    precisions = hit.cumsum(1) / np.arange(1, hit.shape[1] + 1)  # (B, k)
    return np.asarray((precisions * hit).sum(1) / wanted)


METRICS: Mapping[str, Metric] = {
    "hr": hit_rate,
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "f1": f1,
    "map": average_precision,
}


def coverage(pages: Ints, *, items: int) -> float:
    """Return the share of all items that stand on one of the pages (B, k)."""
    return len(np.unique(pages[pages >= 0])) / max(items, 1)


def bootstrap(scores: Scores, *, seed: int, rounds: int = 1000, level: float = 0.95) -> Interval:
    """Return the mean of scores (B,) and its percentile interval over redrawn viewers (Efron, 1979)."""
    rng = np.random.default_rng(seed)
    means = np.array([scores[rng.integers(0, len(scores), len(scores))].mean() for _ in range(rounds)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(scores.mean()), float(low), float(high))


def paired_difference(ours: Scores, theirs: Scores, *, seed: int, rounds: int = 1000, level: float = 0.95) -> Interval:
    """Return by how much `ours` beats `theirs` for the same viewers (B,): surely when `low` is above 0."""
    return bootstrap(ours - theirs, seed=seed, rounds=rounds, level=level)
