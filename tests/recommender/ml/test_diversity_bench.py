"""The benchmark of varied pages: a page of one kind becomes one of several, and says what that cost."""

import numpy as np

from bench.diversity import Reranked, compare
from recommender.ml import models
from recommender.ml.mmr import Mmr
from recommender.ml.splits import leave_one_out
from tests.recommender.ml import make


class Liking:
    """Likes the items in the order of their codes."""

    def score(self, data: object, viewers: np.ndarray) -> np.ndarray:
        return np.tile(-np.arange(200, dtype=np.float32), (len(viewers), 1))


def test_the_best_stays_first_and_its_like_gives_way() -> None:
    directions = np.eye(4, dtype=np.float32)[np.arange(200) // 50]
    train = make.interactions((0, 0, 1.0), known_items=list(range(200)))
    model = Reranked(Liking(), directions, lambda vectors: Mmr(vectors, diversity=0.9))

    scores = model.score(train, np.zeros(1, np.int32))

    assert scores[0].argmax() == 1  # the first was met
    page = np.argsort(-scores[0])[:2]
    assert directions[page[0]] @ directions[page[1]] == 0
    assert scores[0, 0] == -np.inf


def test_every_way_is_told_beside_the_models_own_order() -> None:
    rows = [(viewer, viewer % 3 * 50 + (viewer + 3 * step) % 50, 1.0) for viewer in range(30) for step in range(8)]
    split = leave_one_out(make.interactions(*rows, known_items=list(range(150))))
    fitted = models.fit("implicit-als", split.train, settings={"factors": 8, "reg": 1, "iterations": 5})

    told = compare(fitted, split)

    assert told["none"]["ndcg_loss"] == 0
    assert told["none"]["ndcg"] > 0
    assert told["mmr 0.5"]["ild"] > told["none"]["ild"]
