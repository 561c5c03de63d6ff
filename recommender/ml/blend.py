"""How much each of several models should count, learned from what was held back from all of them.

The weights, none below 0 and 1 in all, are those with the highest NDCG@k on the held back, found one after the other:
each in turn takes every share of a grid while the others keep their proportions, until a round changes nothing. The
search begins at the best model alone, so that on what was held back a blend is never below it. A linear combination of
scores as in "Combination of Multiple Searches" (Fox and Shaw, 1994), tuned on the measure itself as in "Linear
Feature-Based Models for Information Retrieval" (Metzler and Croft, 2007), section 4.3. Of every viewer only what any
model puts first is looked at, so that memory is flat. Shapes: M models, B viewers, V items, C candidates.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recommender.ml.arrays import Flags, Floats, Ints, Longs
from recommender.ml.blended import Weights, measured
from recommender.ml.interactions import BrokenData
from recommender.ml.judgement import Wanted
from recommender.ml.metrics import METRICS
from recommender.ml.model import Scorer
from recommender.ml.splits import Split

PAGE = 10
VIEWERS = 4_000  # looked at, drawn by the seed
EACH = 100  # a model's best that are looked at
CELLS = 4_000_000  # scores of all models held at once
GRID = np.linspace(0, 1, 21)
ROUNDS = 10


class Learned(NamedTuple):
    """The weights, and what they come from: NDCG@k on the held back of the blend and of every model alone."""

    weights: Weights
    ndcg: float
    alone: Mapping[str, float]


@dataclass(frozen=True)
class Ballot:
    """What the models say of the candidates of viewers."""

    scores: Floats  # (M, B, C)
    there: Flags  # (B, C) whether a place holds a candidate
    wanted: Flags  # (B, C)
    counts: Longs  # (B,) how many were wanted at all

    def ndcg(self, factors: Floats, k: int) -> float:
        """Return NDCG@k where the models' scores count by these factors (M,)."""
        blended = np.where(self.there, np.tensordot(factors, self.scores, 1), -np.inf)  # (B, C)
        first = np.argpartition(-blended, min(k, blended.shape[1]) - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(blended, first, 1), axis=1, kind="stable")
        hit = np.take_along_axis(self.wanted & self.there, np.take_along_axis(first, order, 1), 1)
        return float(METRICS["ndcg"](hit, self.counts).mean())


def learn_weights(models: Mapping[str, Scorer], split: Split, *, k: int = PAGE, seed: int = 0) -> Learned:
    """Return how much each model should count, by its name; all of them learned from `split.train` alone.

    Raises BrokenData where nothing was held back that was new to its viewer.
    """
    wanted = Wanted.of(split)
    if not len(wanted.viewers):
        raise BrokenData("nothing_to_judge", "Nobody wanted anything new that was held back.")
    drawn = np.sort(np.random.default_rng(seed).permutation(wanted.viewers)[:VIEWERS])
    ballot = _joined(list(_ballots(list(models.values()), split, wanted, drawn)))
    spread = np.array([max(float(of[ballot.there].std()), 1e-6) for of in ballot.scores])  # (M,)
    alone = [ballot.ndcg(row, k) for row in np.eye(len(models), dtype=np.float32)]
    share, ndcg = _searched(ballot, spread, alone, k)
    return Learned(Weights(_named(models, share), _named(models, spread)), ndcg, dict(zip(models, alone, strict=True)))


def _searched(ballot: Ballot, spread: Floats, alone: Sequence[float], k: int) -> tuple[Floats, float]:
    """Return the shares (M,) with the highest NDCG@k found, and that."""
    share, best = np.eye(len(alone))[int(np.argmax(alone))], max(alone)
    for _ in range(ROUNDS if len(alone) > 1 else 0):
        before = best
        for place in range(len(alone)):
            tried = [_with(share, place, part) for part in GRID]
            found = [ballot.ndcg((row / spread).astype(np.float32), k) for row in tried]
            if max(found) > best:
                share, best = tried[int(np.argmax(found))], max(found)
        if best <= before:
            break
    return share, best


def _with(share: Floats, place: int, part: float) -> Floats:
    """Return the shares (M,) with one replaced and the others in proportion."""
    others = np.delete(share, place)
    others = others / others.sum() if others.sum() else np.full(len(others), 1 / len(others))
    return np.insert((1 - part) * others, place, part)


def _ballots(models: Sequence[Scorer], split: Split, wanted: Wanted, viewers: Ints) -> Iterator[Ballot]:
    """Yield what the models say of viewers (B,), some at a time."""
    seen = split.history.seen()
    size = max(1, CELLS // max(len(models) * wanted.items, 1))
    for start in range(0, len(viewers), size):
        rows = viewers[start : start + size]
        scores = np.stack([measured(model.score(split.history, rows)) for model in models])  # (M, b, V)
        met = seen[rows].toarray() > 0  # (b, V)
        first = [_best(np.where(met, -np.inf, of)) for of in scores]
        codes = np.sort(np.concatenate(first, axis=1), axis=1)  # (b, C)
        again = np.diff(codes, axis=1, prepend=-1) == 0
        cells = rows.astype(np.int64)[:, None] * wanted.items + codes
        yield Ballot(
            scores=np.take_along_axis(scores, codes[None], 2),
            there=~again & ~np.take_along_axis(met, codes, 1),
            wanted=np.isin(cells, wanted.cells),
            counts=wanted.counts[np.searchsorted(wanted.viewers, rows)],
        )


def _best(scores: Floats) -> Longs:
    """Return the places of a row's best (b, EACH), in any order."""
    each = min(EACH, scores.shape[1])
    return np.argpartition(-scores, each - 1, axis=1)[:, :each]


def _joined(parts: Sequence[Ballot]) -> Ballot:
    return Ballot(
        scores=np.concatenate([part.scores for part in parts], axis=1),
        there=np.concatenate([part.there for part in parts]),
        wanted=np.concatenate([part.wanted for part in parts]),
        counts=np.concatenate([part.counts for part in parts]),
    )


def _named(models: Mapping[str, Scorer], values: Floats) -> dict[str, float]:
    return {name: float(value) for name, value in zip(models, values, strict=True)}
