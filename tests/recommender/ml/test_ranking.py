from dataclasses import dataclass

import numpy as np
import pytest
import torch

from recommender.ml import ranking
from recommender.ml.arrays import Floats, Ints
from recommender.ml.interactions import BrokenData, Interactions
from tests.recommender.ml import make


@dataclass
class Given:
    """A model whose scores are given."""

    scores: Floats

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        return self.scores[viewers]


def test_the_best_unseen_items_come_in_order() -> None:
    model = Given(np.array([[0.1, 0.9, -0.5, 0.4]], np.float32))
    data = make.interactions((1, 1, 1), known_items=[0, 1, 2, 3])

    page = ranking.recommend(model, data=data, viewers=np.array([0], np.int32), k=2)

    assert page.tolist() == [[3, 0]]


def test_what_is_not_there_is_minus_one() -> None:
    model = Given(np.zeros((1, 3), np.float32))
    data = make.interactions((1, 0, 1), (1, 2, 1), known_items=[0, 1, 2])

    page = ranking.recommend(model, data=data, viewers=np.array([0], np.int32), k=10)

    assert page.tolist() == [[1, -1, -1]]


def test_equal_scores_stand_in_the_order_of_their_ids() -> None:
    scores = torch.tensor([[0.0, 1.0, -0.0, 1.0, 0.0, -2.0]])

    assert ranking.best(scores, k=6).tolist() == [[1, 3, 0, 2, 4, 5]]


@pytest.mark.parametrize("k", [1, 3, 10, 50, 150, 2_003])
def test_the_order_is_the_one_of_a_stable_sort_with_blocks_and_without(k: int) -> None:
    """Scores are rounded so that hundreds are equal, also across blocks; a third of the items is met."""
    rng = np.random.default_rng(0)
    scores = np.round(rng.normal(size=(20, 2_003)), 1).astype(np.float32)
    scores[rng.random(scores.shape) < 1 / 3] = -np.inf
    sorted_out = np.argsort(-scores, axis=1, kind="stable")[:, :k]

    ours = ranking.best(torch.from_numpy(scores), k=k)

    met = np.take_along_axis(scores, sorted_out, 1) == -np.inf
    assert np.array_equal(ours, np.where(met, -1, sorted_out))


def test_who_has_nearly_everything_behind_them_gets_what_is_left() -> None:
    scores = torch.full((1, 1_000), -torch.inf)
    scores[0, [2, 500, 999]] = 1

    assert ranking.best(scores, k=5).tolist() == [[2, 500, 999, -1, -1]]


def test_batches_do_not_change_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Given(np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32))
    data = make.interactions(*[(viewer, viewer % 5, 1) for viewer in range(7)])
    viewers = np.arange(7, dtype=np.int32)

    at_once = ranking.recommend(model, data=data, viewers=viewers, k=3)
    monkeypatch.setattr(ranking, "BATCH_CELLS", 10)
    by_two = ranking.recommend(model, data=data, viewers=viewers, k=3)

    assert np.array_equal(at_once, by_two)


def test_scores_that_are_no_numbers_are_refused() -> None:
    model = Given(np.array([[0.1, np.nan]], np.float32))
    data = make.interactions((1, 1, 1), known_items=[0, 1])

    with pytest.raises(BrokenData) as refused:
        ranking.recommend(model, data=data, viewers=np.array([0], np.int32), k=1)

    assert refused.value.code == "score_nan"
