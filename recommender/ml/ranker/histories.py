"""What a viewer watched before a moment, as attention reads it: items and what came of them, side by side.

Shapes: M questions, T places, the latest last; what is missing stands in front and has the length told.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Floats, Longs
from recommender.ml.ranker.facts import LONGEST_S, Asked, Log
from recommender.ml.ranker.running import Running

LENGTH = 50
OUTCOMES = 5  # what is told of an event beside its item


@dataclass(frozen=True)
class Histories:
    """The latest events of viewers before their questions."""

    item: Longs  # (M, T) codes
    outcome: Floats  # (M, T, OUTCOMES)
    present: Floats  # (M, T) 1, 0 where there is no event

    def inputs(self) -> dict[str, NDArray[np.generic]]:
        """Return what a program is given for one viewer."""
        return {"item": self.item[0], "outcome": self.outcome[0], "present": self.present[0]}


def ends(log: Log, asked: Asked) -> Longs:
    """Return behind which row of the log each question's past ends (M,)."""
    clock = Running.of(log.viewer, log.at, np.ones((len(log), 1)))
    before = clock.sums(asked.viewer, 0, asked.known_until)[:, 0].astype(np.int64)
    return np.asarray(np.searchsorted(log.viewer, asked.viewer) + before)


def histories(log: Log, asked: Asked, *, length: int) -> Histories:
    """Return the latest events (M, T) before each question."""
    return read(log, outcomes(log), asked.viewer, ends(log, asked), length=length)


def read(log: Log, told: Floats, viewer: Longs, end: Longs, *, length: int) -> Histories:
    """Return the events (M, T) of viewers (M,) right before the rows `end` (M,), of which `told` (N, OUTCOMES)."""
    if not len(log):
        return _empty(len(viewer), length)
    rows = end[:, None] - length + np.arange(length)  # (M, T)
    known = np.maximum(rows, 0)
    present = (rows >= 0) & (log.viewer[known] == viewer[:, None])
    item = np.where(present, log.item[known], 0)
    return Histories(item, told[known] * present[..., None], present.astype(np.float32))


def outcomes(log: Log) -> Floats:
    """Return what came of events (N, OUTCOMES): met, long, liked, seconds (log, 0 to 1) and whether these are known."""
    timed = ~np.isnan(log.seconds)
    seconds = np.log1p(np.nan_to_num(log.seconds)) / np.log1p(LONGEST_S)
    told = log.met, np.nan_to_num(log.long_view), log.liked, seconds, timed
    return np.stack(told, axis=1).astype(np.float32)


def _empty(many: int, length: int) -> Histories:
    shape = many, length
    return Histories(np.zeros(shape, np.int64), np.zeros((*shape, OUTCOMES), np.float32), np.zeros(shape, np.float32))
