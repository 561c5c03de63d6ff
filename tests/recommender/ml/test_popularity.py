import numpy as np
import pytest

from recommender.ml import popularity
from recommender.ml.popularity import Config
from tests.recommender.ml import make


def test_what_most_wanted_comes_first() -> None:
    train = make.interactions((1, 10, 1), (2, 10, 1), (1, 11, 1), (2, 12, -1), (3, 12, -1))

    model = popularity.fit(train)

    assert model.score(train, np.array([0, 1], np.int32)) == pytest.approx(np.log1p([[2, 1, 0], [2, 1, 0]]))


def test_only_the_last_days_count() -> None:
    long_ago: list[make.Row] = [(viewer, 10, 1) for viewer in range(48)]  # an hour apart: two days

    model = popularity.fit(make.interactions(*long_ago, (50, 11, 1), (51, 11, 1)), config=Config(days=0.1))

    assert model.item_bias == pytest.approx(np.log1p([1, 2]))
