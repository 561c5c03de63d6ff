"""What may be said of prices that were tried, and when nothing may."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_django import DjangoAssertNumQueries

from billing import operations, queries
from billing.models import PriceExperiment
from billing.queries.price_results import Answer, Outcome, compared
from catalog.models import Item
from kpplatform.experiments import LEVEL, Sample
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests.billing import parts, shop
from tests.billing.paying import found
from tests.billing.shop import bought
from tests.billing.test_promises import planted
from tests.billing.trials import arm, came_of, tried, viewer_of
from tests.conftest import COMMITTED, NOON

Flags = NDArray[np.bool_]


@pytest.fixture
def trial(course: Item) -> PriceExperiment:
    return tried(course, 10_000, 8_000)


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        ((120, 30), (120, 60), Answer.NO_DIFFERENCE),
        ((120, 30), (120, 110), Answer.MORE),
        ((120, 110), (120, 5), Answer.LESS),
        ((99, 50), (99, 99), Answer.TOO_FEW),
        ((120, 5), (120, 14), Answer.TOO_FEW),
        ((120, 60), (120, 0), Answer.LESS),
        ((120, 30), (260, 260), Answer.UNFAIR),
    ],
)
def test_what_is_said_of_the_second_price(
    trial: PriceExperiment, first: tuple[int, int], second: tuple[int, int], answer: Answer
) -> None:
    for name, (shown, buyers) in (("A", first), ("B", second)):
        came_of(arm(trial, name), shown=shown, buyers=buyers)

    results = queries.price_results(trial)

    assert [(of.shown, of.buyers) for of in results.arms] == [first, second]
    assert [of.revenue.mean for of in results.arms] == pytest.approx([
        first[1] * 10_000 / first[0],
        second[1] * 8_000 / second[0],
    ])  # fmt: skip
    assert [of.answer for of in results.arms] == [None, answer]
    assert results.dealt_fairly == (answer != Answer.UNFAIR)
    assert (results.arms[1].difference is None) == (answer in {Answer.TOO_FEW, Answer.UNFAIR})


def test_a_small_arm_without_a_buyer_says_nothing(course: Item) -> None:
    """Of 100 viewers 1.4 buyers are to be expected: that there is none is no wonder, and no certainty."""
    trial = tried(course, 10_000, 8_000, shares=[9_500, 500])
    came_of(arm(trial, "A"), shown=1_900, buyers=28)
    came_of(arm(trial, "B"), shown=100, buyers=0)

    assert queries.price_results(trial).arms[1].answer == Answer.TOO_FEW


def test_an_experiment_that_nobody_saw_says_so(trial: PriceExperiment) -> None:
    results = queries.price_results(trial)

    assert [(of.shown, of.buyers, of.bought) for of in results.arms] == [(0, 0, 0.0)] * 2
    assert results.arms[1].answer == Answer.TOO_FEW


def test_what_was_given_back_is_no_revenue_and_parts_count_as_they_are_paid(
    course: Item, trial: PriceExperiment
) -> None:
    shop.give_back(bought(viewer_of(trial, "A"), course), 4_000)
    parts.in_parts(course, viewer_of(trial, "B"))
    shop.ordered(viewer_of(trial, "B"), course)  # and never paid

    results = queries.price_results(trial)

    assert [(of.shown, of.buyers, of.revenue.mean) for of in results.arms] == [(1, 1, 6_000.0), (2, 1, 2_667 / 2)]


def test_results_are_one_question_however_many_viewers(
    trial: PriceExperiment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    came_of(arm(trial, "A"), shown=20, buyers=10)

    with django_assert_num_queries(2):
        queries.price_results(trial)


@pytest.mark.parametrize(("part", "rate"), [(0.5, 0.05), (0.1, 0.01), (0.9, 0.01), (0.9, 0.05)])
def test_looking_every_day_finds_a_difference_that_is_not_there_in_at_most_one_of_twenty(
    part: float, rate: float
) -> None:
    """Few buy, at a price that is the same in both arms: 300 experiments, each looked at 20 times."""
    chance, alarms = np.random.default_rng(7), 0
    for _ in range(300):
        is_in, has_bought = chance.random(6_000) < part, chance.random(6_000) < rate
        alarms += any(
            (by := compared(*_outcomes(is_in[:seen], has_bought[:seen]), level=LEVEL)) is not None and by.is_certain
            for seen in range(300, 6_001, 300)
        )

    assert alarms / 300 <= 0.05


def _outcomes(is_in: Flags, has_bought: Flags) -> list[Outcome]:
    paid = [has_bought[of] * 100.0 for of in (is_in, ~is_in)]
    return [(len(of), int((of > 0).sum()), Sample(len(of), float(of.mean()), float(of.var(ddof=1)))) for of in paid]


@COMMITTED
def test_a_line_at_another_price_than_was_shown_is_named(school: Tenant) -> None:
    with scope(school):
        course = shop.course_for(10_000)
        trial = tried(course, 10_000, 8_000)
        viewer = viewer_of(trial, "B")
        operations.quote(viewer=viewer, wanted=[operations.Wanted(item=course)], at=NOON)
        later = NOON.replace(hour=13)
        order = operations.place_order(viewer=viewer, item=course, key="later", at=later)
        operations.capture(payment=shop.payment_of(order), reference="co", at=later)
        assert found() == set()

    with planted(school, "UPDATE billing_triedline SET amount = 7000, added_tax = 1000") as faults:
        assert faults == {("L9", "tried line")}
    with planted(school, "UPDATE billing_triedline SET amount = 8000, added_tax = 1000") as faults:
        assert faults == {("L9", "tried line")}
    with planted(school, "DELETE FROM billing_triedline") as faults:
        assert faults == {("L9", "order line")}
