"""The load of ads: planted elasticities are found, the floor is kept, and what is not known is said."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from billing.ads.market.load import DISCOUNT, Answer, Suggestion, Tried, fit, load_of, suggest
from kpplatform.experiments import FEWEST, reach

MANY = 200_000  # viewers of an arm
TRIED = (0, 20, 10, 6, 4)  # items between two ads: 0, 5, 10, 16.7 and 25 ads by 100 items
LEAVING, EARNING, SATED = -0.006, 12.0, -0.15  # by an ad more in 100 items


def days(every: int, *, leaving: float = LEAVING) -> float:
    return 4.0 * float(np.exp(leaving * load_of(every)))


def income(every: int) -> float:
    return 40 + EARNING * load_of(every) + SATED * load_of(every) ** 2


def arms(every: Sequence[int] = TRIED, *, viewers: int = MANY, leaving: float = LEAVING, seed: int = 0) -> list[Tried]:
    """Return what viewers of these arms did: as often there and as dear as was planted, but for chance."""
    chance, found = np.random.default_rng(seed), []
    for of in every:
        off = chance.normal(size=2) * np.sqrt([4.0 / viewers, 900.0 / viewers])
        found.append(Tried(of, viewers, days(of, leaving=leaving) + off[0], 4.0, income(of) + off[1], 900.0))
    return found


def worth(every: int, *, leaving: float = LEAVING) -> float:
    """Return what a viewer brings in the long run, week by week."""
    load = load_of(every)
    weeks = (DISCOUNT * np.exp(leaving * load)) ** np.arange(1_000)
    return float(income(every) * days(every, leaving=leaving) * weeks.sum())


def best(of: Sequence[int], *, leaving: float, floor: float) -> int:
    """Return the planted best, found by trying all of them in turn."""
    may = [every for every in of if days(every, leaving=leaving) >= (1 - floor) * days(0, leaving=leaving)]
    return max(may, key=lambda every: worth(every, leaving=leaving))


@pytest.mark.parametrize("leaving", [-0.001, -0.006, -0.012, -0.02])
def test_the_planted_optimum_is_found(leaving: float) -> None:
    """The stronger viewers leave, the lighter it is; what is lost beside it is less than one per cent."""
    planted = best([0, *range(4, 101)], leaving=leaving, floor=0.5)

    found = suggest(arms(leaving=leaving), floor=0.5)

    assert found.answer == Answer.SUGGESTED
    assert found.every is not None
    assert load_of(found.every) == pytest.approx(load_of(planted), abs=1.5)
    assert worth(found.every, leaving=leaving) >= 0.99 * worth(planted, leaving=leaving)
    assert found.slope is not None
    assert found.slope.low < leaving < found.slope.high


def test_a_stronger_elasticity_asks_for_fewer_ads() -> None:
    loads = [load_of(suggest(arms(leaving=of), floor=0.5).every or 0) for of in (-0.001, -0.006, -0.012, -0.02)]

    assert all(lighter < heavier for heavier, lighter in pairwise(loads))


def test_surely_enough_come_back_and_the_looser_the_floor_the_heavier_is_the_load() -> None:
    """With 0.6 % fewer days by an ad more, a floor of 3 % is met by five ads in 100 items, hardly more."""
    floors = (0.02, 0.03, 0.05, 0.08, 0.12, 0.3)
    found = [suggest(arms(viewers=2_000_000), floor=of) for of in floors]

    loads = [load_of(of.every or 0) for of in found]
    assert loads == sorted(loads)
    assert loads[1] == pytest.approx(5, abs=0.5)
    assert loads[0] < loads[2] < loads[4]
    for of, floor in zip(found, floors, strict=True):
        assert of.kept is not None
        assert of.kept.low >= 1 - floor
        assert days(of.every or 0) >= (1 - floor) * days(0)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_outside_of_what_was_tried_is_suggested(seed: int) -> None:
    """Twenty ads in 100 items would be best, but ten at most were tried; and where none hurts, eight at least were."""
    heavy = suggest(arms((12, 10), leaving=-0.0005, seed=seed), floor=0.1)
    light = suggest(arms((6, 4), leaving=-0.08, seed=seed), floor=0.6)

    assert heavy.every == 10
    assert light.every == 6


def test_the_first_arm_may_be_what_holds_now() -> None:
    """Nobody may come less often than now: every load heavier than the first arm's is out, lighter ones are not."""
    found = suggest(arms((10, 20, 0, 6, 4), viewers=4_000_000, leaving=-0.03), floor=0.02)

    assert found.answer == Answer.SUGGESTED
    assert found.every == 0 or load_of(found.every or 0) < 10
    assert found.kept is not None
    assert found.kept.low > 1
    assert found.gain is not None
    assert found.gain.low > 0


@pytest.mark.parametrize(
    ("given", "floor", "answer"),
    [
        (arms(viewers=99), 0.5, Answer.TOO_FEW),
        (arms(viewers=2_000), 0.02, Answer.TOO_WIDE),
        (arms((6, 5), viewers=20_000, leaving=0.0), 0.2, Answer.UNSURE),
        ([of._replace(days=4 - 2 * (of.every == 10)) for of in arms()], 0.5, Answer.BENT),
        ([arms()[0]._replace(days=0.0), *arms()[1:]], 0.5, Answer.TOO_FEW),
    ],
)
def test_what_is_not_known_is_said(given: list[Tried], floor: float, answer: Answer) -> None:
    found = suggest(given, floor=floor)

    assert (found.answer, found.every) == (answer, None)


def test_the_bounds_of_what_a_viewer_brings_are_those_of_the_mean_of_it() -> None:
    """On 4 days ± 2, 10 a day: 40 ± 40 a week, for who is there more often brings more a day; ten weeks count."""
    days_of, all_of, shared = 4.0, 40.0**2, 60.0  # variances, and the covariance of both
    income_of, both = (all_of - 2 * 10 * shared + 10**2 * days_of) / 4**2, (shared - 10 * days_of) / 4
    each = [Tried(every, MANY, 4.0, days_of, 10.0, income_of, both) for every in (0, 6)]

    found = fit(each).bounds(lambda of: float(fit(each).worth(np.array([0.0]), of)[0]), level=0.05)

    assert found.mean == pytest.approx(10 * 40)
    assert found.high - found.mean == pytest.approx(10 * reach(all_of / MANY, all_of / FEWEST), rel=1e-4)


def test_without_any_income_the_first_arm_stays() -> None:
    nothing = [of._replace(income=0.0, income_variance=0.0) for of in arms()]

    assert suggest(nothing, floor=0.5).every in {0, None}


def test_the_bounds_hold_however_often_one_looks() -> None:
    """No arm has any effect: of 200 trials, each looked at ten times, at most one in twenty says that one has."""
    chance, alarms = np.random.default_rng(3), 0
    for _ in range(200):
        each = chance.normal(4, 2, (3, 4_000))
        alarms += any(_has_slope(each[:, :seen]) for seen in range(400, 4_001, 400))

    assert alarms / 200 <= 0.05


def _has_slope(each: NDArray[np.float64]) -> bool:
    told = [
        Tried(every, each.shape[1], float(of.mean()), float(of.var(ddof=1)), 10.0, 1.0)
        for every, of in zip((0, 10, 5), each, strict=True)
    ]
    slope: Suggestion = suggest(told, floor=0.5)
    return slope.slope is not None and slope.slope.high < 0
