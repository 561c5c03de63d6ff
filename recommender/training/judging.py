"""Which model is best on a later slice of time, and whether it is surely better than what stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.ml.evaluation import Judgement, judge
from recommender.ml.factors import Factors
from recommender.ml.interactions import Floats, Interactions, Ints
from recommender.ml.metrics import paired_difference
from recommender.ml.splits import Split, later_slice, time_split
from recommender.queries.past import REMEMBERED
from recommender.serving.retrieval import common

PAGE = 20
BY = f"ndcg@{PAGE}"
SAMPLE = 5_000  # viewers judged
FEWEST = 20  # viewers on whom anything can be judged
SEED = 0


class AsServed:
    """A model that knows viewers as the web process does: folded in from their latest history, nothing else."""

    def __init__(self, model: Factors, train: Interactions) -> None:
        ends = np.searchsorted(train.viewer, train.viewer, side="right")
        self.ratings = train.where(ends - np.arange(len(train)) <= REMEMBERED).ratings()  # (U, V)
        self.model = model
        self.codes, self.places = common(model.item_ids, train.item_ids)
        self.code_of = np.full(len(train.item_ids), -1)
        self.code_of[self.places] = self.codes

    def score(self, viewers: Ints) -> Floats:
        """Return (B, V), minus infinity for items that the model does not know."""
        wishes = np.stack([self._wish(viewer) for viewer in viewers])  # (B, D)
        scores = np.full((len(viewers), len(self.code_of)), -np.inf, np.float32)
        known = wishes @ self.model.item_vectors[self.codes].T + self.model.item_bias[self.codes]
        scores[:, self.places] = known
        return scores

    def _wish(self, viewer: int) -> Floats:
        row = slice(self.ratings.indptr[viewer], self.ratings.indptr[viewer + 1])
        codes = self.code_of[self.ratings.indices[row]]
        return self.model.fold_in(codes[codes >= 0], self.ratings.data[row][codes >= 0])


@dataclass(frozen=True)
class Verdict:
    """How each model did for the same viewers, and the best of the candidates."""

    best: str
    passed: bool
    reason: str
    metrics: dict[str, Any]


def held_back(data: Interactions, *, learned_until: int | None) -> Split:
    """Return what to learn from and the later slice to judge on.

    The version in place has learned until some moment. Where enough happened since, the slice is the latter half
    of that: news to both, and the candidate has learned from the first half. Else it is the last fifth, of which
    the version in place may know a part: then it is favoured, and stays.
    """
    if learned_until is not None:
        later = data.at[data.at > learned_until]
        if len(later):
            split = _judged(time_split(data, at=int(np.median(later)) + 1))
            if len(np.unique(split.test.viewer)) >= FEWEST:
                return split
    return _judged(time_split(data, at=later_slice(data)))


def _judged(split: Split) -> Split:
    """Keep a sample of the viewers who have a history."""
    viewers = np.intersect1d(split.train.viewer, split.test.viewer)
    chosen = np.random.default_rng(SEED).permutation(viewers)[:SAMPLE]
    return Split(train=split.train, test=split.test.where(np.isin(split.test.viewer, chosen)))


def verdict(
    split: Split, *, candidates: Mapping[str, Factors], usual: Mapping[str, Factors], incumbent: Factors | None
) -> Verdict:
    """Judge all models on the same viewers: the best candidate has to beat the best of `usual` and the incumbent."""
    standing = {"incumbent": incumbent} if incumbent else {}
    judged = {
        name: judge(AsServed(model, split.train), split, k=PAGE)
        for name, model in {**candidates, **usual, **standing}.items()
    }
    viewers = len(next(iter(judged.values())).viewers)
    metrics: dict[str, Any] = {"k": PAGE, "viewers": viewers, "models": {name: _row(of) for name, of in judged.items()}}
    best = max(candidates, key=lambda name: _mean(judged[name]))
    if viewers < FEWEST:
        return Verdict(best, passed=False, reason="too_few_viewers", metrics=metrics)
    rivals = {"popularity": max(usual, key=lambda name: _mean(judged[name])), **{name: name for name in standing}}
    lead = {
        rival: paired_difference(_scores(judged[best]), _scores(judged[of]), seed=SEED) for rival, of in rivals.items()
    }
    metrics |= {"lead": {rival: [round(of.mean, 4), round(of.low, 4), round(of.high, 4)] for rival, of in lead.items()}}
    unbeaten = [rival for rival, of in lead.items() if of.low <= 0]
    reason = f"does_not_beat_{unbeaten[0]}" if unbeaten else "beats_" + "_and_".join(lead)
    return Verdict(best, passed=not unbeaten, reason=reason, metrics=metrics)


def _scores(judged: Judgement) -> np.ndarray:
    return judged.scores[BY]


def _mean(judged: Judgement) -> float:
    return float(_scores(judged).mean()) if len(judged.viewers) else 0.0


def _row(judged: Judgement) -> dict[str, float]:
    if not len(judged.viewers):
        return {}
    figures = {name: round(float(scores.mean()), 4) for name, scores in judged.scores.items()}
    return figures | {f"coverage@{PAGE}": round(judged.coverage, 4)}
