"""The benchmark of accelerators runs on any device, so that it is right when there is one."""

import numpy as np

from bench.gpu import COURSES, EACH, education, measured, work_of_a_place
from recommender.ml.sequence.config import Config
from tests.recommender.ml.sequence import planted

SMALL = planted.small("gru", epochs=3, every=1)


def test_it_ends_at_the_mark_and_says_when_that_was() -> None:
    told = measured(planted.both_ways(), config=SMALL, device="cpu", mark=1e-6)

    assert told["epochs"] == 1
    assert told["seconds_to_mark"] <= told["seconds"]
    assert told["is_accelerated"] is False
    assert 0 < told["share_of_limit"] < 1
    assert told["places_per_second"] > 0


def test_a_mark_out_of_reach_is_not_said_to_be_reached() -> None:
    told = measured(planted.both_ways(), config=SMALL, device="cpu", mark=1.1)

    assert told["epochs"] == 3
    assert told["seconds_to_mark"] is None
    assert told["best_ndcg@10"] > 0


def test_the_work_is_counted_as_written() -> None:
    assert work_of_a_place(Config(width=10, layers=2), items=50) == 6 * (12 * 100 * 2 + 50 * 10)
    assert work_of_a_place(Config(width=10, layers=2, negatives=7), items=50) == 6 * (12 * 100 * 2 + 7 * 10)


def test_the_case_has_its_sizes() -> None:
    world = education(30)

    assert world.shape == (30, COURSES)
    assert (np.diff(world.starts) == EACH).all()
