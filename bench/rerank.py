"""What re-ranking costs in relevance and gives in variety, on later events of real viewers.

`python -m bench.rerank FOLDER [--viewers 500]`. A model is fitted on the earlier events of a folder and asked for a
hundred candidates of each viewer, beside the popular; pages of twenty are drawn from them with different rules. Told
are NDCG@20 by what the viewers wanted later, the topics of a page, and how many of these the viewer had not met. The
baseline is the model's own order. Viewers of few topics are told apart: the half that had met fewer.
"""

import argparse
import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from recommender.ml import models
from recommender.ml.arrays import Longs
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.ranker.facts import Items
from recommender.ml.reading import read_folder
from recommender.ml.splits import later_slice, time_split
from recommender.serving.anywhere import Anywhere
from recommender.serving.catalogue import Catalogue
from recommender.serving.drawing import Draw
from recommender.serving.page import Pool, Rules, Source
from recommender.serving.scan import largest
from recommender.serving.space import Space
from recommender.serving.traits import Teller

PAGE, CANDIDATES = 20, 100
POPULAR = 1e-6  # share: it fills what the model has nothing for
RULES: dict[str, dict[str, Any]] = {
    "model alone": {},
    "mmr 0.15": {"method": "mmr", "diversity": 0.15},
    "dpp 0.15": {"method": "dpp", "diversity": 0.15},
    "1 new topic": {"new_topics": 1},
    "mmr 0.15, 1 new topic": {"method": "mmr", "diversity": 0.15, "new_topics": 1},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--viewers", type=int, default=500)
    asked = parser.parse_args()
    data = read_folder(asked.folder)
    split = time_split(data, at=later_slice(data))
    model = models.fit("recent-als", split.train, settings={"factors": 64})
    assert isinstance(model, Factors)
    pages = Pages(model, split.train)
    known = np.intersect1d(split.train.viewer, split.test.viewer[split.test.positive])
    viewers = np.sort(np.random.default_rng(0).permutation(known)[: asked.viewers])
    for name, rules in RULES.items():
        told = np.array([pages.judged(int(viewer), split.test, rules) for viewer in viewers])  # (B, 4)
        narrow = told[:, 3] <= np.median(told[:, 3])
        figures = {"all": _means(told), "narrow": _means(told[narrow])}
        print(json.dumps({"bench": "rerank", "rules": name, "viewers": len(viewers), **figures}), flush=True)


def _means(told: np.ndarray) -> dict[str, float]:
    names = (f"ndcg@{PAGE}", "topics_a_page", "new_topics_a_page")
    return {name: round(float(of), 4) for name, of in zip(names, told[:, :3].mean(axis=0), strict=True)}


class Pages:
    """Pages of one model."""

    def __init__(self, model: Factors, train: Interactions) -> None:
        self.model, self.train = model, train
        ids, told = train.item_ids, Items.of(train.item_ids, train.attributes)
        nothing = np.zeros(len(ids), np.int64)
        watched = np.bincount(train.item[train.positive], minlength=len(ids))
        self.catalogue = Catalogue(
            items=ids,
            creators=told.creator[:-1],
            published=nothing,
            is_free=nothing == 0,
            topics=told.topic[:-1] + 1,
            followers=nothing,
            viewers=watched,
            reactions=nothing,
        )
        self.space = Space(model)

    def judged(self, viewer: int, later: Interactions, rules: dict[str, Any]) -> tuple[float, int, int, int]:
        """Return NDCG, topics, topics not met before, and how many had been met."""
        met = np.unique(self.train.item[self.train.of(viewer)]).astype(np.int64)
        events = later.of(viewer)
        wanted = np.setdiff1d(later.item[events][later.positive[events]], met)
        page = self._page(viewer, met, rules)
        topics = self.catalogue.topics
        known, shown = np.unique(topics[met]), np.unique(topics[page])
        ndcg = _ndcg(np.isin(page, wanted), len(wanted))
        return ndcg, len(shown), len(np.setdiff1d(shown, known)), len(known)

    def _page(self, viewer: int, met: Longs, rules: dict[str, Any]) -> Longs:
        """Return the items (k,) of a page, by their codes."""
        scores = self.model.score(self.train, np.array([viewer], np.int32))[0].copy()
        scores[met] = -np.inf
        hidden = set(self.catalogue.items[met].tolist())
        best = self.catalogue.offers(largest(scores, CANDIDATES))
        popular = [offer for offer in self.catalogue.popular if offer.item not in hidden]
        rng = random.Random(viewer)
        draw = Draw(
            Pool([Source("model", 1.0, best), Source("popular", POPULAR, popular[:CANDIDATES])]),
            anywhere=Anywhere(self.catalogue, share=0, hidden=hidden, creators=(), rng=rng),
            teller=Teller(self.catalogue, self.space, self.catalogue.items[met], small_followers=0),
            rules=Rules(size=PAGE, per_creator=PAGE, per_topic=PAGE, **rules),
            rng=rng,
        )
        return self.catalogue.places_of(np.array([place.offer.item for place in draw.fill(PAGE)]))


def _ndcg(hit: np.ndarray, wanted: int) -> float:
    gains = 1 / np.log2(np.arange(2, len(hit) + 2))
    return float((hit * gains).sum() / gains[: max(1, min(wanted, len(hit)))].sum())


if __name__ == "__main__":
    main()
