"""Segments: the planted groups are found, keep their labels, and are not made up."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from recommender.ml.portraits.interests import directions
from recommender.ml.portraits.segments import (
    ALL_ALIKE,
    NO_GROUPS,
    TOO_FEW,
    assign,
    keep_labels,
    segment,
    telling,
)
from tests.recommender.ml.portraits import planted

NAMES = [f"topic:t{place:02}" for place in range(12)]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("groups", [3, 5])
def test_the_planted_groups_are_found(groups: int, seed: int) -> None:
    interests, truth = planted.groups(viewers=400, groups=groups, topics=12, seed=seed)
    points = directions(interests)

    found = segment(points, seed=seed)

    assert len(found.centres) == groups
    assert adjusted_rand_score(truth, assign(points, found.centres)) >= 0.8


def test_labels_stay_when_viewers_come_and_order_changes() -> None:
    interests, truth = planted.groups(viewers=600, groups=4, topics=12, seed=3)
    points = directions(interests)
    first, second = segment(points[:400], seed=0), segment(points[200:], seed=7)
    before = {label: dict(zip(NAMES, centre, strict=True)) for label, centre in enumerate(first.centres.tolist(), 1)}

    labels = np.array(keep_labels(second.centres, NAMES, before=before, unused=5))

    was = np.arange(1, 5)[assign(points, first.centres)]
    assert (labels[assign(points, second.centres)] == was).mean() > 0.97
    assert sorted(labels) == [1, 2, 3, 4]
    assert len(np.unique(truth)) == 4


def test_a_segment_that_was_not_there_gets_a_label_never_used() -> None:
    centres = np.array([[0, 1.0], [1.0, 0]], np.float32)

    labels = keep_labels(centres, ["topic:a", "topic:b"], before={3: {"topic:a": 1.0}}, unused=9)

    assert labels == [9, 3]


def test_a_dimension_that_is_gone_does_not_confuse_the_labels() -> None:
    centres = np.array([[1.0, 0]], np.float32)

    assert keep_labels(centres, ["topic:a", "topic:b"], before={2: {"topic:old": 0.5, "topic:a": 1.0}}, unused=3) == [2]


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.eye(3, dtype=np.float32), TOO_FEW),
        (np.zeros((50, 4), np.float32), TOO_FEW),
        (np.tile(np.array([[1, 0]], np.float32), (50, 1)), ALL_ALIKE),
        (directions(np.random.default_rng(0).standard_normal((300, 40)).astype(np.float32) + 4), NO_GROUPS),
    ],
    ids=["three viewers", "viewers without interests", "all equal", "no structure"],
)
def test_no_groups_are_made_up(points: np.ndarray, reason: str) -> None:
    found = segment(points, seed=0)

    assert (len(found.centres), found.reason) == (0, reason)
    assert set(assign(points, found.centres)) == {-1}


def test_a_segment_is_described_by_what_sets_it_apart() -> None:
    centre, everyone = np.array([0.5, 0.4, 0.1]), np.array([0.5, 0.1, 0.4])

    assert telling(centre, everyone, ["topic:usual", "topic:own", "topic:rare"]) == [("topic:own", 0.4, 4.0)]
