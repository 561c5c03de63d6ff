"""The cleaning rules, one by one, on watches that can be judged in the head."""

from datetime import timedelta
from typing import Any

import pytest

from catalog import cleaning
from catalog.cleaning import Viewing
from catalog.models import Watch
from tests.conftest import NOON

SECOND = timedelta(seconds=1)


def viewing(**fields: Any) -> Viewing:
    """Return half a minute of a video of a minute, told when it was over."""
    usual: dict[str, Any] = {"item": 1, "started_at": NOON, "watch_ms": 30_000, "duration_ms": 60_000, "is_own": False}
    return Viewing(**usual | {"received_at": NOON + 30 * SECOND} | fields)


def verdicts(*watches: Viewing) -> list[str]:
    return list(cleaning.judged(watches, {}))


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, ""),
        ({"watch_ms": 999}, "too_fast"),
        ({"watch_ms": 1_000}, ""),
        ({"watch_ms": 300_000}, ""),
        ({"watch_ms": 300_001}, "impossible_duration"),
        ({"watch_ms": 300_001, "duration_ms": 0}, ""),
        ({"is_own": True}, "self_view"),
        ({"received_at": NOON - timedelta(minutes=5)}, ""),
        ({"received_at": NOON - timedelta(minutes=5, seconds=1)}, "clock_skew"),
        ({"received_at": NOON + timedelta(days=30)}, ""),
        ({"received_at": NOON + timedelta(days=30, seconds=1)}, "clock_skew"),
        ({"watch_ms": 0, "is_own": True}, "too_fast"),
    ],
)
def test_a_watch_is_judged_by_itself(fields: dict[str, Any], verdict: str) -> None:
    assert verdicts(viewing(**fields)) == [verdict]


def test_the_same_watch_under_another_event_is_a_duplicate_though_it_says_another_length() -> None:
    first, again = viewing(), viewing(watch_ms=40_000)

    assert verdicts(first, again, viewing(item=2)) == ["", "duplicate", ""]


def test_what_was_set_aside_makes_no_duplicate() -> None:
    assert verdicts(viewing(watch_ms=1), viewing(), viewing()) == ["too_fast", "", "duplicate"]


def test_more_than_a_minute_holds_is_a_bot_and_the_next_minute_is_judged_anew() -> None:
    in_one_minute = [viewing(item=item) for item in range(61)]
    in_the_next = viewing(started_at=NOON + 60 * SECOND)

    assert verdicts(*in_one_minute, in_the_next) == ["", *[""] * 59, "bot", ""]


def test_every_rule_has_its_place_in_quarantine() -> None:
    assert {cleaning.CLEAN, *cleaning.RULES} == set(Watch.Quarantine.values)
