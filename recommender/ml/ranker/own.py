"""What one viewer did of late, told for some hundred items at one moment: what a request asks.

The same numbers as `features.of_viewers`, which sorts the events of many viewers for a million questions; few events
are compared with every item more quickly. Shapes: T events, M questions.
"""

import numpy as np

from recommender.ml.arrays import Floats
from recommender.ml.ranker.facts import Asked, Items, Log
from recommender.ml.ranker.features import (
    COUNTLESS,
    DRAWN,
    DRAWN_PAIR,
    LATELY,
    MOMENT,
    RATES,
    REMEMBERED,
    STRETCHES,
    Scale,
    asked_now,
    keys_of,
    rates_of,
    summands,
)


def features_by(table: Floats, log: Log, items: Items, scale: Scale, asked: Asked) -> Floats:
    """Return the features (M, F) of questions of one viewer at one moment, by the viewer's own log alone.

    What is told of items stands in a table (V + 1, ·).
    """
    return np.concatenate([of_viewer(log, items, scale, asked), table[asked.item], asked_now(items, asked)], axis=1)


def of_viewer(log: Log, items: Items, scale: Scale, asked: Asked) -> Floats:
    """Return what the viewer whose log this is did of late, with such items and when (M, ·), at one moment."""
    at, until = int(asked.at[0]), int(asked.known_until[0])
    done = log.where(np.arange(np.searchsorted(log.at, until)))
    of_late = done.where(np.arange(len(done))[-REMEMBERED:])
    sums = summands(of_late, items)  # (T, 8)
    whole = rates_of(sums.sum(axis=0), scale.usual, DRAWN)
    lately = rates_of(sums[-LATELY:].sum(axis=0), scale.usual, DRAWN)
    theirs, wanted = (np.stack(keys_of(of.item, items, scale)) for of in (of_late, asked))  # (4, T), (4, M)
    alike = (wanted[:, :, None] == theirs[:, None, :]) & (wanted >= 0)[:, :, None]  # (4, M, T)
    pairs = rates_of(alike.astype(np.float64) @ sums, whole[COUNTLESS], DRAWN_PAIR)  # (4, M, 7)
    told = np.empty((len(asked), 6 * len(RATES) + len(MOMENT)), np.float32)
    itself_last, own, moment = np.roll(pairs, -1, axis=0), 2 * len(RATES), 6 * len(RATES)
    told[:, :own] = np.concatenate([whole, lately])
    told[:, own:moment] = np.moveaxis(itself_last, 0, 1).reshape(len(asked), -1)
    told[:, moment:] = _moment(done, at)
    return told


def _moment(done: Log, at: int) -> Floats:
    """Return the moment as in MOMENT."""
    hours = at // 3_600_000
    pause = np.log1p(max(at - int(done.at[-1]), 0) / 60_000) if len(done) else -1
    since = len(done) - np.searchsorted(done.at, [at - stretch for stretch in STRETCHES])
    return np.array([hours % 24, hours // 24 % 7, pause, *np.log1p(since.clip(max=REMEMBERED))])
