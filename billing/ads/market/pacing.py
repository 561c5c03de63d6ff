"""Pacing: money is spent like the viewers come, and the day ends with the plan.

A plan says what part of the budget may be gone by when, after the hours in which viewers come. A flight's pace, which
its bids are multiplied with, goes up when it spends too little and down when too much (the multiplicative control of
Balseiro and Gur, 2019); and a ceiling it cannot pass keeps it from running ahead of the plan at any pace.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

HOURS = 24
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
        return int(self.budget * self._viewers(at) / self._viewers(self.ends_at))

    def _viewers(self, until: datetime) -> float:
        """Return how many viewers come from the start until then."""
        total, hour = 0.0, self.starts_at
        whole_days = max((until - self.starts_at).days, 0)
        total += whole_days * sum(self.traffic)
        hour += timedelta(days=whole_days)
        while hour < until:
            following = min(hour.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1), until)
            total += self.traffic[hour.hour] * ((following - hour) / timedelta(hours=1))
            hour = following
        return total


def even(floor: float = 1.0) -> list[float]:
    """Return a day in which every hour is alike."""
    return [floor] * HOURS


def paced(pace: float, *, spent: int, wanted: int) -> float:
    """Return the pace after a span in which so much was spent and so much was wanted."""
    still = FASTEST_CHANGE if wanted > 0 else 1.0  # nothing was spent: it is no news where nothing was wanted
    change = wanted / spent if spent > 0 else still
    change = min(max(change, 1 / FASTEST_CHANGE), FASTEST_CHANGE)
    return min(max(pace * change, SLOWEST), 1.0)
