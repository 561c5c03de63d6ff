"""How well what some viewers wanted last is foreseen while training goes on.

Shapes: B viewers, V items, D dimensions.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from recommender.ml.arrays import Ints
from recommender.ml.interactions import Interactions
from recommender.ml.metrics import accuracy
from recommender.ml.ranking import recommend
from recommender.ml.sequence.fitted import Fitted
from recommender.ml.sequence.network import Network
from recommender.ml.splits import Split, leave_one_out

PAGE = 10


class Validation(NamedTuple):
    """Viewers whose last wanted item is kept from training."""

    split: Split
    length: int
    device: str

    @property
    def viewers(self) -> Ints:
        return self.split.test.viewer

    def ndcg(self, network: Network) -> float:
        """Return NDCG@10 over the viewers, all items ranked and those met before left out; 0 when there are none."""
        if not len(self.viewers):
            return 0.0
        was = network.training
        model = Fitted("", self.split.train.item_ids, network.eval(), self.length, self.device)
        pages = recommend(model, data=self.split.train, viewers=self.viewers, k=PAGE)
        network.train(was)
        wanted = np.sort(self.split.test.cells())
        hits = accuracy.hits(pages, viewers=self.viewers, wanted=wanted, items=self.split.train.shape[1])
        return float(accuracy.ndcg(hits, np.ones(len(hits), np.int64)).mean())


def held_back(data: Interactions, *, judged: int, seed: int) -> Split:
    """Hold what they wanted last back from so many viewers; all others are learned from to their end."""
    whole = leave_one_out(data)
    drawn = np.random.default_rng(seed).permutation(len(whole.test))[:judged]
    test = whole.test.where(np.isin(np.arange(len(whole.test)), drawn))
    among = np.isin(np.arange(data.shape[0]), test.viewer)  # (U,)
    ends = np.where(among, data.starts[:-1] + np.diff(whole.train.starts), data.starts[1:])
    kept = data.where(np.arange(len(data)) < ends[data.viewer])
    return Split(train=replace(kept, asked_at=whole.train.asked_at), test=test)
