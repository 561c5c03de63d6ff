"""Is what viewers did fit to learn from: complete, fresh, of one mind with itself, and as it used to be?

Shapes: N events, C cells of a histogram.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.ml.portraits.block import Block
from recommender.ml.portraits.calibration import auc
from recommender.ml.portraits.interests import DAY_MS, HOURS, Contents
from recommender.ml.portraits.shift import BEFORE_DAYS, FEWEST_EVENTS, NOW_DAYS, SHIFTED, psi

INCOMPLETE = 0.5
OLD_HOURS = 48
WATCHED_CELLS = 5


@dataclass(frozen=True)
class Quality:
    """What was measured on a sample of viewers; what cannot be told is None."""

    completeness: Mapping[str, float]  # shares: of items and of events
    fresh_hours: float | None  # since the last event
    agreement: float | None  # chance that a liked item was watched further than one that was not
    drift: Mapping[str, float | None]  # PSI of topics, hours, shares watched
    alerts: tuple[str, ...]


def measure(block: Block, contents: Contents, *, at_ms: int, offset_ms: int) -> Quality:
    """Judge what a block's viewers did before a moment."""
    found = {
        "completeness": _completeness(block, contents),
        "fresh_hours": (at_ms - int(block.at.max())) / 3_600_000 if len(block) else None,
        "agreement": _agreement(block),
        "drift": _drift(block, contents, at_ms, offset_ms),
    }
    return Quality(**found, alerts=tuple(_alerts(**found)))  # type: ignore[arg-type]


def _completeness(block: Block, contents: Contents) -> dict[str, float]:
    has_topic = np.append(contents.topic >= 0, values=False)
    tags = contents.features[:, contents.topics :]
    shares = {
        "items_with_topic": has_topic[:-1],
        "items_with_tags": np.diff(tags.indptr) > 0,
        "events_with_topic": has_topic[block.item],
        "events_of_known_items": block.item >= 0,
    }
    return {name: round(float(told.mean()), 4) for name, told in shares.items() if len(told)}


def _agreement(block: Block) -> float | None:
    """Return the AUC of the share watched as a sign of liking, over (viewer, item) that were watched."""
    cells = block.viewer.astype(np.int64) * (int(block.item.max(initial=0)) + 1) + block.item
    was_watched = ~np.isnan(block.watched)
    watched, place = np.unique(cells[was_watched], return_inverse=True)
    share = np.zeros(len(watched))
    np.maximum.at(share, place, block.watched[was_watched])
    liked = np.isin(watched, cells[block.liked])
    found = auc(share, liked)
    return None if np.isnan(found) else round(found, 4)


def _drift(block: Block, contents: Contents, at_ms: int, offset_ms: int) -> dict[str, float | None]:
    age = (at_ms - block.at) / DAY_MS
    now, before = age < NOW_DAYS, (age >= NOW_DAYS) & (age < NOW_DAYS + BEFORE_DAYS)
    topic = np.append(contents.topic, -1)[block.item]
    hour = (block.at + offset_ms) // 3_600_000 % HOURS
    watched = np.where(np.isnan(block.watched), -1, np.clip(block.watched, 0, 0.999) * WATCHED_CELLS).astype(np.int64)
    cells = {"topics": (topic, contents.topics), "hours": (hour, HOURS), "watched": (watched, WATCHED_CELLS)}
    return {name: _compared(cell[before], cell[now], size) for name, (cell, size) in cells.items()}


def _compared(before: NDArray[np.int64], now: NDArray[np.int64], size: int) -> float | None:
    counts = [np.bincount(cell[cell >= 0], minlength=size) for cell in (before, now)]
    return round(psi(*counts), 4) if size and min(of.sum() for of in counts) >= FEWEST_EVENTS else None


def _alerts(
    completeness: Mapping[str, float],
    fresh_hours: float | None,
    agreement: float | None,
    drift: Mapping[str, float | None],
) -> list[str]:
    """Return what somebody should look at, by name."""
    told = [
        f"{name}_incomplete" for name, share in completeness.items() if share < INCOMPLETE and name != "items_with_tags"
    ]
    told += ["events_are_old"] if fresh_hours is not None and fresh_hours > OLD_HOURS else []
    told += ["likes_contradict_watches"] if agreement is not None and agreement < INCOMPLETE else []
    return told + [f"{name}_have_shifted" for name, index in drift.items() if index is not None and index > SHIFTED]
