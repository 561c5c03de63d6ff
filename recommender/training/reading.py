"""What everybody in a tenant did, as models learn from it."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from catalog.queries import Kind, interactions_between, told_of_items
from recommender.ml.arrays import Longs
from recommender.ml.attributes import Attributes, gather_attributes
from recommender.ml.interactions import Interactions, gather
from recommender.ml.signals import Events, rating, signals, wanted
from recommender.serving.taste import CODES, events

SAID = np.array([CODES[kind.name.lower()] for kind in Kind], np.int8)  # from the catalogue's kinds to ours
COLUMNS: Mapping[str, type[np.generic]] = {
    "viewers": np.int64,
    "items": np.int64,
    "at": np.int64,
    "weight": np.float32,
    "positive": np.bool_,
    "watched": np.float32,
    "watch_ms": np.int32,
}
RECIPE = "1"  # of ratings and candidates: another one makes the same data worth learning again


def everything(*, until: datetime) -> Interactions:
    """Return what was done in the scope's tenant before `until`, streamed from the database block by block."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    for block in interactions_between(None, until):
        said = as_events(block)
        columns["viewers"].append(said.viewer)
        columns["items"].append(said.item)
        columns["at"].append(said.at)
        columns["weight"].append(rating(signals(said)))
        columns["positive"].append(wanted(said))
        columns["watched"].append(said.watched)
        columns["watch_ms"].append(said.watch_ms)
    gathered = gather(
        **{name: np.concatenate(blocks or [np.zeros(0, COLUMNS[name])]) for name, blocks in columns.items()}
    )
    return replace(gathered, attributes=attributes(gathered.item_ids))


def as_events(block: Any) -> Events:
    """Return an array of the catalogue's INTERACTION (N,) as events."""
    known = (block["kind"] == Kind.WATCH) & (block["duration_ms"] > 0)
    return events(
        viewer=block["viewer"],
        item=block["item"],
        at=block["at"].astype("<M8[ms]").astype(np.int64),
        said=SAID[block["kind"]],
        watch_ms=np.where(known, block["watch_ms"], -1).astype(np.int32),
        watched=np.divide(block["watch_ms"], block["duration_ms"], out=_unknown(len(block)), where=known),
    )


def attributes(item_ids: Longs) -> Attributes:
    """Return what the scope's catalogue tells of these items (V,)."""
    told = list(told_of_items())
    return gather_attributes(
        item=np.array([of.item for of in told], np.int64),
        creator=np.array([of.creator for of in told], np.int64),
        tags=[of.tags for of in told],
        duration_ms=np.array([of.duration_ms for of in told], np.int64),
        published_at=np.array([of.published_at for of in told], np.int64),
        title=[of.title for of in told],
        item_ids=item_ids,
    )


def fingerprint(data: Interactions) -> str:
    """Return the same 64 characters for the same events and recipe, in whatever order they were read."""
    order = np.lexsort((data.weight, data.item, data.at, data.viewer))
    digest = hashlib.sha256(RECIPE.encode())
    for column in (
        data.viewer_ids,
        data.item_ids,
        *(of[order] for of in (data.viewer, data.item, data.at, data.weight)),
    ):
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


def _unknown(length: int) -> np.ndarray:
    return np.full(length, np.nan, np.float32)
