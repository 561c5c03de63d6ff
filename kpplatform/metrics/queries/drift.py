"""Has a population shifted? The days now beside those before, part by part."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from kpplatform.metrics.queries.figures import Span, by_part
from kpplatform.tenancy import roles
from recommender.ml.portraits import shift
from recommender.ml.portraits.shift import BEFORE_DAYS, FEWEST_EVENTS, NOW_DAYS, SHIFTED

WATCHED = 0.1  # the lower threshold of Siddiqi
DISTRIBUTIONS = ("stops", "plays_by_hour", "plays", "plays_by_device")


class State(StrEnum):
    """What an index says: below 0.1 nothing moved, from 0.25 on the population is another one."""

    UNKNOWN = "unknown"
    STABLE = "stable"
    MOVING = "moving"
    SHIFTED = "shifted"


class Drift(NamedTuple):
    """How far a distribution has moved; None: there is too little to compare."""

    metric: str
    psi: float | None
    before: int
    now: int

    @property
    def state(self) -> State:
        if self.psi is None:
            return State.UNKNOWN
        if self.psi >= SHIFTED:
            return State.SHIFTED
        return State.MOVING if self.psi >= WATCHED else State.STABLE


def psi(before: Mapping[str, int], now: Mapping[str, int]) -> float:
    """Return the population stability index of counts by part; a part that is missing counts half an event."""
    parts = sorted(set(before) | set(now))
    return shift.psi(*(np.array([of.get(part, 0) for part in parts], np.int64) for of in (before, now)))


def drifts(*, until: date, using: str = roles.APP) -> list[Drift]:
    """Return how far each distribution of the last seven whole days is from that of the 28 days before."""
    last = until - timedelta(days=1)
    now = Span(last - timedelta(days=NOW_DAYS - 1), last, using=using)
    before = Span(now.since - timedelta(days=BEFORE_DAYS), now.since - timedelta(days=1), using=using)
    return [_compared(name, by_part(name, before), by_part(name, now)) for name in DISTRIBUTIONS]


def _compared(name: str, before: Mapping[str, int], now: Mapping[str, int]) -> Drift:
    many = [sum(of.values()) for of in (before, now)]
    return Drift(name, psi(before, now) if min(many) >= FEWEST_EVENTS else None, *many)
