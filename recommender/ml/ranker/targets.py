"""What a ranker foretells of a view, and what really came of it. Shapes: M questions, B buckets of durations.

Watch time is foretold as quantiles of the seconds (CQE, arXiv 2407.12223, section 3.1), whose median has the least
absolute error; as its place among all views, for putting views in order; and as its place among views of items of
about the same duration, which takes away that longer items are watched longer (D2Q, arXiv 2206.06003, section 3.2).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.ml.arrays import Flags, Floats, Longs
from recommender.ml.ranker.facts import Asked, Items, Log
from recommender.ml.ranker.running import Running

HEADS = ("long_view", "seconds_25", "seconds", "seconds_75", "order", "within", "like", "follow", "purchase")
CHANCES = ("long_view", "like", "follow", "purchase")  # foretold as the chance of a yes
QUANTILES = {"seconds_25": 0.25, "seconds": 0.5, "seconds_75": 0.75}
PLACES = ("order", "within")  # between 0 and 1
SOON_MS = 86_400_000  # a reaction belongs to a view when it came within so long
FEWEST_OF_BUCKET = 50  # views, before a place among them says something


@dataclass(frozen=True)
class Places:
    """Seconds of views, sorted, of each bucket (B,) and of all views: where a view stands among them."""

    of_all: Floats
    of_bucket: tuple[Floats, ...]

    @classmethod
    def of(cls, seconds: Floats, bucket: Longs, *, buckets: int) -> Self:
        known = ~np.isnan(seconds)
        of_bucket = tuple(np.sort(seconds[known & (bucket == place)]) for place in range(buckets))
        return cls(np.sort(seconds[known]), of_bucket)

    def order(self, seconds: Floats) -> Floats:
        """Return the share of all views that were shorter, half of those as long (M,)."""
        return _place(self.of_all, seconds)

    def within(self, seconds: Floats, bucket: Longs) -> Floats:
        """Return the same among the views of the bucket (M,), NaN where these are few."""
        told = np.full(len(seconds), np.nan, np.float32)
        for number, views in enumerate(self.of_bucket):
            if len(views) >= FEWEST_OF_BUCKET:
                told[bucket == number] = _place(views, seconds[bucket == number])
        return told


def _place(views: Floats, seconds: Floats) -> Floats:
    if not len(views):
        return np.full(len(seconds), np.nan, np.float32)
    shares = (np.searchsorted(views, seconds) + np.searchsorted(views, seconds, side="right")) / (2 * len(views))
    return np.where(np.isnan(seconds), np.nan, shares).astype(np.float32)


@dataclass(frozen=True)
class Answers:
    """What came of questions: columns (M,), NaN where it is unknown."""

    long_view: Floats
    seconds: Floats
    like: Floats
    follow: Floats
    purchase: Floats

    def __len__(self) -> int:
        return len(self.seconds)


def answers(log: Log, also: Log, items: Items, asked: Asked, rows: Longs) -> Answers:
    """Return what came of questions: rows (M,) of the log, −1 where the item was shown and not watched.

    `also` is what was done beside it. A like and a purchase are of the item, a follow is of its creator.
    """
    watched = rows >= 0
    own = np.arange(len(items) + 1)
    return Answers(
        long_view=_told(log.long_view, rows, watched),
        seconds=_told(log.seconds, rows, watched),
        like=_came(log, log.liked, own, asked),
        follow=np.maximum(*(_came(of, of.followed, items.creator, asked) for of in (log, also))),
        purchase=np.maximum(*(_came(of, of.bought, own, asked) for of in (log, also))),
    )


def _came(log: Log, what: Floats, key: Longs, asked: Asked) -> Floats:
    """Return whether the viewer soon did so with the item or one of the same key (V + 1,): 1 or 0 (M,)."""
    done = log.where(what > 0)
    kinds = int(key.max(initial=0)) + 1
    running = Running.of(done.viewer * kinds + key[done.item], done.at, np.ones((len(done), 1)))
    soon = running.sums(asked.viewer * kinds + key[asked.item], asked.at, asked.at + SOON_MS)[:, 0]
    return ((soon > 0) & (key[asked.item] >= 0)).astype(np.float32)


def _told(column: Floats, rows: Longs, watched: Flags) -> Floats:
    told = np.zeros(len(rows), np.float32)
    told[watched] = column[rows[watched]]
    return told


def labels(answers: Answers, bucket: Longs, places: Places) -> dict[str, Floats]:
    """Return for each head what it should have said (M,), NaN where that is unknown."""
    chances = {head: getattr(answers, head) for head in CHANCES}
    seconds = dict.fromkeys(QUANTILES, answers.seconds)
    order, within = places.order(answers.seconds), places.within(answers.seconds, bucket)
    told = {**chances, **seconds, "order": order, "within": within}
    return {head: told[head] for head in HEADS}
