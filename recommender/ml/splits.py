"""Hold back what came later, so that a model is judged on what it could not know."""

from dataclasses import dataclass

import numpy as np

from recommender.ml.arrays import Flags, Longs
from recommender.ml.interactions import Interactions

LATER_SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """What a model may learn from, and the positives that came after."""

    train: Interactions
    test: Interactions


def leave_one_out(data: Interactions, *, back: int = 0) -> Split:
    """Hold back every viewer's last positive item that was new to them, or with `back=1` the last but one.

    Nothing that a viewer did from that moment on is learned from. `back=1` is the validation of `back=0`.
    Viewers without something to learn from before it are not judged.
    """
    new = np.flatnonzero(data.positive & _first_meetings(data))  # places of candidates, by viewer and time
    from_end = _places_from_end(data.viewer[new])
    held = new[from_end == back]
    held = held[(held > 0) & (data.viewer[held - 1] == data.viewer[held])]
    cut = np.full(data.shape[0], len(data))  # (U,) nothing from this row on is learned from
    cut[data.viewer[held]] = held
    rows = np.arange(len(data))
    return Split(train=data.where(rows < cut[data.viewer]), test=data.where(np.isin(rows, held)))


def time_split(data: Interactions, *, at: int) -> Split:
    """Hold back the positives from the moment `at` (milliseconds) on; everything before is learned from."""
    later = data.at >= at
    return Split(train=data.where(~later), test=data.where(later & data.positive))


def later_slice(data: Interactions, *, share: float = LATER_SHARE) -> int:
    """Return the moment (milliseconds) after which the last `share` of the events lies."""
    return int(np.sort(data.at)[-max(1, round(len(data) * share))])


def _first_meetings(data: Interactions) -> Flags:
    """Return which events (N,) are the viewer's first with that item."""
    first = np.zeros(len(data), np.bool_)
    first[np.unique(data.cells(), return_index=True)[1]] = True
    return first


def _places_from_end(viewer: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Longs:
    """Return for rows (N,) ordered by viewer how many rows of the same viewer follow."""
    ends = np.searchsorted(viewer, viewer, side="right")
    return ends - 1 - np.arange(len(viewer))
