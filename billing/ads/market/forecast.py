"""What a day of a flight is likely to bring, and what would be odd: an exponentially weighted moving average.

Roberts (1959), "Control Chart Tests Based on Geometric Moving Averages", and Hunter (1986): each day counts WEIGHT of
what the days before it count together. The spread is the weighted mean of what the forecasts before were off by,
squared, and never less than chance alone makes it (Poisson for counts, binomial for shares). A day beyond three of its
square roots is odd: by chance about three days in a thousand are.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

WEIGHT = 0.3
WIDTH = 3.0
LEAST_DAYS = 4


class Forecast(NamedTuple):
    """What is expected, and between what it is likely to be."""

    expected: float
    low: float
    high: float

    def is_odd(self, seen: float) -> bool:
        return not self.low <= seen <= self.high


def forecast(past: Sequence[float], *, chance: float, most: float | None = None) -> Forecast | None:
    """Return what comes after the days of the past, the oldest first; None while they are too few.

    `chance` is the variance that chance alone makes, as a multiple of what is expected; nothing is below zero, or above
    `most`.
    """
    if len(past) < LEAST_DAYS:
        return None
    level, spread = past[0], 0.0
    for seen in past[1:]:
        off = seen - level
        spread = (1 - WEIGHT) * spread + WEIGHT * off * off
        level += WEIGHT * off
    half = WIDTH * sqrt(max(spread, chance * max(level, 0.0)))
    high = level + half
    return Forecast(level, max(level - half, 0.0), high if most is None else min(high, most))
