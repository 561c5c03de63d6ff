import numpy as np
import pytest

from recommender.ml import implicit_als
from recommender.ml.arrays import Floats
from recommender.ml.factors import Factors
from recommender.ml.implicit_als import Config
from recommender.ml.interactions import Interactions
from tests.recommender.ml import make

EXACT = 40  # conjugate gradient steps that leave nothing to solve for four factors


def dense_half(ratings: Floats, Y: Floats, *, alpha: float, reg: float, power: float) -> Floats:
    """Solve every row as the paper writes it: (YᵀCY + ridge I)⁻¹ YᵀCp with C over all items."""
    stored = ratings != 0
    share = alpha * stored.sum(1) + ratings.shape[1]
    ridge = reg * (share / share.mean()) ** power
    rows = []
    for row, its_ridge in zip(ratings, ridge, strict=True):
        C = np.diag(1 + alpha * np.abs(row))
        rows.append(np.linalg.solve(Y.T @ C @ Y + its_ridge * np.eye(Y.shape[1]), Y.T @ C @ (row > 0)))
    return np.array(rows)


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_it_equals_a_naive_dense_solver(power: float) -> None:
    rng = np.random.default_rng(0)
    ratings = (rng.integers(-1, 5, (20, 15)) * (rng.random((20, 15)) < 0.4)).astype(np.float32)
    cells = [(int(u), int(i), float(ratings[u, i])) for u, i in zip(*np.nonzero(ratings), strict=True)]
    train = make.interactions(*cells, known_items=list(range(15)))
    alpha = 2.0 / np.abs(ratings[ratings != 0]).mean()
    config = Config(factors=4, iterations=2, alpha=2.0, reg=0.5, power=power, steps=EXACT)

    ours = implicit_als.fit(train, config=config)

    X = dense_half(ratings, first_items(train.shape[1]), alpha=alpha, reg=0.5, power=power)
    for _ in range(2):
        Y = dense_half(ratings.T, X, alpha=alpha, reg=0.5, power=power)
        X = dense_half(ratings, Y, alpha=alpha, reg=0.5, power=power)
    assert ours.item_vectors == pytest.approx(Y, abs=2e-4)
    assert ours.viewer_vectors == pytest.approx(X, abs=2e-4)


def first_items(items: int) -> Floats:
    """Return the item vectors that a fit with seed 0 starts from: those of a fit without an iteration."""
    train = make.interactions(*[(0, item, 1) for item in range(items)])
    return implicit_als.fit(train, config=Config(factors=4, iterations=0)).item_vectors


def test_the_withheld_item_comes_first() -> None:
    train, left = make.two_tastes()

    model = implicit_als.fit(train, config=Config(factors=4, iterations=10, reg=1.0))

    assert first_unseen(model, train) == list(left.values())


def first_unseen(model: Factors, train: Interactions) -> list[int]:
    seen = train.seen().toarray()
    scores = model.score(train, np.arange(len(seen), dtype=np.int32))
    return [int(item) for item in np.where(seen > 0, -np.inf, scores).argmax(1)]


def test_a_history_folded_in_gives_the_vector_that_training_gave() -> None:
    train, _ = make.two_tastes()
    model = implicit_als.fit(train, config=Config(factors=4, iterations=10, power=1.0, steps=EXACT))
    history = train.where(train.viewer == 3)

    vector = model.fold_in(history.item, history.weight)

    assert vector == pytest.approx(model.viewer_vectors[3], abs=1e-3)


def test_nobody_and_nothing_have_vectors_of_zero_and_never_nan() -> None:
    train = make.interactions((1, 0, 1), (1, 1, 1), (2, 0, 1), (3, 0, 0), known_items=[0, 1, 2])

    model = implicit_als.fit(train, config=Config(factors=3, iterations=5))

    assert not model.viewer_vectors[2].any()  # viewer 3 said nothing
    assert not model.item_vectors[2].any()  # item 2 met nobody
    assert not model.fold_in(np.array([], np.int32), np.array([], np.float32)).any()
    assert np.isfinite(model.score(train, np.arange(3, dtype=np.int32))).all()


def test_slices_of_rows_do_not_change_the_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = make.two_tastes()
    config = Config(factors=4, iterations=5)

    at_once = implicit_als.fit(train, config=config)
    monkeypatch.setattr(implicit_als, "SLICE_CELLS", 12)
    by_three = implicit_als.fit(train, config=config)

    assert by_three.viewer_vectors == pytest.approx(at_once.viewer_vectors, abs=1e-5)


def test_the_seed_decides() -> None:
    train, _ = make.two_tastes()
    one, same, other = (implicit_als.fit(train, config=Config(factors=4), seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(one.viewer_vectors, same.viewer_vectors)
    assert not np.array_equal(one.viewer_vectors, other.viewer_vectors)


def test_what_was_wanted_lately_may_be_lifted() -> None:
    train, _ = make.two_tastes()

    model = implicit_als.fit(train, config=Config(factors=4, recency=0.5, days=30))

    assert model.item_bias == pytest.approx(0.5 * np.log1p(train.seen().sum(0)), abs=1e-6)
