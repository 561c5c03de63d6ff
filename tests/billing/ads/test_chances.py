"""The chance of a click: smoothed, fitted, calibrated."""

import numpy as np
import pytest

from billing.ads.market import chances
from billing.ads.market.chances import Chances


def test_a_new_creative_has_the_rate_of_all_and_an_old_one_its_own() -> None:
    rates = chances.smoothed(np.array([0, 1_000]), np.array([0, 10_000]), everyone=0.02)

    assert rates[0] == pytest.approx(0.02)
    assert rates[1] == pytest.approx(0.1, abs=0.002)


def test_what_is_fitted_says_of_later_views_what_happens() -> None:
    """The truth: a taste of one trebles the odds or so, and the counted rates are too high by a half."""
    rng = np.random.default_rng(0)
    views = 200_000
    truth = Chances(offset=-0.7, slope=0.9, taste=1.1)
    rate, affinity = rng.choice([0.01, 0.03, 0.08], views), rng.random(views)
    clicked = rng.random(views) < truth.of(rate, affinity)
    half = views // 2

    found = chances.fitted(rate[:half], affinity[:half], clicked[:half])
    told = found.of(rate[half:], affinity[half:])

    assert (found.offset, found.slope, found.taste) == pytest.approx((-0.7, 0.9, 1.1), abs=0.2)
    assert chances.calibration_error(told, clicked[half:]) < 0.002
    counted = Chances().of(rate[half:], affinity[half:])
    assert chances.calibration_error(counted, clicked[half:]) > 0.005
    assert chances.log_loss(told, clicked[half:]) < chances.log_loss(counted, clicked[half:])


def test_without_a_click_what_is_counted_stands() -> None:
    nothing = np.zeros(5, np.bool_)

    assert chances.fitted(np.full(5, 0.02), np.zeros(5), nothing) == Chances()


def test_the_error_of_a_fair_coin_called_sure_is_a_half() -> None:
    assert chances.calibration_error(np.ones(4), np.array([True, False, True, False]), bins=1) == pytest.approx(0.5)
