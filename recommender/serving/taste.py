"""From what a viewer did to their vector: the same ratings as in training, so that the two never differ."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from recommender.ml.arrays import Floats, Ints, Longs, common
from recommender.ml.factors import Factors
from recommender.ml.signals import KINDS, Events, rating, signals

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
    *, viewer: Longs, item: Longs, at: Longs, said: Longs, watched: Floats, watch_ms: Ints | None = None
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
    )


def vector(model: Factors, *, items: Longs, said: Longs, watched: Floats) -> Floats | None:
    """Return the viewer's vector (D,) from their history (n,); None when the model knows none of it."""
    none = np.zeros(len(items), np.int64)
    weights = rating(signals(events(viewer=none, item=items, at=none, said=said, watched=watched)))
    ids, cell = np.unique(items, return_inverse=True)
    codes, known = common(model.item_ids, ids)
    if not len(codes):
        return None
    return model.fold_in(codes.astype(np.int32), np.bincount(cell, weights).astype(np.float32)[known])
