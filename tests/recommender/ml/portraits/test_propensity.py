"""Who leaves and who buys: ranked, and as likely as it says, on a window that was not learned from."""

import numpy as np
import pytest

from recommender.ml.portraits import propensity
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.calibration import auc, reliability, report
from recommender.ml.portraits.interests import DAY_MS
from tests.recommender.ml.portraits import planted

DAYS = 14


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    chances, came = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])

    assert auc(chances, came) == 0.75  # scikit-learn's own example
    assert auc(np.full(4, 0.5), came) == 0.5
    assert np.isnan(auc(chances, np.ones(4, bool)))


def test_brier_and_ece_are_those_of_the_hand_made_table() -> None:
    chances, came = np.array([0.2, 0.2, 0.8, 0.8]), np.array([False, True, True, True])

    told = report(chances, came)

    assert told.brier == pytest.approx((0.04 + 0.64 + 0.04 + 0.04) / 4)
    low, high = reliability(chances, came, bins=2)
    assert (low.foretold, low.observed, high.foretold, high.observed) == pytest.approx((0.2, 0.5, 0.8, 1.0))
    assert told.base_rate == 0.75


def fading_world(*, viewers: int = 3_000, seed: int) -> Block:
    """Return viewers who come with a daily chance of their own; some stop for good; the busy ones buy now and then."""
    rng = np.random.default_rng(seed)
    daily = rng.beta(1, 4, viewers)
    stopped = np.where(rng.random(viewers) < 0.4, rng.integers(1, 70, viewers), 999)
    days = np.arange(70)
    came = (rng.random((viewers, 70)) < daily[:, None]) & (days < stopped[:, None])
    viewer, day = np.nonzero(came)
    at = planted.NOW - (70 - day) * DAY_MS + rng.integers(0, DAY_MS, len(day))
    return planted.block(viewer, viewer % 7, at, bought=rng.random(len(day)) < 0.02)


@pytest.fixture(scope="module")
def learned() -> dict[str, propensity.Judged]:
    block = fading_world(seed=0)
    windows = [propensity.window(block, at_ms=planted.NOW - turns * DAYS * DAY_MS, days=DAYS) for turns in (2, 1)]
    return {
        outcome: propensity.learn(*((of.columns[of.known], getattr(of, outcome)[of.known]) for of in windows))
        for outcome in ("gone", "bought")
    }


@pytest.mark.parametrize(("outcome", "least"), [("gone", 0.75), ("bought", 0.65)])
def test_who_leaves_and_who_buys_is_foreseen_and_calibrated(
    learned: dict[str, propensity.Judged], outcome: str, least: float
) -> None:
    told = learned[outcome].report

    assert told is not None
    assert told.auc > least
    assert told.ece < 0.05
    assert told.brier < told.base_rate * (1 - told.base_rate)


def test_the_future_is_in_no_column() -> None:
    block = fading_world(viewers=50, seed=1)
    cut = planted.NOW - DAYS * DAY_MS
    past = block.where(block.at < cut)

    assert np.array_equal(
        propensity.window(block, at_ms=cut, days=DAYS).columns, propensity.window(past, at_ms=cut, days=DAYS).columns
    )


def test_columns_are_what_their_names_say() -> None:
    ago = np.array([1, 3, 30, 30]) * DAY_MS
    block = planted.block(np.zeros(4), np.array([5, 5, 6, -1]), planted.NOW - ago, bought=np.array([1, 0, 0, 0], bool))

    (told,) = propensity.columns(block, at_ms=planted.NOW)

    assert dict(zip(propensity.COLUMNS, np.round(told, 4).tolist(), strict=True)) == pytest.approx(
        {
            "days_since_last": np.log1p(1),
            "days_since_first": np.log1p(30),
            "events": np.log1p(4),
            "events_7d": np.log1p(2),
            "events_28d": np.log1p(2),
            "active_days_28d": 2,
            "share_watched": 1,
            "liked": 0,
            "items": np.log1p(3),
            "bought": np.log1p(1),
        },
        abs=1e-4,
    )


def test_too_few_to_learn_from_is_said() -> None:
    few = np.zeros((10, 3), np.float32), np.zeros(10, bool)
    alike = np.zeros((200, 3), np.float32), np.zeros(200, bool)

    assert propensity.learn(few, few).reason == propensity.TOO_FEW_VIEWERS
    assert propensity.learn(alike, alike).reason == propensity.TOO_FEW_CASES


def test_viewers_who_are_all_alike_get_the_base_rate() -> None:
    came = np.arange(200) % 4 == 0

    model = propensity.fit(np.ones((200, 3), np.float32), came)

    assert model.chances(np.ones((1, 3), np.float32)) == pytest.approx([0.25], abs=0.01)
