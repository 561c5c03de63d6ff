"""Pacing: money is spent like the viewers come, and the day ends with the plan.

A plan says what part of the budget may be gone by when, after the hours in which viewers come. A flight's pace, which
its bids are multiplied with, goes up when it spends too little and down when too much (the multiplicative control of
Balseiro and Gur, 2019); and a ceiling it cannot pass keeps it from running ahead of the plan at any pace.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from math import ceil
from typing import NamedTuple

HOURS = 24
HOUR = timedelta(hours=1)
SLOWEST = 0.001
FASTEST_CHANGE = 2.0  # a pace is at most halved or doubled at a time
AHEAD = 0.02  # of an hour's plan that may be spent before its time


class Plan(NamedTuple):
    """What a flight is to spend by when. `traffic` are the viewers of each hour of the day, in any unit."""

    starts_at: datetime
    ends_at: datetime
    budget: int
    traffic: Sequence[float]

    def spent_by(self, at: datetime) -> int:
        """Return how much of the budget may be gone by then."""
        if at >= self.ends_at:
            return self.budget
        if at <= self.starts_at:
            return 0
        begin = self._days(self.starts_at)
        return round(self.budget * (self._days(at) - begin) / (self._days(self.ends_at) - begin))

    def _days(self, at: datetime) -> float:
        """Return how many days of viewers have come since the first midnight: a day of 23 or 25 hours is one too."""
        midnight, hours = _hours(at.date(), at.tzinfo)
        come = [self.traffic[hour] for hour in hours]
        whole, part = divmod((at.astimezone(UTC) - midnight) / HOUR, 1)
        come_by = sum(come[: int(whole)]) + come[int(whole)] * part
        return (at.date() - self.starts_at.date()).days + come_by / (sum(come) or 1)


@lru_cache(maxsize=4_096)
def _hours(day: date, zone: tzinfo | None) -> tuple[datetime, list[int]]:
    """Return when a day begins, and what the clock says in each of its hours."""
    begin, end = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    return begin, [(begin + of * HOUR).astimezone(zone).hour for of in range(ceil((end - begin) / HOUR))]


def even(floor: float = 1.0) -> list[float]:
    """Return a day in which every hour is alike."""
    return [floor] * HOURS


def paced(pace: float, *, spent: int, wanted: int) -> float:
    """Return the pace after a span in which so much was spent and so much was wanted."""
    still = FASTEST_CHANGE if wanted > 0 else 1.0  # nothing was spent: it is no news where nothing was wanted
    change = wanted / spent if spent > 0 else still
    change = min(max(change, 1 / FASTEST_CHANGE), FASTEST_CHANGE)
    return min(max(pace * change, SLOWEST), 1.0)
