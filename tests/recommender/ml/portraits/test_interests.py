"""Interests: the formula, term by term."""

import numpy as np
import pytest

from recommender.ml.portraits import interests
from recommender.ml.portraits.interests import DAY_MS, describe


def test_an_item_is_its_topic_and_an_even_part_of_each_tag() -> None:
    contents = describe(np.array([1, 2]), ["piano", None], [["jazz", "slow"], []])

    assert contents.names[0] == "topic:piano"
    assert set(contents.names[1:]) == {"tag:jazz", "tag:slow"}
    assert contents.features.toarray().tolist() == [[1, 0.5, 0.5], [0, 0, 0]]
    assert contents.topic.tolist() == [0, -1]


def test_what_was_liked_counts_half_after_a_half_life() -> None:
    ages = np.array([0, 14, 28]) * DAY_MS

    assert interests.decay(ages, half_life_days=14).tolist() == [1, 0.5, 0.25]


def test_interest_is_the_sum_of_decayed_ratings_times_features() -> None:
    contents = describe(np.array([1, 2]), ["cooking", "piano"], [[], ["jazz"]])
    strength = np.array([4.0, 2.0, -1.0, 7.0], np.float32)

    found = interests.interests(
        np.array([0, 0, 1, 1], np.int32), np.array([1, 1, 0, -1], np.int32), strength, viewers=2, contents=contents
    )

    assert found.tolist() == [[0, 6, 6], [-1, 0, 0]], "What is not in the contents counts nowhere."
    assert interests.shares(found).tolist() == [[0, 0.5, 0.5], [0, 0, 0]]


def test_why_an_item_fits_can_be_read() -> None:
    wish = {"topic:piano": 0.5, "tag:jazz": 0.3, "tag:rock": 0.2}

    told = interests.explain(wish, interests.features_of("piano", ["slow", "jazz", "jazz"]))

    assert told == [("topic:piano", 0.5), ("tag:jazz", 0.15)]
    assert interests.explain(wish, interests.features_of(None, [])) == []


def test_hours_are_those_of_the_viewers_own_day() -> None:
    midnight_utc = np.array([0, DAY_MS], np.int64)

    found = interests.hours(
        np.zeros(2, np.int32), midnight_utc, np.array([1.0, 0.5]), viewers=1, offset_ms=8 * 3_600_000
    )

    assert found[0, 8] == pytest.approx(1.5)
    assert found.sum() == pytest.approx(1.5)


def test_nobody_and_nothing_are_no_mistake() -> None:
    contents = describe(np.zeros(0, np.int64), [], [])
    none = np.zeros(0, np.int32)

    assert interests.interests(none, none, np.zeros(0, np.float32), viewers=0, contents=contents).shape == (0, 0)
