"""Data quality: the index by hand, and an alert for what is planted and for nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.ml.portraits.block import Block
from recommender.ml.portraits.interests import DAY_MS
from recommender.ml.portraits.quality import Quality, measure
from recommender.ml.portraits.shift import psi
from tests.recommender.ml.portraits import planted

CONTENTS = planted.contents(6, 3)


def test_psi_is_the_sum_of_differences_times_log_ratios() -> None:
    before, now = np.array([500, 500]), np.array([800, 200])

    by_hand = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)

    assert psi(before, now) == pytest.approx(by_hand, rel=0.01)
    assert psi(before, 3 * before) == pytest.approx(0, abs=1e-5)


def steady(*, seed: int = 0) -> Block:
    """Return 4,000 watches of all topics, at all hours, over forty days up to now."""
    rng = np.random.default_rng(seed)
    at = planted.NOW - 1 - rng.integers(0, 40 * DAY_MS, 4_000)
    return planted.block(rng.integers(0, 100, 4_000), rng.integers(0, 6, 4_000), at)


def of(block: Block) -> Quality:
    return measure(block, CONTENTS, at_ms=planted.NOW, offset_ms=0)


def test_steady_data_raise_no_alert() -> None:
    found = of(steady())

    assert found.alerts == ()
    assert found.completeness["events_with_topic"] == 1.0
    assert found.fresh_hours is not None
    assert found.fresh_hours < 1
    assert all(index is not None and index < 0.1 for index in found.drift.values())


def test_a_topic_that_takes_over_is_a_shift() -> None:
    block = steady()
    of_late = block.at > planted.NOW - 7 * DAY_MS
    taken_over = replace(block, item=np.where(of_late, 0, block.item).astype(np.int32))

    assert of(taken_over).alerts == ("topics_have_shifted",)


def test_old_events_unknown_items_and_likes_of_what_was_left_are_told() -> None:
    block = steady()
    old = replace(block, at=block.at - 5 * DAY_MS)
    unknown = replace(block, item=np.full(len(block), -1, np.int32))
    rng = np.random.default_rng(1)
    share = rng.random(600).astype(np.float32)[6 * block.viewer + block.item]  # the same whenever it is watched again
    contrary = replace(block, watched=share, liked=share < 0.3)

    assert "events_are_old" in of(old).alerts
    assert set(of(unknown).alerts) >= {"events_with_topic_incomplete", "events_of_known_items_incomplete"}
    assert of(contrary).agreement is not None
    assert "likes_contradict_watches" in of(contrary).alerts
    assert of(replace(block, watched=share, liked=share > 0.7)).agreement == pytest.approx(1, abs=0.05)


def test_nothing_is_told_of_nothing() -> None:
    found = of(planted.block(np.zeros(0), np.zeros(0), np.zeros(0)))

    assert (found.fresh_hours, found.agreement, found.alerts) == (None, None, ())
    assert set(found.drift.values()) == {None}
