"""What everybody in a tenant did, as models learn from it."""

import hashlib
from datetime import datetime

import numpy as np

from catalog.queries import Kind, interactions_between
from recommender.ml.interactions import Interactions, gather
from recommender.ml.signals import rating, signals, wanted
from recommender.serving.taste import CODES, events

SAID = np.array([CODES[kind.name.lower()] for kind in Kind], np.int8)  # from the catalogue's kinds to ours
COLUMNS = ("viewers", "items", "at", "weight", "positive")
RECIPE = "1"  # of ratings and candidates: another one makes the same data worth learning again


def everything(*, until: datetime) -> Interactions:
    """Return what was done in the scope's tenant before `until`, streamed from the database block by block."""
    columns: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    for block in interactions_between(None, until):
        known = (block["kind"] == Kind.WATCH) & (block["duration_ms"] > 0)
        said = events(
            viewer=block["viewer"],
            item=block["item"],
            at=block["at"].astype("<M8[ms]").astype(np.int64),
            said=SAID[block["kind"]],
            watched=np.divide(block["watch_ms"], block["duration_ms"], out=_unknown(len(block)), where=known),
        )
        columns["viewers"].append(said.viewer)
        columns["items"].append(said.item)
        columns["at"].append(said.at)
        columns["weight"].append(rating(signals(said)))
        columns["positive"].append(wanted(said))
    return gather(**{name: np.concatenate(blocks or [_nothing(name)]) for name, blocks in columns.items()})


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


def _nothing(name: str) -> np.ndarray:
    return np.zeros(0, {"weight": np.float32, "positive": np.bool_}.get(name, np.int64))
