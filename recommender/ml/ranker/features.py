"""What is known of a viewer and an item at a moment, as numbers: one function for rows of training and for serving.

Everything is a sum over what had happened before. Of items it is told as of the beginning of the day, as by a table
that is made once a day; of the viewer as of the moment, as by the history that is read at every request. Rates are
drawn towards what is usual: (sum + n · usual) / (count + n). Shapes: N events, V items, M questions, F features.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Floats, Longs
from recommender.ml.ranker import circumstances
from recommender.ml.ranker.facts import Asked, Items, Log
from recommender.ml.ranker.running import Running, Sums

REMEMBERED = 200  # a viewer's latest events that are told of
LATELY = 10  # of these, the latest
DAYS_MS = 86_400_000
MOST_KEYS = 1 << 31  # creators, topics or items that a viewer is paired with
RECENT_DAYS = 3
BUCKETS = 10  # of durations
DRAWN = 10.0  # so many events of the usual kind are added to what happened with an item or by a viewer
DRAWN_PAIR = 5.0  # the same for a viewer and a creator, a topic ...
VALUES = ("met", "long", "long_known", "liked", "timed", "ratio", "length", "left")
RATES = ("met", "long", "liked", "timed", "ratio", "length", "left")
LEFT_BEFORE_S = 3.0
OF_VIEWER = ("viewer", "viewer_lately", "with_creator", "with_topic", "with_bucket", "with_item")
OF_ITEM = ("item", "creator", "topic", "bucket")
STRETCHES = (600_000, 3_600_000, DAYS_MS)  # before the moment
MOMENT = ("hour", "weekday", "pause", *(f"events_in_{stretch // 60_000}_min" for stretch in STRETCHES))
ITEM_NAMES = (
    *(f"{group}_{rate}{when}" for group in OF_ITEM for when in ("", "_recent") for rate in RATES),
    "duration",
    "topic_code",
)
NAMES = (
    *(f"{group}_{rate}" for group in OF_VIEWER for rate in RATES),
    *MOMENT,
    *ITEM_NAMES,
    "age",
    *circumstances.NAMES,
)
GROUPS = ("viewer", "pair", "moment", "item", "context")
PREFIX_OF_PAIR = "with_"

Usual = NDArray[np.float64]  # (..., 5) what is usual of the RATES that are no counts
COUNTLESS = [place for place, rate in enumerate(RATES) if rate not in {"met", "timed"}]


@dataclass(frozen=True)
class Scale:
    """What is usual in a log: what rates are drawn towards, and where buckets of durations begin."""

    usual: Usual  # (5,)
    edges: NDArray[np.float64]  # (BUCKETS − 1,) milliseconds

    @classmethod
    def of(cls, log: Log, items: Items) -> Self:
        sums = summands(log, items).sum(axis=0)
        known = items.duration_ms[log.item[log.met]]
        edges = np.quantile(known, np.linspace(0, 1, BUCKETS + 1)[1:-1]) if len(known) else np.zeros(BUCKETS - 1)
        return cls(usual=rates_of(sums, np.zeros(len(COUNTLESS)), 1.0)[COUNTLESS], edges=edges)

    def buckets(self, duration_ms: Longs) -> Longs:
        """Return in which bucket durations (M,) are, −1 unknown."""
        return np.where(duration_ms > 0, np.digitize(duration_ms, self.edges), -1)


def features(log: Log, items: Items, scale: Scale, asked: Asked) -> Floats:
    """Return the features (M, F) of questions, told by everybody's log."""
    told = _joined(of_viewers(log, items, scale, asked), of_items(log, items, scale, asked))
    return _joined(told, asked_now(items, asked))


def table(log: Log, items: Items, scale: Scale, *, at: int) -> Floats:
    """Return what is told of every item (V + 1, ·) at a moment; the last row is of an item that is not known."""
    every = np.arange(len(items) + 1)
    moment, nothing = np.full(len(every), at), np.zeros_like(every)
    asked = Asked(nothing, every, moment, moment, nothing.astype(np.int8))
    return of_items(log, items, scale, asked, whole_days=False)


def of_viewers(log: Log, items: Items, scale: Scale, asked: Asked) -> Floats:
    """Return what viewers did of late, with such items and when (M, ·)."""
    values = summands(log, items)
    place = np.arange(len(log)) - np.searchsorted(log.viewer, log.viewer)
    clock = Running.of(log.viewer, log.at, np.ones((len(log), 1)))
    until = clock.sums(asked.viewer, 0, asked.known_until)[:, 0].astype(np.int64)  # (M,) a place
    since = np.maximum(until - REMEMBERED, 0)
    own = Running.of(log.viewer, place, values)
    all_sums = own.sums(asked.viewer, since, until)
    theirs = rates_of(all_sums, scale.usual, DRAWN)
    told = [theirs, rates_of(own.sums(asked.viewer, np.maximum(until - LATELY, 0), until), scale.usual, DRAWN)]
    for of_log, of_asked in zip(_pairs(log, items, scale), _pairs(asked, items, scale), strict=True):
        sums = Running.of(of_log, place, values).sums(of_asked, since, until)
        told.append(rates_of(sums, theirs[:, COUNTLESS], DRAWN_PAIR))
    return np.concatenate([*told, _moments(log, clock, asked)], axis=1, dtype=np.float32)


def of_items(log: Log, items: Items, scale: Scale, asked: Asked, *, whole_days: bool = True) -> Floats:
    """Return what everybody did with items, their creators, topics and the like until the day began (M, ·)."""
    values = summands(log, items)
    until = np.minimum(asked.at // DAYS_MS * DAYS_MS if whole_days else asked.at, asked.known_until)
    told = np.empty((len(asked), len(ITEM_NAMES)), np.float32)
    of_log, of_asked = keys_of(log.item, items, scale), keys_of(asked.item, items, scale)
    for place, (theirs, wanted) in enumerate(zip(of_log, of_asked, strict=True)):
        running = Running.of(theirs, log.at, values)
        for turn, since in enumerate((np.zeros_like(until), until - RECENT_DAYS * DAYS_MS)):
            rates = rates_of(running.sums(wanted, since, until), scale.usual, DRAWN)
            start = (2 * place + turn) * len(RATES)
            told[:, start : start + len(RATES)] = rates
    told[:, -2] = items.duration_ms[asked.item] / 1_000
    told[:, -1] = items.topic[asked.item]
    return told


def group_of(name: str) -> str:
    """Return which of GROUPS a feature belongs to."""
    if name in MOMENT:
        return "moment"
    if name in circumstances.NAMES:
        return "context"
    if name.startswith(PREFIX_OF_PAIR):
        return "pair"
    return "viewer" if name.startswith("viewer") else "item"


def silenced(told: Floats, groups: Collection[str]) -> Floats:
    """Return features (M, F) that tell nothing of some of GROUPS: zeros there."""
    kept = np.array([group_of(name) not in groups for name in NAMES], np.float32)
    return told * kept


def age(items: Items, asked: Asked) -> Floats:
    """Return for how many days items have been out (M, 1), −1 unknown."""
    published = items.published_at[asked.item]
    days = np.where(published > 0, np.maximum(asked.at - published, 0) / DAYS_MS, -1)
    return np.asarray(days, np.float32)[:, None]


def asked_now(items: Items, asked: Asked) -> Floats:
    """Return what is told of the question itself (M, ·): how old the item is, and on what it would be watched."""
    return _joined(age(items, asked), circumstances.columns(asked.circumstance))


def _joined(some: Floats, more: Floats) -> Floats:
    return np.concatenate([some, more], axis=1, dtype=np.float32)


def keys_of(item: Longs, items: Items, scale: Scale) -> list[Longs]:
    """Return by what items (M,) are alike: the item itself, creator, topic, bucket of durations; −1 unknown."""
    itself = np.where(item < len(items), item, -1)
    return [itself, items.creator[item], items.topic[item], scale.buckets(items.duration_ms[item])]


def _pairs(of: Log | Asked, items: Items, scale: Scale) -> list[Longs]:
    """Return for every key one number (M,) for a viewer and what an item is by it, −1 where that is unknown."""
    itself, *others = keys_of(of.item, items, scale)
    return [np.where(key < 0, -1, of.viewer * MOST_KEYS + key) for key in (*others, itself)]


def summands(log: Log, items: Items) -> Sums:
    """Return what is summed of every event (N, 8), in the order of VALUES; a length is log(1 + seconds)."""
    duration_s = items.duration_ms[log.item] / 1_000
    timed = ~np.isnan(log.seconds)
    seconds = np.nan_to_num(log.seconds)
    ratio = np.divide(seconds, duration_s, out=np.zeros(len(log)), where=duration_s > 0)
    left = timed & (seconds < LEFT_BEFORE_S)
    long, long_known = np.nan_to_num(log.long_view), ~np.isnan(log.long_view)
    told = log.met, long, long_known, log.liked, timed, ratio.clip(0, 2), np.log1p(seconds), left
    return np.stack(told, axis=1).astype(np.float64)


def rates_of(sums: Sums, usual: Usual, drawn: float) -> Sums:
    """Return counts and rates (..., 7), in the order of RATES, of sums (..., 8)."""
    met, long, long_known, liked, timed, ratio, length, left = np.moveaxis(sums, -1, 0)
    of_long, of_liked, of_ratio, of_length, of_left = np.moveaxis(usual, -1, 0)
    return np.stack(
        [
            np.log1p(met),
            (long + drawn * of_long) / (long_known + drawn),
            (liked + drawn * of_liked) / (met + drawn),
            np.log1p(timed),
            (ratio + drawn * of_ratio) / (timed + drawn),
            (length + drawn * of_length) / (timed + drawn),
            (left + drawn * of_left) / (timed + drawn),
        ],
        axis=-1,
    )


def _moments(log: Log, clock: Running, asked: Asked) -> Floats:
    """Return the hour and the weekday, how long nothing has happened (minutes, log) and how much did lately (M, 6)."""
    hours = asked.at // 3_600_000
    until = asked.known_until
    before = np.searchsorted(log.viewer, asked.viewer) + clock.sums(asked.viewer, 0, until)[:, 0].astype(np.int64) - 1
    last = log.at[np.maximum(before, 0)] if len(log) else np.zeros(len(asked))
    theirs = (before >= 0) & (log.viewer[np.maximum(before, 0)] == asked.viewer) if len(log) else np.zeros(len(asked))
    pause = np.where(theirs, np.log1p(np.maximum(asked.at - last, 0) / 60_000), -1)
    counts = [clock.sums(asked.viewer, asked.at - stretch, until)[:, 0].clip(max=REMEMBERED) for stretch in STRETCHES]
    return np.stack([hours % 24, hours // 24 % 7, pause, *np.log1p(counts)], axis=1).astype(np.float32)
