"""What is in the catalogue, and what some viewers did, as portraits are drawn from it."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from catalog.models import Item
from catalog.queries import granted_to, interactions_of
from kpplatform.tenancy.scope import current_tenant
from recommender.ml.arrays import Ints, Longs
from recommender.ml.portraits.block import Block, Chosen, order
from recommender.ml.portraits.interests import Contents, describe
from recommender.ml.signals import KINDS, rating, signals
from recommender.queries import chosen_by, ratings
from recommender.training.forgetting import Forgotten
from recommender.training.reading import as_events

LIKED = [KINDS.index(kind) for kind in ("like", "share")]
COLUMNS: Mapping[str, type[np.generic]] = {
    "viewers": np.int64,
    "items": np.int64,
    "at": np.int64,
    "rating": np.float32,
    "watched": np.float32,
    "liked": np.bool_,
    "bought": np.bool_,
}


def contents() -> tuple[Contents, Longs]:
    """Return the scope's items on their dimensions, and each item's creator (V,)."""
    rows = Item.objects.order_by("pk").values_list("pk", "creator_id", "topic__slug", "tags")
    found = list(rows.iterator(chunk_size=5_000))
    ids, creators, topics, tags = zip(*found, strict=True) if found else ((),) * 4
    return describe(np.array(ids, np.int64), topics, tags), np.array(creators, np.int64)


def block(viewer_ids: Longs, *, until: datetime, known: Contents) -> Block:
    """Return what these viewers (U,), sorted, did before `until`: watched, reacted to, bought."""
    columns: dict[str, list[np.ndarray]] = {name: [np.zeros(0, kind)] for name, kind in COLUMNS.items()}
    weights = ratings().weights
    for read in interactions_of(viewer_ids.tolist(), until):
        said = as_events(read)
        _add(columns, viewers=said.viewer, items=said.item, at=said.at, rating=rating(signals(said), weights=weights),
             watched=said.watched, liked=np.isin(said.kind, LIKED), bought=np.zeros(len(read), np.bool_))  # fmt: skip
    _add(columns, **_bought(viewer_ids, until, weights["purchase"]))
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    kept = Forgotten.read().spares(joined["viewers"], joined["at"])
    joined = {name: column[kept] for name, column in joined.items()}
    item = places(known.item_ids, joined.pop("items"))
    return order(viewer_ids=viewer_ids, item=item, chosen=_chosen(viewer_ids, known), **joined)


def _chosen(viewer_ids: Longs, known: Contents) -> Chosen:
    """Return what these viewers (U,), sorted, want and do not want, of what is known."""
    dimension = {name: place for place, name in enumerate(known.names)}
    told = [row for row in chosen_by(viewer_ids.tolist()) if row[1] in dimension]
    return Chosen(
        viewer=np.searchsorted(viewer_ids, np.array([viewer for viewer, _, _ in told], np.int64)).astype(np.int32),
        dimension=np.array([dimension[name] for _, name, _ in told], np.int32),
        is_wanted=np.array([is_wanted for _, _, is_wanted in told], np.bool_),
    )


def places(known: Longs, ids: Longs) -> Ints:
    """Return where ids (N,) stand among sorted known ones, −1 for those that are not there."""
    if not len(known):
        return np.full(len(ids), -1, np.int32)
    found = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.where(known[found] == ids, found, -1).astype(np.int32)


def local_offset_ms(at: datetime) -> int:
    """Return how far the clocks of the scope's tenant are ahead of UTC at that moment."""
    ahead = at.astimezone(ZoneInfo(current_tenant().time_zone)).utcoffset()
    return int(ahead.total_seconds() * 1000) if ahead else 0


def _bought(viewer_ids: Longs, until: datetime, weight: float) -> dict[str, np.ndarray]:
    rows = granted_to(viewer_ids.tolist(), until=until)
    return {
        "viewers": np.array([viewer for viewer, _, _ in rows], np.int64),
        "items": np.array([item for _, item, _ in rows], np.int64),
        "at": np.array([since.timestamp() * 1000 for _, _, since in rows]).astype(np.int64),
        "rating": np.full(len(rows), weight, np.float32),
        "watched": np.full(len(rows), np.nan, np.float32),
        "liked": np.zeros(len(rows), np.bool_),
        "bought": np.ones(len(rows), np.bool_),
    }


def _add(columns: dict[str, list[np.ndarray]], **more: np.ndarray) -> None:
    for name, column in more.items():
        columns[name].append(column)
