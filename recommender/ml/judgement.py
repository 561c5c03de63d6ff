"""How one model did on what was held back: all items ranked, block by block, so that memory is flat.

Shapes: B judged viewers, V items, k places, n wanted cells, D features.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array, hstack

from recommender.ml import metrics, svd
from recommender.ml.arrays import Ints, Longs, Matrix
from recommender.ml.attributes import Attributes
from recommender.ml.interactions import Interactions
from recommender.ml.metrics import Scores
from recommender.ml.model import Scorer
from recommender.ml.ranking import Ranked, ranked
from recommender.ml.similarity import norms
from recommender.ml.splits import Split

FIGURES = {"ndcg": (20,), "recall": (50, 100, 200)}  # reported beside all metrics at k
SEEN_POWER = 0.5  # of an item's share of the most popular one's viewers: how likely it was seen


@dataclass(frozen=True)
class Judgement:
    """How one model did: per judged viewer, so that two models can be compared in pairs."""

    viewers: Ints  # (B,) codes of those who wanted something new, sorted
    scores: Mapping[str, Scores]  # "ndcg@10" and so on: (B,)
    exposure: Longs  # (V,) how often each item stood on anyone's first k places

    @property
    def coverage(self) -> float:
        """Return the share of the items on anyone's first k places."""
        return metrics.coverage(self.exposure)

    @property
    def gini(self) -> float:
        """Return how unevenly the first k places are shared among the items."""
        return metrics.gini(self.exposure)

    @classmethod
    def joined(cls, folds: Sequence[Self]) -> Self:
        """Return the folds as one: a viewer judged in several has the mean of their scores."""
        viewers, place = np.unique(np.concatenate([fold.viewers for fold in folds]), return_inverse=True)
        columns = {name: np.concatenate([fold.scores[name] for fold in folds]) for name in folds[0].scores}
        often = np.bincount(place)
        scores = {name: np.bincount(place, column) / often for name, column in columns.items()}
        return cls(viewers, scores, np.sum([fold.exposure for fold in folds], axis=0))


@dataclass(frozen=True)
class Wanted:
    """What the test holds that is new to its viewers."""

    cells: Longs  # (n,) viewer · V + item, sorted
    items: int
    viewers: Ints  # (B,) sorted
    counts: Longs  # (B,) how many each

    @classmethod
    def of(cls, split: Split) -> Self:
        """Return what is wanted and was not met before."""
        items = split.train.shape[1]
        cells = np.unique(split.test.cells())
        new = cells[~np.isin(cells, split.history.cells())]
        viewers, counts = np.unique(new // items, return_counts=True)
        return cls(new, items, viewers.astype(np.int32), counts)

    def among(self, viewers: Ints) -> Self:
        """Return what some of the viewers want, a run of them."""
        begin, end = int(viewers[0]), int(viewers[-1]) + 1  # a code times the items may not fit into 32 bits
        first, last = np.searchsorted(self.viewers, [begin, end])
        cells = slice(*np.searchsorted(self.cells, [begin * self.items, end * self.items]))
        return type(self)(self.cells[cells], self.items, viewers, self.counts[first:last])

    @property
    def row(self) -> Longs:
        """Return the place (n,) of each cell's viewer."""
        return np.repeat(np.arange(len(self.viewers)), self.counts)


@dataclass(frozen=True)
class Background:
    """What is told of the items by what was learned from."""

    met: Scores  # (V,) how many viewers met an item
    surprise: Scores  # (V,) −log2 of the share of viewers who met it, one more of each taken as met
    weight: Scores  # (V,) 1 / how likely it was seen
    features: Matrix  # (V, D) rows of length 1, or of zeros where nothing is told

    @classmethod
    def of(cls, train: Interactions) -> Self:
        """Return it of the events that a model may learn from."""
        met = np.bincount(np.unique(train.cells()) % train.shape[1], minlength=train.shape[1]).astype(np.float64)
        seen = np.maximum(met, 1) / max(met.max(initial=0), 1)
        viewers = len(np.unique(train.viewer))
        return cls(met, np.log2((viewers + 1) / (met + 1)), seen**-SEEN_POWER, _features(train))


def judge(model: Scorer, split: Split, *, k: int = 10, progress: Callable[[int], object] | None = None) -> Judgement:
    """Rank all items for the viewers of the test and look where the new ones stand that they wanted.

    An item that the viewer met in training is neither ranked nor wanted. The model's codes are those of the split.
    """
    wanted, known = Wanted.of(split), Background.of(split.train)
    columns: dict[str, list[Scores]] = {name: [] for name in _names(k)}
    exposure = np.zeros(wanted.items, np.int64)
    deepest = max(k, *(place for places in FIGURES.values() for place in places))
    for block in ranked(model, data=split.history, viewers=wanted.viewers, k=deepest):
        for name, of_block in _scores(block, wanted.among(block.viewers), known, k).items():
            columns[name].append(of_block)
        exposure += metrics.exposure(block.pages[:, :k], items=wanted.items)
        if progress:
            progress(len(block.viewers))
    scores = {name: np.concatenate([np.zeros(0), *blocks]) for name, blocks in columns.items()}
    scores[f"debiased_ndcg@{k}"] *= _share_of_weight(wanted, known)
    return Judgement(wanted.viewers, scores, exposure)


def _scores(block: Ranked, wanted: Wanted, known: Background, k: int) -> dict[str, Scores]:
    """Return every metric of a block's viewers (B,)."""
    pages, item = block.pages[:, :k], wanted.cells % wanted.items
    hits = metrics.hits(block.pages, viewers=block.viewers, wanted=wanted.cells, items=wanted.items)
    ideal = metrics.ideal_gain(known.weight[item], row=wanted.row, k=pages.shape[1])
    return {
        **{f"{name}@{place}": metrics.METRICS[name](hits[:, :place], wanted.counts) for name, place in _figures(k)},
        f"debiased_ndcg@{k}": metrics.debiased_ndcg(hits[:, :k], pages, weight=known.weight, ideal=ideal),
        "auc": metrics.auc(block.scores, met=block.met, wanted=item, counts=wanted.counts),
        f"novelty@{k}": metrics.mean_on_page(pages, known.surprise),
        f"popularity@{k}": metrics.mean_on_page(pages, known.met),
        f"ild@{k}": metrics.intra_list_diversity(pages, known.features),
    }


def _names(k: int) -> list[str]:
    at_k = [f"{name}@{k}" for name in ("debiased_ndcg", "novelty", "popularity", "ild")]
    return [*(f"{name}@{place}" for name, place in _figures(k)), "auc", *at_k]


def _figures(k: int) -> Iterable[tuple[str, int]]:
    at_k = [(name, k) for name in metrics.METRICS]
    return dict.fromkeys([*at_k, *((name, place) for name, places in FIGURES.items() for place in places)])


def _share_of_weight(wanted: Wanted, known: Background) -> Scores:
    """Return how much each viewer (B,) counts by the weights of what they wanted: 1 in the mean.

    So the mean of the viewers' debiased NDCG becomes self-normalised over all that was wanted, also where everyone
    wanted one thing.
    """
    weights = known.weight[wanted.cells % wanted.items]
    totals = np.bincount(wanted.row, weights, len(wanted.viewers))
    return np.asarray(totals / totals.mean() if len(totals) else totals)


def _features(train: Interactions) -> Matrix:
    """Return tags and creators as features (V, D); without any, the directions of who met what."""
    features = _told(train.attributes) if train.attributes else None
    if features is None or not features.nnz:
        _, _, directions = svd.truncated(train.seen(), config=svd.Config(), seed=0)
        features = csr_array(directions)
    length = np.repeat(norms(features), np.diff(features.indptr))
    unit: Matrix = csr_array((features.data / length, features.indices, features.indptr), shape=features.shape)
    return unit


def _told(attributes: Attributes) -> Matrix:
    """Return an item's tags, and its creator as one more, as features (V, T + creators)."""
    owned = np.flatnonzero(attributes.creator >= 0)
    places = owned, attributes.creator[owned].astype(np.int64)
    shape = len(attributes.creator), int(attributes.creator.max(initial=-1)) + 1
    creators: Matrix = csr_array((np.ones(len(owned), np.float32), places), shape=shape)
    told: Matrix = csr_array(hstack([attributes.tags, creators], format="csr"))
    return told
