import numpy as np
import pytest

from recommender.ml import smoothing
from recommender.ml.smoothing import Array, Candidates

rng = np.random.default_rng(0)
P, F = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
BEFORE = rng.normal(size=(5, 7))


def after_steps(count: int, *, alpha: float) -> Array:
    scores: Array = BEFORE
    for _ in range(count):
        scores = smoothing.step(scores, P, F, alpha=alpha)
    return scores


def test_the_score_of_every_viewer_and_item() -> None:
    assert smoothing.step(BEFORE, P, F, alpha=0.3).shape == (5, 7)


def test_all_of_the_new_or_all_of_the_old() -> None:
    assert smoothing.step(BEFORE, P, F, alpha=1) == pytest.approx(P @ F.T)
    assert np.array_equal(smoothing.step(BEFORE, P, F, alpha=0), BEFORE)


@pytest.mark.parametrize("count", [0, 1, 5, 40])
def test_the_closed_form(count: int) -> None:
    assert smoothing.after(count, BEFORE, P, F, alpha=0.3) == pytest.approx(after_steps(count, alpha=0.3), abs=1e-6)


@pytest.mark.parametrize("alpha", [0.05, 0.5, 1])
def test_the_fixed_point(alpha: float) -> None:
    assert smoothing.step(P @ F.T, P, F, alpha=alpha) == pytest.approx(P @ F.T)
    assert after_steps(500, alpha=alpha) == pytest.approx(P @ F.T, abs=1e-6)


def stored(scores: Array, *, k: int) -> Candidates:
    items = np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)
    return Candidates(items, np.take_along_axis(scores, items, 1).astype(np.float32))


def test_stored_candidates_are_smoothed_as_the_dense_rule_says() -> None:
    old, new = stored(BEFORE, k=3), stored(P @ F.T, k=3)

    kept = smoothing.smoothed(old, new, smoothing.at(old.items, P, F), alpha=0.3)

    dense = smoothing.step(BEFORE, P, F, alpha=0.3)
    for viewer in range(5):
        for item, score in zip(kept.items[viewer], kept.scores[viewer], strict=True):
            expected = dense if item in old.items[viewer] else P @ F.T
            assert score == pytest.approx(expected[viewer, item], abs=1e-5)
        assert set(kept.items[viewer]) <= {*old.items[viewer], *new.items[viewer]}
        assert list(kept.scores[viewer]) == sorted(kept.scores[viewer], reverse=True)


def test_a_slow_newcomer_does_not_push_out_what_stood() -> None:
    """Item 9 comes new with .6; item 4 stood with 1 and the new version says 0: ¼ · 0 + ¾ · 1."""
    old = Candidates(np.array([[4, -1]], np.int32), np.array([[1, -np.inf]], np.float32))
    new = Candidates(np.array([[9, 4]], np.int32), np.array([[0.6, 0]], np.float32))

    kept = smoothing.smoothed(old, new, np.array([[0, -np.inf]], np.float32), alpha=0.25)

    assert kept.items.tolist() == [[4, 9]]
    assert kept.scores.tolist() == [[0.75, pytest.approx(0.6)]]


def test_a_place_without_a_candidate_stays_empty() -> None:
    nobody = Candidates(np.full((1, 2), -1, np.int32), np.full((1, 2), -np.inf, np.float32))
    one = Candidates(np.array([[3, -1]], np.int32), np.array([[0.5, -np.inf]], np.float32))

    kept = smoothing.smoothed(nobody, one, np.full((1, 2), -np.inf, np.float32), alpha=0.5)

    assert kept.items.tolist() == [[3, -1]]
    assert kept.scores.tolist() == [[0.5, -np.inf]]
