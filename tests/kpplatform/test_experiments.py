"""Experiments are dealt fairly, and looking often does not make false alarms."""

import numpy as np
import pytest

from kpplatform.experiments import FEWEST, adjusted, arm_of, difference, sample_ratio

THIRDS = {"control": 0.3, "wide": 0.3, "narrow": 0.3}


def dealt(experiment: str, *, tenant: int = 1, viewers: int = 30_000) -> list[str | None]:
    return [arm_of(viewer, tenant=tenant, experiment=experiment, shares=THIRDS) for viewer in range(viewers)]


def test_three_arms_of_thirty_percent_get_thirty_percent_each() -> None:
    arms = dealt("mmr")

    for name in (*THIRDS, None):
        assert arms.count(name) / len(arms) == pytest.approx(0.1 if name is None else 0.3, abs=0.01)


def test_a_viewer_stays_in_their_arm() -> None:
    assert dealt("mmr") == dealt("mmr")


def test_two_experiments_deal_independently_and_so_do_two_tenants() -> None:
    first = np.array(dealt("mmr")) == "control"
    for other in (dealt("caps"), dealt("mmr", tenant=2)):
        both = (first & (np.array(other) == "control")).mean()
        assert both == pytest.approx(0.09, abs=0.01)


def test_more_viewers_for_one_arm_leave_the_others_where_they_are() -> None:
    grown = {"control": 0.3, "wide": 0.3, "narrow": 0.4}

    moved = [
        (before, arm_of(viewer, tenant=1, experiment="mmr", shares=grown))
        for viewer, before in enumerate(dealt("mmr", viewers=2_000))
    ]

    assert all(before == after for before, after in moved if before is not None)


def test_a_fair_deal_is_not_suspected_and_an_unfair_one_is() -> None:
    assert sample_ratio([5_000, 5_040], [0.5, 0.5]) > 0.5
    assert sample_ratio([5_000, 5_400], [0.5, 0.5]) < 0.001
    assert sample_ratio([2_000, 8_000], [0.1, 0.4]) == 1.0
    assert sample_ratio([0, 0], [0.5, 0.5]) == 1.0


def test_of_a_handful_nobody_is_suspected() -> None:
    """One of two viewers in an arm of one percent is chance, once in fifty times; χ² would say once in 10¹¹."""
    assert sample_ratio([1, 1], [0.99, 0.01]) == 1.0
    assert sample_ratio([0, 500], [0.99, 0.01]) < 0.001


def test_the_ratio_is_the_textbook_one() -> None:
    """χ² = 4 with one degree of freedom."""
    assert sample_ratio([60, 40], [0.5, 0.5]) == pytest.approx(0.0455, abs=1e-4)


def test_what_was_foreseeable_is_taken_away() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(10, 3, 4_000)
    outcome = before + rng.normal(0, 1, 4_000)

    left = adjusted(outcome, before)

    assert left.mean() == pytest.approx(outcome.mean())
    assert left.var() == pytest.approx(1, rel=0.1)


def test_where_nothing_was_foreseeable_nothing_is_taken() -> None:
    outcome = np.arange(5.0)

    assert np.array_equal(adjusted(outcome, np.ones(5)), outcome)


def test_nothing_is_said_of_a_few() -> None:
    few, many = np.zeros(FEWEST - 1), np.ones(10 * FEWEST)

    assert difference(few, many) is None


def test_all_alike_is_no_difference() -> None:
    alike = difference(np.ones(200), np.ones(200))

    assert alike is not None
    assert (alike.mean, alike.is_certain, alike.p) == (0, False, 1)


def looks(rng: np.random.Generator, *, effect: float, viewers: int = 4_000, every: int = 200) -> list[bool]:
    """Return what is said at each of twenty looks at a growing experiment with skewed outcomes."""
    arm, control = rng.exponential(1, viewers) + effect, rng.exponential(1, viewers)
    found = (difference(arm[:seen], control[:seen]) for seen in range(every, viewers + 1, every))
    return [said is not None and said.is_certain for said in found]


def test_looking_twenty_times_at_equal_arms_makes_at_most_five_percent_of_false_alarms() -> None:
    rng = np.random.default_rng(0)

    alarms = np.mean([any(looks(rng, effect=0)) for _ in range(1_000)])

    assert alarms <= 0.05


def test_an_effect_is_found() -> None:
    rng = np.random.default_rng(1)

    assert np.mean([looks(rng, effect=0.15)[-1] for _ in range(200)]) > 0.95


def test_the_bounds_hold_the_truth_at_every_look() -> None:
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(300):
        arm, control = rng.normal(0.1, 1, 2_000), rng.normal(0, 1, 2_000)
        said = [difference(arm[:seen], control[:seen]) for seen in range(200, 2_001, 200)]
        missed += any(of is None or not of.low <= 0.1 <= of.high for of in said)

    assert missed / 300 <= 0.05
