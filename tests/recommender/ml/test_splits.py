import numpy as np
import pytest

from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.splits import FOLDED_BY, k_fold, later_slice, leave_one_out, time_split
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


def test_every_wanted_thing_is_held_back_in_exactly_one_fold() -> None:
    data = make.two_tastes()[0]

    folds = list(k_fold(data, folds=4, seed=1))

    assert sorted(pair for fold in folds for pair in told(fold.test)) == sorted(told(data))
    assert all(not set(told(fold.test)) & set(told(fold.train)) for fold in folds)
    assert {len(fold.test) for fold in folds} == {len(data) // 4}


def test_a_thing_met_twice_is_held_back_whole_and_what_nobody_wanted_is_always_learned_from() -> None:
    data = make.interactions((1, 10, 1), (1, 10, 1), (1, 11, -1), (1, 12, 1), (2, 12, 1), (2, 13, 1))

    for fold in k_fold(data, folds=2, seed=0):
        assert told(fold.train).count((1, 10)) in {0, 2}
        assert (1, 11) in told(fold.train)


def test_a_fold_of_viewers_is_judged_on_what_they_wanted_last() -> None:
    """Ten wanted things each: the last two are held back, and other viewers alone are learned from."""
    data = make.interactions(*[(viewer, item, 1) for item in range(10) for viewer in range(6)])

    folds = list(k_fold(data, folds=3, by="viewer", seed=2))

    judged = [set(fold.test.viewer.tolist()) for fold in folds]
    assert sorted(viewer for fold in judged for viewer in fold) == list(range(6))
    for fold, viewers in zip(folds, judged, strict=True):
        assert set(fold.train.viewer.tolist()) == set(range(6)) - viewers
        assert {item for _, item in told(fold.test)} == {8, 9}
        assert told(fold.history) == [(viewer, item) for viewer in sorted(viewers) for item in range(8)]


def test_nothing_is_known_of_a_judged_viewer_from_later_than_what_is_asked() -> None:
    data = make.interactions((1, 10, 1), (1, 11, 1), (1, 12, -1), (2, 10, 1), (2, 13, 1))

    for fold in k_fold(data, folds=2, by="viewer"):
        assert fold.history.at.max() < fold.test.at.min()


@pytest.mark.parametrize("by", FOLDED_BY)
def test_folds_are_the_same_for_the_same_seed_and_others_for_another(by: str) -> None:
    data = make.two_tastes()[0]

    first, again, other = (next(iter(k_fold(data, folds=5, by=by, seed=seed))) for seed in (1, 1, 2))

    assert told(first.test) == told(again.test) != told(other.test)


@pytest.mark.parametrize("by", FOLDED_BY)
@pytest.mark.parametrize(("folds", "code"), [(1, "folds_too_few"), (50, "folds_too_many")])
def test_data_that_cannot_be_folded_is_refused(by: str, folds: int, code: str) -> None:
    data = make.interactions((1, 10, 1), (1, 11, 1), (2, 12, 1))

    with pytest.raises(BrokenData) as refused:
        list(k_fold(data, folds=folds, by=by))

    assert refused.value.code == code
