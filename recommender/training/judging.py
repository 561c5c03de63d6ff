"""Which model is best on a later slice of time, and whether it is good enough to be served.

The best of many is partly the luckiest. So the viewers of the slice are parted by chance into two halves, and each half
judges what the other has chosen (cross-fitting): nobody judges their own choice, and every viewer counts. There it has
to be surely better than what is popular, and no worse than the version in place as far as can be told: the bootstrap
interval of the difference must not lie below zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from recommender.ml.arrays import Flags, Floats, Ints, Longs, common
from recommender.ml.audit import audit
from recommender.ml.evaluation import Judgement, judge
from recommender.ml.interactions import Interactions
from recommender.ml.metrics import Interval, paired_difference
from recommender.ml.metrics.accuracy import Scores
from recommender.ml.model import Model
from recommender.ml.splits import Split, later_slice, time_split
from recommender.queries.past import REMEMBERED

PAGE = 20
BY = f"ndcg@{PAGE}"
SAMPLE = 5_000  # viewers judged
FEWEST = 20  # viewers in either half, by whom anything can be chosen
SEED = 0
INCUMBENT = "incumbent"


@dataclass(frozen=True)
class AsServed:
    """A model that knows viewers as the web process does, by their latest history, among the items of newer data."""

    model: Model
    latest: Interactions  # in the model's words
    codes: Longs  # of the items that the model knows
    places: Longs  # of the same items in the data

    @classmethod
    def of(cls, model: Model, train: Interactions) -> Self:
        """Return the model as it would be served to the viewers of `train`."""
        latest = train.latest(REMEMBERED).in_words_of(model.item_ids)
        return cls(model, latest, *common(model.item_ids, train.item_ids))

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return (B, V), minus infinity for items that the model does not know."""
        scores = np.full((len(viewers), data.shape[1]), -np.inf, np.float32)
        scores[:, self.places] = self.model.score(self.latest, viewers)[:, self.codes]
        return scores


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
            if len(np.unique(split.test.viewer)) >= 2 * FEWEST:
                return split
    return _judged(time_split(data, at=later_slice(data)))


def _judged(split: Split) -> Split:
    """Keep a sample of the viewers who have a history, and tell when they came back, as serving does."""
    viewers = np.intersect1d(split.train.viewer, split.test.viewer)
    chosen = np.random.default_rng(SEED).permutation(viewers)[:SAMPLE]
    test = split.test.where(np.isin(split.test.viewer, chosen))
    asked_at = np.full(split.train.shape[0], -1, np.int64)  # (U,)
    first = np.unique(test.viewer, return_index=True)[1]  # of each viewer, since the events are in order
    asked_at[test.viewer[first]] = test.at[first]
    return Split(train=replace(split.train, asked_at=asked_at), test=test)


def judgements(split: Split, models: Mapping[str, Model]) -> dict[str, Judgement]:
    """Judge all models on the same viewers, as they would be served to them."""
    return {name: judge(AsServed.of(model, split.train), split, k=PAGE) for name, model in models.items()}


def verdict(judged: Mapping[str, Judgement], *, candidates: Sequence[str], usual: Sequence[str]) -> Verdict:
    """Choose the best candidate, and tell whether it holds its own against the best of `usual` and what stands."""
    viewers = next(iter(judged.values())).viewers
    best = _best(judged, candidates)
    metrics: dict[str, Any] = {
        "k": PAGE,
        "viewers": len(viewers),
        "best": best,
        "models": {name: _row(of) for name, of in judged.items()},
    }
    if len(viewers) < 2 * FEWEST:
        return Verdict(best, passed=False, reason="too_few_viewers", metrics=metrics)
    half = halves(len(viewers))
    ours, theirs = (crossed(np.stack([_scores(judged[name]) for name in of]), half) for of in (candidates, usual))
    rivals = {"popularity": theirs}
    rivals |= {INCUMBENT: _scores(judged[INCUMBENT])} if INCUMBENT in judged else {}
    lead = {rival: paired_difference(ours, of, seed=SEED) for rival, of in rivals.items()}
    metrics |= {"lead": {rival: [round(of.mean, 4), round(of.low, 4), round(of.high, 4)] for rival, of in lead.items()}}
    return Verdict(best, *_passed(lead["popularity"], lead.get(INCUMBENT)), metrics=metrics)


def audited(found: Verdict, judged: Mapping[str, Judgement], split: Split) -> Verdict:
    """Return the verdict with what is to be told of whom the best candidate favours."""
    return replace(found, metrics={**found.metrics, "audit": audit(judged[found.best], split, k=PAGE, seed=SEED)})


def halves(viewers: int) -> Flags:
    """Part so many viewers in two by chance: (B,)."""
    return np.random.default_rng(SEED).permutation(viewers) < viewers // 2


def crossed(found: Scores, half: Flags) -> Scores:
    """Return what each viewer (B,) says of the choice, among found (G, B), that the other half thinks best."""
    by_others = found[:, ~half].mean(1).argmax() if (~half).any() else 0
    by_half = found[:, half].mean(1).argmax() if half.any() else 0
    said: Scores = np.where(half, found[by_others], found[by_half])
    return said


def good(judged: Mapping[str, Judgement], names: Iterable[str], *, usual: Sequence[str]) -> list[str]:
    """Return which of these surely beat the best of `usual`, the best first."""
    popular = _scores(judged[_best(judged, usual)])
    kept = [name for name in names if paired_difference(_scores(judged[name]), popular, seed=SEED).low > 0]
    return sorted(kept, key=lambda name: -float(_scores(judged[name]).mean()))


def _best(judged: Mapping[str, Judgement], names: Sequence[str]) -> str:
    """Return the one that all viewers together think best."""
    return max(names, key=lambda name: float(scores.mean()) if len(scores := _scores(judged[name])) else 0.0)


def _passed(over_popularity: Interval, over_incumbent: Interval | None) -> tuple[bool, str]:
    if over_popularity.low <= 0:
        return False, "does_not_beat_popularity"
    if over_incumbent is None:
        return True, "beats_popularity"
    if over_incumbent.high < 0:
        return False, "worse_than_incumbent"
    return True, "beats_popularity_and_incumbent" if over_incumbent.low > 0 else "no_worse_than_incumbent"


def _scores(judged: Judgement) -> Scores:
    return judged.scores[BY]


def _row(judged: Judgement) -> dict[str, float]:
    if not len(judged.viewers):
        return {}
    figures = {name: round(float(scores.mean()), 4) for name, scores in judged.scores.items()}
    return figures | {f"coverage@{PAGE}": round(judged.coverage, 4)}
