import numpy as np
import pytest

from recommender.ml.affinity import affinity, diagnose
from recommender.ml.arrays import Matrix
from recommender.ml.interactions import Interactions
from recommender.ml.reading import read_folder
from tests.recommender.ml import make


def at_random(*, seed: int = 0, viewers: int = 60, items: int = 30) -> Interactions:
    """Return a world of popular and unpopular items where nobody has a taste of their own."""
    rng = np.random.default_rng(seed)
    chances = rng.random(items) * 0.6
    return make.interactions(*[(u, i, 1.0) for u in range(viewers) for i in range(items) if rng.random() < chances[i]])


def test_where_tastes_differ_both_assumptions_hold() -> None:
    train, _ = make.two_tastes()

    said = diagnose(train)

    assert (said["applies"], said["items_holds"], said["viewers_holds"]) == (True, True, True)
    assert float(str(said["items_together"])) > 1.5 * float(str(said["items_at_random"]))


def test_popularity_alone_is_no_affinity() -> None:
    """Popular items are liked together often and look alike; the pairs that they are compared with are as popular."""
    false_alarms = [likes_test(at_random(seed=seed).seen(), seed) for seed in range(20)]

    assert np.mean(false_alarms) <= 0.2


def likes_test(likes: Matrix, seed: int) -> bool:
    return affinity(likes, np.random.default_rng(seed), pairs=300, rounds=39).holds


def test_without_a_pair_nothing_is_claimed() -> None:
    said = diagnose(make.interactions((1, 0, 1), (2, 1, 1), (3, 2, 1)))

    assert (said["applies"], said["items_pairs"], said["items_p"]) == (False, 0, 1)


@pytest.mark.skipif(not make.REAL_DATA.exists(), reason="the folder of real data is not here")
def test_on_real_data_it_applies() -> None:
    assert diagnose(read_folder(make.REAL_DATA / "kuairand-mini"))["applies"]
