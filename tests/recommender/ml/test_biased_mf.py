import numpy as np
import pytest
import torch

from recommender.ml import biased_mf
from recommender.ml.arrays import Floats
from recommender.ml.biased_mf import BiasedMF, Config, baseline
from recommender.ml.interactions import Interactions
from tests.recommender.ml import make

A, B, X, Y = 0, 1, 0, 1
TOY: list[make.Row] = [(A, X, 5), (B, X, 4), (A, Y, 4), (B, Y, 5)]
ONLY_BIASES = Config(factors=0, epochs=0, negatives=0, damping=0)


def predicted(train: Interactions, config: Config) -> Floats:
    return biased_mf.fit(train, config=config).score(train, np.arange(train.shape[0], dtype=np.int32))


def test_biases_alone_say_the_mean_for_every_cell_of_the_toy() -> None:
    """Either viewer and either item is rated 5 and 4, so no bias differs from 0: there is nothing personal yet."""
    assert np.array_equal(predicted(make.interactions(*TOY), ONLY_BIASES), np.full((2, 2), 4.5, np.float32))


def test_the_mean_moves_when_a_cell_is_left_out() -> None:
    mean, _, _ = baseline(make.interactions(*[row for row in TOY if row[:2] != (A, Y)]).ratings(), damping=1)

    assert mean == pytest.approx(14 / 3)


def test_damped_biases_are_those_worked_out_by_hand() -> None:
    """Ratings 5, 4, 3 of mean 4. Item X: (1 + 0) / (1 + 2), item Y: −1 / (1 + 1).

    Viewer A is left with 1 − 1/3 and −1 + 1/2, in all 1/6, over 1 + 2; viewer B with 0 − 1/3 over 1 + 1.
    """
    mean, b_u, b_i = baseline(make.interactions((A, X, 5), (B, X, 4), (A, Y, 3)).ratings(), damping=1)

    assert mean == 4
    assert b_i == pytest.approx([1 / 3, -1 / 2])
    assert b_u == pytest.approx([1 / 18, -1 / 6])


def test_drawn_zeros_pull_the_mean_down() -> None:
    mean, b_u, b_i = baseline(make.interactions(*TOY).ratings(), damping=1, negatives=1)

    assert mean == 4.5 / 2
    assert b_u == pytest.approx([0, 0])
    assert b_i == pytest.approx([0, 0])


def test_what_is_personal_is_learned_beyond_the_biases() -> None:
    config = Config(factors=2, epochs=400, negatives=0, damping=1, reg=0, rate=0.05)

    ratings = predicted(make.interactions(*TOY), config)

    assert ratings == pytest.approx(np.array([[5, 4], [4, 5]]), abs=0.05)


def test_one_batch_is_learned_by_heart() -> None:
    draw = torch.Generator().manual_seed(0)
    model = BiasedMF(0.0, *(torch.randn(8, 9, generator=draw) * 0.1 for _ in range(2)))
    viewers, items = torch.arange(8), torch.arange(8).flip(0)
    rating = torch.randn(8, generator=draw)
    descent = torch.optim.SparseAdam(model.parameters(), lr=0.05)

    for _ in range(200):
        given, length = model(viewers, items)
        descent.zero_grad()
        error = biased_mf.loss(given, rating, length, 0.0)
        error.backward()
        descent.step()

    assert error.item() < 1e-3


def test_the_withheld_item_is_among_the_first() -> None:
    train, left = make.two_tastes()
    config = Config(factors=4, epochs=60, reg=0.001, rate=0.05, batch=512)

    scores = biased_mf.fit(train, config=config).score(train, np.arange(train.shape[0], dtype=np.int32))

    unseen = np.where(train.seen().toarray() > 0, -np.inf, scores)
    assert np.mean(unseen.argmax(1) == list(left.values())) > 0.9


def test_a_history_folded_in_ranks_as_training_did() -> None:
    train, _ = make.two_tastes()
    model = biased_mf.fit(train, config=Config(factors=4, epochs=60, reg=0.001, rate=0.05, batch=512))
    history = train.where(train.viewer == 3)

    folded = model.item_vectors @ model.fold_in(history.item, history.weight) + model.item_bias

    trained = model.score(train, np.array([3], np.int32))[0]
    assert np.corrcoef(folded, trained)[0, 1] > 0.9


def test_the_seed_decides() -> None:
    train, _ = make.two_tastes()
    one, same, other = (biased_mf.fit(train, config=Config(epochs=2), seed=seed) for seed in (1, 1, 2))

    assert np.array_equal(one.viewer_vectors, same.viewer_vectors)
    assert not np.array_equal(one.viewer_vectors, other.viewer_vectors)


def test_who_said_nothing_gets_numbers_all_the_same() -> None:
    train = make.interactions((1, 0, 1), (2, 1, 1), (3, 0, 0), known_items=[0, 1, 2])

    model = biased_mf.fit(train, config=Config(epochs=2))

    assert np.isfinite(model.score(train, np.arange(3, dtype=np.int32))).all()
    assert np.isfinite(model.fold_in(np.array([], np.int32), np.array([], np.float32))).all()


def test_on_what_was_left_out_of_planted_ratings_the_error_falls_below_that_of_the_biases() -> None:
    rng = np.random.default_rng(0)
    planted = 3 + rng.normal(size=(80, 1)) + rng.normal(size=(80, 2)) @ rng.normal(size=(2, 40))
    left_out = rng.random(planted.shape) < 0.1
    cells = [(int(u), int(i), float(planted[u, i])) for u, i in zip(*np.nonzero(~left_out), strict=True)]
    train = make.interactions(*cells, known_items=list(range(40)))

    errors = [
        float(np.sqrt(np.square((predicted(train, config) - planted)[left_out]).mean()))
        for config in (
            Config(factors=0, epochs=0, negatives=0, damping=1),
            Config(factors=2, epochs=60, negatives=0, damping=1, reg=0.002, rate=0.02, batch=256),
        )
    ]

    assert errors[1] < 0.5 * errors[0]
