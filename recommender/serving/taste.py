"""What a viewer did, in the words of the models: the same ratings as in training, so that the two never differ."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import Interactions, gather
from recommender.ml.signals import KINDS, WEIGHTS, Events, rating, signals, wanted

# What is said of an item here → the kind of event that training knows.
MEANS: Mapping[str, str] = MappingProxyType(
    {
        "watch": "watch",
        "like": "like",
        "save": "like",
        "share": "share",
        "not_interested": "dislike",
    }
)
CODES: Mapping[str, int] = MappingProxyType({said: KINDS.index(kind) for said, kind in MEANS.items()})


def events(
    *,
    viewer: Longs,
    item: Longs,
    at: Longs,
    said: Longs,
    watched: Floats,
    watch_ms: Ints | None = None,
    circumstance: NDArray[np.int8] | None = None,
) -> Events:
    """Return columns (N,) as events; `said` holds values of CODES, `watched` the share, NaN where there is none."""
    unknown = np.full(len(item), np.nan, np.float32)
    watch_ms = np.full(len(item), -1, np.int32) if watch_ms is None else watch_ms
    return Events(
        viewer=viewer,
        item=item,
        at=at,
        kind=said.astype(np.int8),
        watched=watched,
        long_view=unknown,
        watch_ms=watch_ms,
        circumstance=circumstance,
    )


def history(
    *,
    items: Longs,
    at: Longs,
    said: Longs,
    watched: Floats,
    asked_at: int | None = None,
    weights: Mapping[str, float] = WEIGHTS,
) -> Interactions:
    """Return what one viewer did (n,), in any order and at times in milliseconds, as models read it: viewer 0.

    `asked_at` is the moment of the request (milliseconds), which models that know time make use of. The weights are
    those that the models were learned by.
    """
    nobody_else = np.zeros(len(items), np.int64)
    told = events(viewer=nobody_else, item=items, at=at, said=said, watched=watched)
    done = gather(
        viewers=nobody_else,
        items=items,
        at=at,
        weight=rating(signals(told), weights=weights),
        positive=wanted(told),
        watched=watched,
    )
    return done if asked_at is None else replace(done, asked_at=np.full(done.shape[0], asked_at, np.int64))
