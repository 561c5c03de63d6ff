"""What a day is likely to bring, and what is odd."""

import random

from billing.ads.market.forecast import LEAST_DAYS, forecast


def test_of_too_few_days_nothing_is_foretold() -> None:
    assert forecast([5.0] * (LEAST_DAYS - 1), chance=1.0) is None


def test_a_steady_flight_is_foretold_with_what_chance_makes_of_it() -> None:
    """100 views a day, each by chance: between 70 and 130."""
    told = forecast([100.0] * 10, chance=1.0)

    assert told == (100.0, 70.0, 130.0)
    assert [told.is_odd(seen) for seen in (69, 70, 130, 131)] == [True, False, False, True]


def test_the_latest_days_count_most_and_a_restless_flight_may_do_more() -> None:
    """Of 100, 100, 100, 200 the level is 100 + 0.3 · 100; its last forecast was off by 100: √(0.3 · 100²) thrice."""
    told = forecast([100.0, 100.0, 100.0, 200.0], chance=1.0)

    assert told is not None
    assert told.expected == 130.0
    assert (round(told.low), round(told.high)) == (0, 294)


def test_a_share_stays_one() -> None:
    told = forecast([0.9] * 5, chance=0.1 / 100, most=1.0)

    assert told is not None
    assert (round(told.low, 3), round(told.high, 3)) == (0.81, 0.99)


def test_chance_alone_is_seldom_odd() -> None:
    rng = random.Random(7)
    days = [float(sum(rng.random() < 0.05 for _ in range(2_000))) for _ in range(200)]

    told = [(forecast(days[:day], chance=1.0), days[day]) for day in range(10, 200)]

    odd = sum(likely.is_odd(seen) for likely, seen in told if likely)
    assert odd <= 4  # 0.3 % of 190 are expected, a little more for what the forecast does not know
