"""Whom a model favours: which creators are shown, which items, and which viewers are served well.

parity       a group's share of all places shown, over its share of the items on offer and over its share of what
             viewers wanted afterwards: 1 is even ("Fairness of Exposure in Rankings", Singh and Joachims, 2018,
             sections 3.1 and 3.2: demographic parity, and exposure in proportion to merit).
gini         how unequally the places are shared among the items.
arp          how many viewers had met a shown item, the mean; `history_arp` the same of what the viewers themselves
             had met, and lift = arp / history_arp − 1 ("The Unfairness of Popularity Bias in Recommendation",
             Abdollahpouri et al., 2019, section 3.1).
gap          the best segment's mean NDCG less the worst one's, over the mean of all.

Groups of creators: small ones (half of the creators, those whom fewest viewers met) and large ones, new ones (whose
first item came out within 30 days before the last event) and known ones, and by the script of most of their titles.
Segments of viewers, by thirds: how much they had done, and how popular was what they had met; and by the script of
what they met. Shapes: B judged viewers, V items, C creators.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommender.ml.arrays import Flags, Longs
from recommender.ml.attributes import Attributes
from recommender.ml.interactions import Interactions
from recommender.ml.judgement import Judgement
from recommender.ml.metrics import bootstrap
from recommender.ml.popularity import DAY_MS
from recommender.ml.splits import Split

NEW_DAYS = 30
FEWEST = 20  # viewers of a segment, below which nothing is said of it
THIRDS = ("low", "middle", "high")
ROUNDS = 500  # of the bootstrap
CJK = ("\u3400", "\u9fff")

Report = dict[str, Any]
Masks = Mapping[str, Flags]


def audit(judged: Judgement, split: Split, *, k: int, seed: int = 0) -> Report:
    """Return whom a judged model favours with the first k places of the viewers it was judged on."""
    told = split.train.attributes
    return {
        "k": k,
        "viewers": len(judged.viewers),
        "creators": parity(judged.exposure, split, _creators(split.train, told)) if told else {},
        "popularity": popularity(judged, split, k=k),
        "segments": accuracy(judged, split, k=k, seed=seed),
    }


def parity(exposure: Longs, split: Split, groups: Mapping[str, Masks]) -> Report:
    """Return each group's share of the places, of the items and of what was wanted, and the places over each."""
    wanted = np.bincount(split.test.item, minlength=len(exposure))
    told: Report = {}
    for grouping, masks in groups.items():
        among = np.any(list(masks.values()), axis=0)
        shown, items, merit = (column * among for column in (exposure, np.ones(len(exposure)), wanted))
        told[grouping] = {
            name: _of_group(_share(shown, mask), _share(items, mask), _share(merit, mask))
            for name, mask in masks.items()
        }
    return told


def _of_group(shown: float, items: float, wanted: float) -> dict[str, float]:
    told = {"shown": shown, "items": items, "wanted": wanted}
    told |= {"shown_to_items": shown / items} if items else {}
    told |= {"shown_to_wanted": shown / wanted} if wanted else {}
    return {name: round(value, 4) for name, value in told.items()}


def _share(column: np.ndarray, mask: Flags) -> float:
    total = float(column.sum())
    return float(column[mask].sum()) / total if total else 0.0


def popularity(judged: Judgement, split: Split, *, k: int) -> dict[str, float]:
    """Return how unequally items are shown, and how much more popular they are than what the viewers had met."""
    shown, before = judged.scores[f"popularity@{k}"], _taste(split)[judged.viewers]
    known = ~np.isnan(before)
    arp, history = (float(of[known].mean()) if known.any() else 0.0 for of in (shown, before))
    lift = arp / history - 1 if history else 0.0
    told = {"gini": judged.gini, "coverage": judged.coverage, "arp": arp, "history_arp": history, "lift": lift}
    return {name: round(value, 4) for name, value in told.items()}


def accuracy(judged: Judgement, split: Split, *, k: int, seed: int) -> Report:
    """Return the mean NDCG of each segment with its interval, and the widest gap of each way to part the viewers."""
    scores = judged.scores[f"ndcg@{k}"]
    overall = float(scores.mean()) if len(scores) else 0.0
    told: Report = {}
    for way, masks in _segments(split, judged).items():
        found = {name: bootstrap(scores[m], seed=seed, rounds=ROUNDS) for name, m in masks.items() if m.sum() >= FEWEST}
        means = [of.mean for of in found.values()]
        gap = (max(means) - min(means)) / overall if means and overall else 0.0
        told[way] = {"gap": round(gap, 4)} | {
            name: {"viewers": int(masks[name].sum()), f"ndcg@{k}": [round(x, 4) for x in (of.mean, of.low, of.high)]}
            for name, of in found.items()
        }
    return told


def _segments(split: Split, judged: Judgement) -> Mapping[str, Masks]:
    history = split.history
    many = np.diff(history.starts)[judged.viewers].astype(np.float64)
    ways: dict[str, Masks] = {"activity": _thirds(many), "mainstream": _thirds(_taste(split)[judged.viewers])}
    if history.attributes:
        is_chinese = _chinese(history.attributes)[history.item]
        share = _mean_by(history.viewer, is_chinese, history.shape[0])[judged.viewers]
        ways["script"] = {"chinese": share > 0.5, "other": share <= 0.5}
    return ways


def _thirds(values: np.ndarray) -> Masks:
    """Part viewers (B,) by two quantiles; those of whom nothing is known are in no part."""
    known = values[~np.isnan(values)]
    edges = np.quantile(known, [1 / 3, 2 / 3]) if len(known) else np.zeros(2)
    place = np.where(np.isnan(values), -1, np.searchsorted(edges, values))
    return {name: place == number for number, name in enumerate(THIRDS)}


def _taste(split: Split) -> np.ndarray:
    """Return how popular is what each viewer had met, the mean over their events (U,), NaN without any."""
    met = np.bincount(np.unique(split.train.cells()) % split.train.shape[1], minlength=split.train.shape[1])
    return _mean_by(split.history.viewer, met[split.history.item], split.history.shape[0])


def _mean_by(owner: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    many = np.bincount(owner, minlength=count)
    sums = np.bincount(owner, values.astype(np.float64), count)
    return np.asarray(np.divide(sums, many, out=np.full(count, np.nan), where=many > 0))


def _creators(train: Interactions, told: Attributes) -> Mapping[str, Masks]:
    """Return groups of creators as masks over the items (V,) of creators who are known."""
    known = told.creator >= 0
    owner = np.where(known, told.creator, 0)
    size = len(told.creator_ids)
    if not size or not known.any():
        return {}
    met = train.where(known[train.item])
    viewers = np.bincount(np.unique(met.viewer.astype(np.int64) * size + owner[met.item]) % size, minlength=size)
    is_small = np.argsort(np.argsort(viewers, kind="stable")) < size // 2
    groups = {"size": _halves(is_small, ("small", "large"), owner, known)}
    if (told.published_at > 0).any() and len(train):
        first = np.full(size, np.iinfo(np.int64).max)
        dated = known & (told.published_at > 0)
        np.minimum.at(first, owner[dated], told.published_at[dated])
        is_new = first > int(train.at.max()) - NEW_DAYS * DAY_MS
        groups["age"] = _halves(is_new, ("new", "known"), owner, known)
    if any(told.title):
        is_chinese = _mean_by(owner[known], _chinese(told)[known], size) > 0.5
        groups["script"] = _halves(is_chinese, ("chinese", "other"), owner, known)
    return groups


def _halves(is_first: Flags, names: tuple[str, str], owner: np.ndarray, known: Flags) -> Masks:
    return {names[0]: is_first[owner] & known, names[1]: ~is_first[owner] & known}


def _chinese(told: Attributes) -> Flags:
    """Return which titles (V,) have a Chinese character."""
    return np.array([any(CJK[0] <= letter <= CJK[1] for letter in title) for title in told.title], np.bool_)
