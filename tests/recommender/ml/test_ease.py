import numpy as np
import pytest

from recommender.ml import ease
from recommender.ml.ease import Config
from recommender.ml.interactions import BrokenData
from tests.recommender.ml import make


def ratings(viewers: int = 30, items: int = 12) -> np.ndarray:
    return (np.random.default_rng(0).random((viewers, items)) < 0.3).astype(np.float32)


def told(cells: np.ndarray) -> list[make.Row]:
    return [(int(u), int(i), float(cells[u, i])) for u, i in zip(*np.nonzero(cells), strict=True)]


def test_the_weights_are_each_items_ridge_regression_on_the_others() -> None:
    """Column j of B is the ridge regression of column j of R on all other columns: solved here one by one."""
    R, reg = ratings(), 3.0
    train = make.interactions(*told(R), known_items=list(range(12)))

    ours = ease.weights(train.ratings(), reg=reg)

    for j in range(R.shape[1]):
        others = np.delete(R, j, 1)
        by_hand = np.linalg.solve(others.T @ others + reg * np.eye(11), others.T @ R[:, j])
        assert np.delete(ours[:, j], j) == pytest.approx(by_hand, abs=1e-5)
        assert ours[j, j] == 0


def test_the_regularisation_grows_with_how_often_an_item_is_met() -> None:
    """Six ratings of 2 over three items: the mean item has 2 · 2² = 8 behind it, half of which is 4."""
    train = make.interactions(*[(viewer, (viewer + step) % 3, 2.0) for viewer in range(3) for step in range(2)])

    ours = ease.fit(train, config=Config(reg=0.5)).weights

    assert isinstance(ours, np.ndarray)
    assert np.array_equal(ours, ease.weights(train.ratings(), reg=4.0))


def test_too_many_items_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "MOST_ITEMS", 19)

    with pytest.raises(BrokenData) as refused:
        ease.fit(make.two_tastes()[0])

    assert refused.value.code == "too_many_items"
