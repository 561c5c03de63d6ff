"""What everybody in a tenant did, as models learn from it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any

import numpy as np

from catalog.queries import Kind, interactions_between, told_of_items
from kpplatform.tenancy.places import tenant_folder
from recommender import queries
from recommender.ml.arrays import Longs
from recommender.ml.attributes import Attributes, gather_attributes
from recommender.ml.interactions import Interactions, gather
from recommender.ml.ranker.circumstances import code
from recommender.ml.signals import WEIGHTS, Events, rating, signals, wanted
from recommender.queries.ratings import Ratings
from recommender.serving.taste import CODES, events
from recommender.training.forgetting import Forgotten
from recommender.training.snapshots import Columns, Snapshot, write

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


def read(*, until: datetime, in_full: bool, ratings: Ratings | None = None) -> tuple[Interactions, Snapshot]:
    """Return what was done in the scope's tenant before `until`, and the snapshot on disk that holds it.

    Unless it is read in full, only what is new or not yet settled comes from the database (see `snapshots`). A
    training that is taken up again finds the snapshot it had begun with, and learns from exactly that. Events are rated
    as the tenant says now, unless that was asked for before; by another mapping everything is read anew.
    """
    weights = (ratings or queries.ratings()).weights
    recipe = recipe_of(weights)
    place = tenant_folder("training")
    known = Snapshot.newest(place)
    if known and known.until == until and known.recipe == recipe:
        return _gathered(known), known
    if in_full or known is None or not known.serves(until=until, recipe=recipe):
        rows: Iterable[Columns] = blocks(since=None, until=until, weights=weights)
        in_full_at = until
    else:
        new = blocks(since=known.settled_until, until=until, weights=weights)
        rows, in_full_at = chain(known.settled(COLUMNS), new), known.in_full_at
    written = write(place, rows, kinds=COLUMNS, until=until, in_full_at=in_full_at, recipe=recipe)
    return _gathered(written), written


def everything(*, until: datetime) -> Interactions:
    """Return what was done in the scope's tenant before `until`, straight from the database."""
    read = list(blocks(since=None, until=until, weights=queries.ratings().weights))
    return _in_order(
        {name: np.concatenate([block[name] for block in read] or [np.zeros(0, kind)]) for name, kind in COLUMNS.items()}
    )


def recipe_of(weights: Mapping[str, float]) -> str:
    """Return what the columns mean, in a word: another one for other weights."""
    told = json.dumps(dict(weights), sort_keys=True).encode()
    return RECIPE if weights == WEIGHTS else f"{RECIPE}-{hashlib.sha256(told).hexdigest()}"


def blocks(*, since: datetime | None, until: datetime, weights: Mapping[str, float] = WEIGHTS) -> Iterator[Columns]:
    """Yield what was done in the scope's tenant in [since, until) as columns, streamed from the database."""
    for block in interactions_between(since, until):
        said = as_events(block)
        yield {
            "viewers": said.viewer,
            "items": said.item,
            "at": said.at,
            "weight": rating(signals(said), weights=weights),
            "positive": wanted(said),
            "watched": said.watched,
            "watch_ms": said.watch_ms,
        }


def _gathered(snapshot: Snapshot) -> Interactions:
    return _in_order(snapshot.columns(COLUMNS))


def _in_order(columns: Columns) -> Interactions:
    kept = Forgotten.read().spares(columns["viewers"], columns["at"])
    gathered = gather(**{name: column[kept] for name, column in columns.items()})
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
        circumstance=code(block["device"], block["network"]).astype(np.int8),
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
