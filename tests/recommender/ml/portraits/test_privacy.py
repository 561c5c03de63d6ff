"""What may be shown: enough viewers, nothing to be worked out, and noise as large as ε says."""

import math
import random

import pytest

from recommender.ml.portraits.privacy import expected_error, noised, shown, two_sided_geometric


def test_small_cells_are_hidden() -> None:
    assert shown({"a": 50, "b": 25, "c": 12, "d": 11}, k=20) == {"a": 50, "b": 25}


def test_a_hidden_cell_cannot_be_worked_out_from_the_total() -> None:
    assert shown({"a": 50, "b": 25, "c": 3}, k=20) == {"a": 50}, "78 − 75 would have been 3."
    assert shown({"new": 500, "returning": 3}, k=20) == {}
    assert shown({"new": 500, "returning": 0}, k=20) == {"new": 500}


def test_noise_is_distributed_as_its_epsilon_says() -> None:
    epsilon, rng = 0.5, random.Random(0)
    drawn = [two_sided_geometric(epsilon, rng) for _ in range(40_000)]

    def share(value: int) -> float:
        return drawn.count(value) / len(drawn)

    a = math.exp(-epsilon)
    for value in range(-3, 4):
        assert share(value) == pytest.approx((1 - a) / (1 + a) * a ** abs(value), abs=0.008)
    assert sum(map(abs, drawn)) / len(drawn) == pytest.approx(expected_error(epsilon), rel=0.03)


def test_an_answer_is_at_most_so_much_likelier_with_one_viewer_more() -> None:
    """P(5 | count 4) / P(5 | count 5) is exp(−ε), by counting."""
    epsilon, rng = 1.0, random.Random(1)
    with_them = sum(5 + two_sided_geometric(epsilon, rng) == 5 for _ in range(40_000))
    without = sum(4 + two_sided_geometric(epsilon, rng) == 5 for _ in range(40_000))

    assert with_them / without == pytest.approx(math.exp(epsilon), rel=0.07)


def test_counts_stay_counts_and_empty_cells_are_noised_as_well() -> None:
    rng = random.Random(2)
    answers = [noised({"a": 0, "b": 40}, epsilon=0.3, rng=rng) for _ in range(50)]

    assert all(min(answer.values()) >= 0 for answer in answers)
    assert any(answer["a"] > 0 for answer in answers)
    assert len({answer["b"] for answer in answers}) > 5


def test_less_privacy_is_less_error() -> None:
    assert expected_error(0.1) > expected_error(1.0) > expected_error(10.0)
