import numpy as np

from recommender.ml.interactions import Interactions
from recommender.ml.splits import later_slice, leave_one_out, time_split
from tests.recommender.ml import make


def told(data: Interactions) -> list[tuple[int, int]]:
    """Return (viewer, item) of every event."""
    return list(zip(data.viewer_ids[data.viewer].tolist(), data.item_ids[data.item].tolist(), strict=True))


def test_the_last_item_of_every_viewer_is_held_back() -> None:
    data = make.interactions((1, 10, 1), (2, 20, 1), (1, 11, 1), (2, 21, 1), (1, 12, 1))

    split = leave_one_out(data)

    assert told(split.test) == [(1, 12), (2, 21)]
    assert told(split.train) == [(1, 10), (1, 11), (2, 20)]


def test_the_last_but_one_is_the_validation() -> None:
    data = make.interactions((1, 10, 1), (1, 11, 1), (1, 12, 1))

    split = leave_one_out(data, back=1)

    assert told(split.test) == [(1, 11)]
    assert told(split.train) == [(1, 10)]


def test_only_something_new_and_wanted_is_held_back() -> None:
    """Viewer 1 ends with a skip and with an old acquaintance; neither is an answer, and both came later."""
    data = make.interactions((1, 10, 1), (1, 11, 1), (1, 12, -1), (1, 10, 1))

    split = leave_one_out(data)

    assert told(split.test) == [(1, 11)]
    assert told(split.train) == [(1, 10)]


def test_a_viewer_of_one_item_is_learned_from_and_not_judged() -> None:
    split = leave_one_out(make.interactions((1, 10, 1), (2, 20, 1), (2, 21, 1)))

    assert told(split.test) == [(2, 21)]
    assert told(split.train) == [(1, 10), (2, 20)]


def test_a_moment_parts_what_is_learned_from_what_is_judged() -> None:
    data = make.interactions((1, 10, 1), (2, 20, 1), (1, 11, 1), (2, 21, -1))

    split = time_split(data, at=make.NOON + 2 * make.HOUR)

    assert told(split.train) == [(1, 10), (2, 20)]
    assert told(split.test) == [(1, 11)]


def test_the_later_slice_is_the_last_fifth() -> None:
    data = make.interactions(*[(1, item, 1) for item in range(10)])

    split = time_split(data, at=later_slice(data))

    assert len(split.test) == 2


def test_the_future_does_not_change_the_past() -> None:
    rows: list[make.Row] = [(viewer, item, 1) for item in range(6) for viewer in range(5)]
    at = make.NOON + 20 * make.HOUR
    data = make.interactions(*rows)
    other = make.interactions(*rows[:20], *[(viewer, 5 - item, -1) for viewer, item, _ in rows[20:]])

    one, two = (time_split(world, at=at).train for world in (data, other))

    assert told(one) == told(two)
    assert np.array_equal(one.weight, two.weight)
