"""Pacing: by when what is spent, and how a pace finds its way there."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from billing.ads.market import pacing
from billing.ads.market.pacing import Plan

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
EVENING = [1.0] * 18 + [5.0] * 6  # 18 + 30 = 48 in all


def test_an_even_day_is_half_spent_at_noon() -> None:
    plan = Plan(MIDNIGHT, MIDNIGHT + timedelta(days=1), 1_000, pacing.even())

    assert plan.spent_by(MIDNIGHT + timedelta(hours=12)) == 500


def test_money_is_spent_like_viewers_come() -> None:
    plan = Plan(MIDNIGHT, MIDNIGHT + timedelta(days=1), 4_800, EVENING)

    assert plan.spent_by(MIDNIGHT + timedelta(hours=18)) == 1_800
    assert plan.spent_by(MIDNIGHT + timedelta(hours=19, minutes=30)) == 1_800 + 750


def test_a_flight_of_several_days_that_begins_in_the_evening() -> None:
    plan = Plan(MIDNIGHT + timedelta(hours=20), MIDNIGHT + timedelta(days=3), 116, EVENING)

    assert [plan.spent_by(MIDNIGHT + timedelta(days=day)) for day in (1, 2, 3)] == [20, 68, 116]


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 29, 23), (10, 25, 25)])
def test_on_the_day_that_the_clock_is_changed_the_plan_goes_on(month: int, day: int, hours: int) -> None:
    """Never backwards, and no faster than three in half an hour, of 100 over 23 or 25 hours."""
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, month, day, tzinfo=berlin)
    plan = Plan(begin, begin + timedelta(days=1), 100, pacing.even())

    steps = [begin.astimezone(UTC) + timedelta(minutes=30 * number) for number in range(hours * 2 + 1)]
    spent = [plan.spent_by(at.astimezone(berlin)) for at in steps]

    assert (spent[0], spent[-2], spent[-1]) == (0, 98, 100)
    assert all(0 <= after - before <= 3 for before, after in pairwise(spent))


@pytest.mark.parametrize(("hours", "spent"), [(-1, 0), (0, 0), (24, 100), (30, 100)])
def test_before_and_after_nothing_and_all(hours: int, spent: int) -> None:
    plan = Plan(MIDNIGHT, MIDNIGHT + timedelta(days=1), 100, EVENING)

    assert plan.spent_by(MIDNIGHT + timedelta(hours=hours)) == spent


def test_the_pace_goes_down_when_too_much_is_spent_and_up_when_too_little() -> None:
    assert pacing.paced(0.4, spent=200, wanted=100) == pytest.approx(0.2)
    assert pacing.paced(0.4, spent=80, wanted=100) == pytest.approx(0.5)


def test_the_pace_is_at_most_doubled_or_halved_and_never_above_one_or_nothing() -> None:
    assert pacing.paced(0.1, spent=0, wanted=100) == pytest.approx(0.2)
    assert pacing.paced(0.4, spent=10_000, wanted=1) == pytest.approx(0.2)
    assert pacing.paced(0.9, spent=1, wanted=100) == 1.0
    assert pacing.paced(pacing.SLOWEST, spent=100, wanted=1) == pacing.SLOWEST
