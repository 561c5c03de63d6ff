"""How long and how gladly a viewer would watch each of some hundred candidates, here and now."""

from typing import Protocol

import numpy as np

from recommender.ml.arrays import Floats, Longs
from recommender.ml.ranker.ranker import Ranker
from recommender.ml.ranker.targets import HEADS
from recommender.serving.taste import events

# What a page is put in order by, unless told otherwise: a head's weight in the worth of a view.
WORTH = {"long_view": 1.0, "order": 0.5, "within": 0.5, "like": 1.0, "follow": 1.0, "purchase": 2.0}


class Context(Protocol):
    """What a viewer did: the arrays of `queries.past.Past`, in any order."""

    @property
    def items(self) -> Longs:
        """Return the ids of what they watched and reacted to (T,)."""
        ...

    @property
    def at(self) -> Longs:
        """Return when (T,), milliseconds since the epoch."""
        ...

    @property
    def said(self) -> Longs:
        """Return what they did (T,): values of taste.CODES."""
        ...

    @property
    def watched(self) -> Floats:
        """Return the share of the item that they watched (T,), NaN for a reaction."""
        ...

    @property
    def circumstance(self) -> int:
        """Return on what they ask: a code of `ml.ranker.circumstances`."""
        ...


def rank(ranker: Ranker, context: Context, candidates: Longs, *, at: int) -> Floats:
    """Return what a view of each candidate (n,), ids in any order, would be like at a moment (ms): (n, H) as in HEADS.

    `ranker` is the part `bundle.ranker`, which carries what is told of items; the context is the viewer's Past.
    A newcomer's may be empty, and candidates may be unknown to the ranker: they are judged by what is usual.
    """
    if not len(candidates):
        return np.zeros((0, len(HEADS)), np.float32)
    nobody_else = np.zeros(len(context.items), np.int64)
    told = events(viewer=nobody_else, item=context.items, at=context.at, said=context.said, watched=context.watched)
    return ranker.rank(told, candidates, at=at, circumstance=context.circumstance)


def worth(told: Floats, weights: dict[str, float] = WORTH) -> Floats:
    """Return one number for each candidate (n,) to put them in order by, of what is told of it (n, H)."""
    by_head = np.array([weights.get(head, 0.0) for head in HEADS], np.float32)
    return np.asarray(told @ by_head)
