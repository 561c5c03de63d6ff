"""How much each of several models counts on a page: weights learned from what was held back from all of them.

A page is Σ_m weight_m / (60 + rank_m) over the best hundred of each model, as it is served (`rank_fusion`). The weights
are the point of a grid with the highest NDCG@20. The models alone are points of the grid, so that on what it is learned
from no blend is below them; whether it helps is told by viewers on whom it was not learned: either half is judged by
the weights of the other.

Shapes: M models, B viewers, N of each model's best, C = M · N candidates, G points of the grid.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from recommender.ml.arrays import Flags, Floats, Ints
from recommender.ml.judgement import Wanted
from recommender.ml.metrics import Interval, accuracy, paired_difference
from recommender.ml.metrics.accuracy import Scores
from recommender.ml.model import Model
from recommender.ml.rank_fusion import K
from recommender.ml.ranking import recommend
from recommender.ml.splits import Split
from recommender.training.judging import FEWEST, PAGE, SEED, AsServed, crossed, halves

EACH = 100  # candidates that a model brings to a page
STEPS = 10  # of a weight, from 0 to 1
VIEWERS = 2_000  # looked at
BLOCK = 500  # viewers at once


@dataclass(frozen=True)
class Blend:
    """What the models count, the best alone at 1, and what it gains over the best of them."""

    weights: Mapping[str, float]
    alone: Mapping[str, float]  # NDCG of each model
    ndcg: float  # of the blend, by weights learned from other viewers
    lead: Interval  # of the blend over the model that the same other viewers thought best

    def told(self) -> dict[str, Any]:
        """Return it as a version's metrics keep it."""
        return {
            "weights": dict(self.weights),
            "alone": {name: round(value, 4) for name, value in self.alone.items()},
            f"ndcg@{PAGE}": round(self.ndcg, 4),
            "lead": [round(self.lead.mean, 4), round(self.lead.low, 4), round(self.lead.high, 4)],
        }


def learned(models: Mapping[str, Model], split: Split) -> Blend:
    """Return what each of these models should count, all of them learned from `split.train`, the best one first.

    A blend that is surely no better than the best model alone is not made: that one counts 1 and the others 0.
    """
    names, grid = list(models), np.array(list(_grid(len(models))))  # (G, M)
    wanted = Wanted.of(split)
    viewers = np.sort(np.random.default_rng(SEED).permutation(wanted.viewers)[:VIEWERS])
    found = np.concatenate([_judged(models, split, wanted, rows, grid) for rows in _blocks(viewers)], axis=1)  # (G, B)
    alone = [int(np.flatnonzero(grid[:, place] == 1)[0]) for place in range(len(names))]
    half = halves(len(viewers))
    blended, single = crossed(found, half), crossed(found[alone], half)
    lead = paired_difference(blended, single, seed=SEED)
    best = int(found.mean(1).argmax()) if lead.high >= 0 and len(viewers) >= 2 * FEWEST else alone[0]
    weights = {name: round(float(weight), 2) for name, weight in zip(names, grid[best] / grid[best].max(), strict=True)}
    told = {name: float(found[place].mean()) for name, place in zip(names, alone, strict=True)}
    return Blend(weights, told, float(blended.mean()), lead)


def among(weights: Mapping[str, float], fitted: Collection[str], *, best: str) -> dict[str, float]:
    """Return the weights of the models that could be fitted anew; where none of them counts, the best one does."""
    kept = {name: weight for name, weight in weights.items() if name in fitted}
    return kept if any(kept.values()) else {**kept, best: 1.0}


def fused(lists: Ints, codes: Ints) -> Floats:
    """Return 1 / (K + rank) of every candidate (B, C) in every model's list (M, B, N), 0 where it is not: (M, B, C)."""
    ranked = np.zeros((len(lists), *codes.shape), np.float32)
    for model, pages in enumerate(lists):
        order = np.argsort(pages, axis=1, kind="stable")
        by_code = np.take_along_axis(pages, order, 1)  # (B, N)
        for row, (known, asked) in enumerate(zip(by_code, codes, strict=True)):
            place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
            is_there = (known[place] == asked) & (asked >= 0)
            ranked[model, row, is_there] = 1 / (K + 1 + order[row, place[is_there]])
    return ranked


def _judged(models: Mapping[str, Model], split: Split, wanted: Wanted, viewers: Ints, grid: Scores) -> Scores:
    """Return NDCG (G, B) of viewers (B,) with every point of the grid."""
    lists = np.stack(
        [
            recommend(AsServed.of(model, split.train), data=split.history, viewers=viewers, k=EACH)
            for model in models.values()
        ]
    )  # (M, B, N)
    codes = np.sort(np.concatenate(list(lists), axis=1), axis=1)  # (B, C)
    there = (codes >= 0) & (np.diff(codes, axis=1, prepend=-2) != 0)  # (B, C) every candidate once
    ranked = fused(lists, codes)
    cells = viewers.astype(np.int64)[:, None] * wanted.items + codes
    hit = np.isin(cells, wanted.cells) & there
    counts = wanted.counts[np.searchsorted(wanted.viewers, viewers)]
    points = grid.astype(np.float32)
    return np.stack([_ndcg(np.asarray(np.tensordot(point, ranked, 1)), there, hit, counts) for point in points])


def _ndcg(scores: Floats, there: Flags, hit: Flags, counts: np.ndarray) -> Scores:
    scores = np.where(there, scores, -1)
    page = np.argsort(-scores, axis=1, kind="stable")[:, :PAGE]
    shown = np.take_along_axis(scores, page, 1) > 0
    return accuracy.ndcg(np.asarray(np.take_along_axis(hit, page, 1) & shown), counts)


def _grid(models: int) -> Iterator[tuple[float, ...]]:
    """Yield shares that sum to 1, those of one model alone among them."""
    for parts in product(range(STEPS + 1), repeat=models):
        if sum(parts) == STEPS:
            yield tuple(part / STEPS for part in parts)


def _blocks(viewers: Ints) -> Iterator[Ints]:
    for start in range(0, max(len(viewers), 1), BLOCK):
        yield viewers[start : start + BLOCK]
