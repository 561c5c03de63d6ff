"""How good a ranking is, per viewer, so that means, intervals and comparisons come from the same numbers.

A ranking is judged against every item (nothing is sampled), with the items a viewer had met left out. Shapes:
B viewers, k places, V items, n wanted cells. `hits` (B, k) says which places hold a wanted item, `wanted` (B,) how
many items were wanted at all.

HR@k            1 if any of the first k places is a hit, else 0.
precision@k     hits in the first k / k, also for a viewer who wanted fewer than k.
recall@k        hits in the first k / wanted, also for a viewer who wanted more than k.
F1@k            2 · hits / (k + wanted): the harmonic mean of the two.
NDCG@k          Σ hit / log2(place + 1)  /  the same sum for a ranking that begins with min(wanted, k) hits.
MAP@k           Σ over hits of precision@(its place)  /  wanted.
MRR@k           1 / place of the first hit, 0 without one.
AUC             of all pairs of a wanted item and one that was neither met nor wanted, the share that is in the right
                order; equal scores count half. All V places count, not k.
debiased NDCG@k NDCG with every wanted item counting 1 / propensity, see `debiased_ndcg`.

Viewers who wanted nothing are not judged; the caller leaves them out.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Flags, Floats, Ints, Longs

Scores = NDArray[np.float64]
Metric = Callable[[Flags, Longs], Scores]


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
    discount = _discount(hit.shape[1])
    ideal = np.concatenate([[0], discount.cumsum()])[np.minimum(wanted, hit.shape[1])]  # (B,)
    return np.asarray(hit @ discount / ideal)


def average_precision(hit: Flags, wanted: Longs) -> Scores:
    """Return MAP@k's terms (B,)."""
    precisions = hit.cumsum(1) / np.arange(1, hit.shape[1] + 1)  # (B, k)
    return np.asarray((precisions * hit).sum(1) / wanted)


def reciprocal_rank(hit: Flags, wanted: Longs) -> Scores:  # noqa: ARG001
    """Return MRR@k's terms (B,)."""
    return np.asarray(hit.any(1) / (hit.argmax(1) + 1))


METRICS: Mapping[str, Metric] = {
    "hr": hit_rate,
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "f1": f1,
    "map": average_precision,
    "mrr": reciprocal_rank,
}


def auc(scores: Floats, *, met: Longs, wanted: Longs, counts: Longs) -> Scores:
    """Return the AUC (B,) of scores (B, V), minus infinity where an item was met, of `met` (B,) items each.

    `wanted` (n,) are the codes of the wanted items, viewer after viewer, `counts` (B,) of them each. With U items not
    met and P wanted, the pairs in the right order are Σ over wanted (lower + equal / 2) among the U, less the P² / 2
    that the wanted make among themselves (Mann and Whitney, 1947). Who wanted all U has no pair and gets 1/2.
    """
    ordered = np.sort(scores, axis=1)  # (B, V)
    ends = np.cumsum(counts)
    right = np.empty(len(scores))
    for row, (start, end) in enumerate(zip(ends - counts, ends, strict=True)):
        asked = scores[row, wanted[start:end]]
        below, upto = (np.searchsorted(ordered[row], asked, side) - met[row] for side in ("left", "right"))
        right[row] = (np.maximum(below, 0) + upto).sum() / 2
    pairs = counts * (scores.shape[1] - met - counts)
    return np.where(pairs > 0, (right - counts**2 / 2) / np.maximum(pairs, 1), 0.5)


def debiased_ndcg(hit: Flags, pages: Ints, *, weight: Scores, ideal: Scores) -> Scores:
    """Return NDCG@k (B,) where a hit on item i gains weight[i] (V,) = 1 / propensity, over the `ideal_gain` (B,).

    What is popular is seen, and so found in a log, more often than it is wanted: each wanted item counts 1 / how
    likely it was seen. "Unbiased Offline Recommender Evaluation for Missing-Not-At-Random Implicit Feedback" (Yang et
    al., 2018), equation 6, with propensities (n / max n)^½ as in "Unbiased Recommender Learning from
    Missing-Not-At-Random Implicit Feedback" (Saito et al., 2020), section 5.
    """
    gains = np.where(hit, weight[pages], 0)  # (B, k)
    return np.asarray(gains @ _discount(hit.shape[1]) / ideal)


def ideal_gain(weights: Scores, *, row: Longs, k: int) -> Scores:
    """Return the weighted DCG@k (B,) of the best ranking: the weights (n,) of a row's wanted items, largest first.

    `row` (n,), sorted, says whose they are; every one of the B rows has some.
    """
    order = np.lexsort((-weights, row))
    place = np.arange(len(row)) - np.searchsorted(row, row)  # (n,) among the row's
    discount = np.concatenate([_discount(k), [0.0]])[np.minimum(place, k)]
    return np.asarray(np.bincount(row, weights[order] * discount), np.float64)


def _discount(k: int) -> Scores:
    return np.asarray(1 / np.log2(np.arange(k) + 2))  # (k,)
