"""What is planted is told: who is shown too little, and who is served badly."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.ml.arrays import Ints
from recommender.ml.attributes import gather_attributes
from recommender.ml.audit import audit
from recommender.ml.evaluation import judge
from recommender.ml.interactions import Interactions
from recommender.ml.splits import Split
from tests.recommender.ml import make

ITEMS = 12  # 0 to 7 by creator 0, 8 to 11 by creators 1 to 4
DAY_MS = 86_400_000


class Fixed:
    """Scores that are the same for everyone."""

    def __init__(self, scores: list[float]) -> None:
        self.scores = np.array(scores, np.float32)

    def score(self, data: Interactions, viewers: Ints) -> np.ndarray:
        return np.tile(self.scores, (len(viewers), 1))


def world() -> Split:
    """Return 60 viewers who met two items of creator 0, even ones two more; odd ones want item 7, even ones 8."""
    rows = [(viewer, item, 1.0) for viewer in range(60) for item in ((0, 1) if viewer % 2 else (0, 1, 2, 3))]
    train = make.interactions(*rows, known_items=list(range(ITEMS)))
    told = gather_attributes(
        item=np.arange(ITEMS),
        creator=np.array([0] * 8 + [1, 2, 3, 4]),
        tags=[[]] * ITEMS,
        duration_ms=np.zeros(ITEMS, np.int64),
        published_at=np.array([make.NOON - 90 * DAY_MS] * 10 + [make.NOON] * 2),
        title=["a title"] * 8 + ["一个标题"] * 4,
        item_ids=np.arange(ITEMS),
    )
    train = replace(train, attributes=told)
    wanted = make.interactions(*[(v, 7 if v % 2 else 8, 1.0) for v in range(60)], known_items=list(range(ITEMS)))
    return Split(train=train, test=wanted)


def test_a_group_that_is_wanted_and_not_shown_is_told() -> None:
    split = world()
    of_the_large = Fixed([0, 0, 0, 0, 4, 4, 4, 5, 1, 1, 1, 1])

    told = audit(judge(of_the_large, split, k=2), split, k=2)

    small, large = told["creators"]["size"]["small"], told["creators"]["size"]["large"]
    assert small["shown"] == 0
    assert small["shown_to_wanted"] == 0
    assert large["shown_to_wanted"] == pytest.approx(2)
    assert large["items"] == pytest.approx(10 / 12, abs=1e-4)
    assert told["creators"]["age"]["new"]["items"] == pytest.approx(2 / 12, abs=1e-4)
    assert "shown_to_wanted" not in told["creators"]["age"]["new"]  # nobody wanted any
    assert told["creators"]["script"]["chinese"]["wanted"] == pytest.approx(0.5)


def test_the_viewers_who_are_served_badly_are_told() -> None:
    split = world()
    right_for_some = Fixed([0, 0, 0, 0, 4, 4, 4, 5, 1, 1, 1, 1])
    right_for_all = Fixed([0, 0, 0, 0, 0, 0, 0, 5, 5, 1, 1, 1])

    unequal, equal = (audit(judge(of, split, k=2), split, k=2) for of in (right_for_some, right_for_all))

    assert unequal["segments"]["activity"]["gap"] == pytest.approx(2)
    assert unequal["segments"]["activity"]["low"]["ndcg@2"] == [1, 1, 1]
    assert equal["segments"]["activity"]["gap"] < 0.5
    assert unequal["popularity"]["arp"] == equal["popularity"]["arp"] == 0
    assert unequal["popularity"]["history_arp"] == pytest.approx((60 + (60 + 30) / 2) / 2)
    assert unequal["popularity"]["lift"] == -1
    assert unequal["popularity"]["coverage"] == pytest.approx(2 / 12, abs=1e-4)
    assert "chinese" not in unequal["segments"]["script"]


def test_nothing_told_of_items_leaves_what_can_be_said() -> None:
    split = world()
    bare = Split(train=replace(split.train, attributes=None), test=split.test)

    told = audit(judge(Fixed([1.0] * ITEMS), bare, k=2), bare, k=2)

    assert told["creators"] == {}
    assert told["segments"].keys() == {"activity", "mainstream"}
    assert told["viewers"] == 60


def test_what_was_met_of_unknown_creators_is_nobody_s() -> None:
    split = world()
    told = split.train.attributes
    assert told is not None
    creator = np.where(np.arange(ITEMS) < 7, -1, told.creator).astype(np.int32)  # of all that was met
    split = replace(split, train=replace(split.train, attributes=replace(told, creator=creator)))

    groups = audit(judge(Fixed([0.0] * 7 + [5.0, 1.0, 1.0, 1.0, 1.0]), split, k=1), split, k=1)["creators"]

    assert groups["size"]["small"]["shown"] == 1, "the creator of item 7, whom nobody met, comes first of those"
