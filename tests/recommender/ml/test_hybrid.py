"""Collaborative filtering and a deep model together."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.ml import models
from recommender.ml.blended import Blended
from recommender.ml.interactions import Interactions
from recommender.ml.judgement import judge
from recommender.ml.model import Scorer
from recommender.ml.splits import Split, leave_one_out
from tests.recommender.ml import make


def world() -> Interactions:
    """Return viewers of whom half go round a circle of ten items, and half take pairs of thirty others in any order."""
    rng = np.random.default_rng(0)
    rows: list[make.Row] = []
    for viewer in range(0, 160, 2):
        first = int(rng.integers(10))
        rows += [(viewer, (first + step) % 10, 1.0) for step in range(7)]
        rows += [
            (viewer + 1, 10 + 2 * int(n) + int(i), 1.0) for n in rng.permutation(15)[:4] for i in rng.permutation(2)
        ]
    return make.interactions(*rows)


def ndcg(model: Scorer, split: Split) -> float:
    return float(judge(model, split).scores["ndcg@10"].mean())


@pytest.fixture(scope="module")
def split() -> Split:
    return leave_one_out(world())


@pytest.fixture(scope="module")
def ours(split: Split) -> Blended:
    model = models.fit("hybrid", split.train, settings={"width": 16, "layers": 1, "epochs": 100})
    assert isinstance(model, Blended)
    return model


def test_together_they_are_no_worse_than_the_best_of_them(ours: Blended, split: Split) -> None:
    alone = {part.name: ndcg(part, split) for part in ours.parts}

    assert len(alone) > 1
    assert ndcg(ours, split) >= max(alone.values()) - 0.02
    assert ndcg(ours, split) > ndcg(models.fit("popularity", split.train), split) + 0.2


def test_one_can_see_how_much_each_part_counts(ours: Blended) -> None:
    assert sum(ours.weights.share.values()) == pytest.approx(1)
    assert set(ours.weights.share) == {"ease", "recent-popularity", "transformer"}


def test_what_was_held_back_to_find_the_weights_is_in_the_history_all_the_same(ours: Blended, split: Split) -> None:
    """A score depends on the whole history that is asked about, whoever was judged when the weights were learned."""
    everyone = np.arange(split.train.shape[0], dtype=np.int32)
    last = split.train.starts[1:][split.train.viewer] - 1 == np.arange(len(split.train))

    whole = ours.score(replace(split.train), everyone)
    shorter = ours.score(split.train.where(~last), everyone)

    assert (np.abs(whole - shorter).max(1) > 1e-3).all()


def test_where_nobody_has_wanted_two_things_all_parts_count_alike() -> None:
    model = models.fit("hybrid", make.interactions((1, 0, 1), (2, 1, 1), (3, 0, 1)), settings={"epochs": 1})

    assert isinstance(model, Blended)
    assert list(model.weights.share.values()) == pytest.approx([1 / 3] * 3)
