"""Hold back what came later, so that a model is judged on what it could not know."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from recommender.ml.arrays import Flags, Longs
from recommender.ml.interactions import BrokenData, Interactions

LATER_SHARE = 0.2
BY_INTERACTION, BY_VIEWER = FOLDED_BY = ("interaction", "viewer")


@dataclass(frozen=True)
class Split:
    """What a model may learn from, and the positives that it is to foresee."""

    train: Interactions
    test: Interactions
    known: Interactions | None = None  # the judged viewers' histories, where they are not among what is learned from

    @property
    def history(self) -> Interactions:
        """Return what is known of the judged viewers when the items are ranked for them."""
        return self.train if self.known is None else self.known


def leave_one_out(data: Interactions, *, back: int = 0) -> Split:
    """Hold back every viewer's last positive item that was new to them, or with `back=1` the last but one.

    Nothing that a viewer did from that moment on is learned from. `back=1` is the validation of `back=0`.
    Viewers without something to learn from before it are not judged. When the held back event happened is told: the
    moment at which a page would have been asked for.
    """
    new = np.flatnonzero(data.positive & _first_meetings(data))  # places of candidates, by viewer and time
    from_end = _places_from_end(data.viewer[new])
    held = new[from_end == back]
    held = held[(held > 0) & (data.viewer[held - 1] == data.viewer[held])]
    cut = np.full(data.shape[0], len(data))  # (U,) nothing from this row on is learned from
    cut[data.viewer[held]] = held
    asked_at = np.full(data.shape[0], -1, np.int64)  # (U,)
    asked_at[data.viewer[held]] = data.at[held]
    rows = np.arange(len(data))
    train = replace(data.where(rows < cut[data.viewer]), asked_at=asked_at)
    return Split(train=train, test=data.where(np.isin(rows, held)))


def time_split(data: Interactions, *, at: int) -> Split:
    """Hold back the positives from the moment `at` (milliseconds) on; everything before is learned from."""
    later = data.at >= at
    return Split(train=data.where(~later), test=data.where(later & data.positive))


def later_slice(data: Interactions, *, share: float = LATER_SHARE) -> int:
    """Return the moment (milliseconds) after which the last `share` of the events lies."""
    return int(np.sort(data.at)[-max(1, round(len(data) * share))])


def k_fold(data: Interactions, *, folds: int, by: str = BY_INTERACTION, seed: int = 0) -> Iterator[Split]:
    """Yield so many splits, each of which holds back another part of the positives.

    By interaction, a random part of who wanted what is held back: a model then learns from the future, too, so that
    its figures flatter it and only tell whether it learns steadily. By viewer, it learns from other viewers only, and
    is judged on the last fifth of what the fold's viewers wanted, given what they did before: "Variational
    Autoencoders for Collaborative Filtering" (Liang et al., 2018), section 4.2, but in the order of time. Viewers of
    whom nothing is left to be known are not judged. Raises BrokenData.
    """
    if folds < 2:
        raise BrokenData("folds_too_few", f"{folds} folds leave nothing to learn from: at least 2.")
    parts = _viewer_folds if by == BY_VIEWER else _interaction_folds
    yield from parts(data, folds, np.random.default_rng(seed))


def _interaction_folds(data: Interactions, folds: int, rng: np.random.Generator) -> Iterator[Split]:
    cells, inverse = np.unique(data.cells(), return_inverse=True)
    wanted = np.unique(inverse[data.positive])
    fold = np.full(len(cells), -1)  # what nobody wanted is always learned from
    fold[wanted] = _dealt(len(wanted), folds, rng)
    of_event = fold[inverse]  # (N,)
    for number in range(folds):
        train = data.where(of_event != number)
        known = np.diff(train.starts)[data.viewer] > 0
        yield Split(train=train, test=data.where((of_event == number) & data.positive & known))


def _viewer_folds(data: Interactions, folds: int, rng: np.random.Generator) -> Iterator[Split]:
    of_event = _dealt(data.shape[0], folds, rng)[data.viewer]  # (N,)
    new = np.flatnonzero(data.positive & _first_meetings(data))
    many = np.bincount(data.viewer[new], minlength=data.shape[0])
    held = new[_places_from_end(data.viewer[new]) < np.ceil(LATER_SHARE * many)[data.viewer[new]]]
    first = np.full(data.shape[0], len(data))  # (U,) the first row that is held back
    np.minimum.at(first, data.viewer[held], held)
    is_held = np.isin(np.arange(len(data)), held) & (data.starts[:-1] < first)[data.viewer]
    before = np.arange(len(data)) < first[data.viewer]
    for number in range(folds):
        mine = of_event == number
        yield Split(train=data.where(~mine), test=data.where(is_held & mine), known=data.where(before & mine))


def _dealt(count: int, folds: int, rng: np.random.Generator) -> Longs:
    """Return the fold (count,) of each of so many things: all folds of one size, but for one."""
    if count < folds:
        raise BrokenData("folds_too_many", f"{count} cannot be parted into {folds} folds.")
    return rng.permutation(count) % folds


def _first_meetings(data: Interactions) -> Flags:
    """Return which events (N,) are the viewer's first with that item."""
    first = np.zeros(len(data), np.bool_)
    first[np.unique(data.cells(), return_index=True)[1]] = True
    return first


def _places_from_end(viewer: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Longs:
    """Return for rows (N,) ordered by viewer how many rows of the same viewer follow."""
    ends = np.searchsorted(viewer, viewer, side="right")
    return ends - 1 - np.arange(len(viewer))
