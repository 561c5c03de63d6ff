"""Read a folder of real interactions: `interactions.parquet` and, if it is there, `items.parquet`.

`interactions.parquet` has a row per event: `viewer`, `item`, `at` (milliseconds since the epoch) and `kind`;
a watch may carry `watch_ms`, `duration_ms`, `long_view` and the flags of `signals.FLAGS`. `items.parquet`
names in `item` the items that exist, and may tell their `creator`, `tags` (comma-separated), `title`, `duration_ms`
and `published_on`.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommender.ml.arrays import Floats, Longs
from recommender.ml.attributes import Attributes, gather_attributes
from recommender.ml.interactions import BrokenData, Interactions, gather
from recommender.ml.popularity import DAY_MS
from recommender.ml.signals import FLAGS, KINDS, WEIGHTS, Events, rating, signals, wanted

INTERACTIONS = "interactions.parquet"
ITEMS = "items.parquet"
REQUIRED = ("viewer", "item", "at", "kind")
MILLISECONDS = ("watch_ms", "duration_ms")
BOOLEANS = ("long_view", *FLAGS)
ATTRIBUTES = ("creator", "tags", "title", "duration_ms", "published_on")


def read_folder(folder: Path, *, weights: Mapping[str, float] = WEIGHTS) -> Interactions:
    """Return the interactions of a folder, rated by `weights`. Raises BrokenData."""
    events = read_events(folder)
    gathered = gather(
        viewers=events.viewer,
        items=events.item,
        at=events.at,
        weight=rating(signals(events), weights=weights),
        positive=wanted(events),
        watched=events.watched,
        watch_ms=events.watch_ms,
        known_items=_known_items(folder),
    )
    return replace(gathered, attributes=_attributes(folder, gathered.item_ids))


def read_events(folder: Path) -> Events:
    """Return the events of a folder as they are written. Raises BrokenData."""
    if not folder.is_dir():
        raise BrokenData("folder_missing", f"There is no folder {folder}.")
    table = _table(folder / INTERACTIONS, required=REQUIRED, optional=(*MILLISECONDS, *BOOLEANS))
    if not table.num_rows:
        raise BrokenData("no_events", f"{INTERACTIONS} of {folder} holds no event.")
    return Events(
        viewer=_longs(table, "viewer"),
        item=_longs(table, "item"),
        at=_longs(table, "at"),
        kind=_kinds(table),
        watched=_watched(table),
        watch_ms=np.nan_to_num(_optional(table, "watch_ms"), nan=-1).astype(np.int32),
        long_view=_optional(table, "long_view"),
        flags={flag: _optional(table, flag) == 1 for flag in FLAGS},
    )


def _known_items(folder: Path) -> Longs | None:
    path = folder / ITEMS
    return _longs(_table(path, required=("item",)), "item") if path.exists() else None


def _attributes(folder: Path, item_ids: Longs) -> Attributes | None:
    path = folder / ITEMS
    if not path.exists():
        return None
    table = _table(path, required=("item",), optional=ATTRIBUTES)
    days = _numbers(table, "published_on", unknown=0)
    return gather_attributes(
        item=_longs(table, "item"),
        creator=_numbers(table, "creator", unknown=-1),
        tags=[[tag.strip() for tag in text.split(",") if tag.strip()] for text in _texts(table, "tags")],
        duration_ms=_numbers(table, "duration_ms", unknown=0),
        published_at=days * DAY_MS,
        title=_texts(table, "title"),
        item_ids=item_ids,
    )


def _numbers(table: pa.Table, name: str, *, unknown: int) -> Longs:
    """Return a column (n,) of numbers, or of dates as days since the epoch."""
    if name not in table.column_names:
        return np.full(table.num_rows, unknown, np.int64)
    column = table[name]
    if not (pa.types.is_integer(column.type) or pa.types.is_date32(column.type)):
        raise BrokenData("column_type", f"{name} must not hold {column.type}.")
    number = column.cast(pa.int32()) if pa.types.is_date32(column.type) else column
    told = [unknown if value is None else value for value in number.cast(pa.int64()).to_pylist()]
    return np.array(told, np.int64)


def _texts(table: pa.Table, name: str) -> list[str]:
    if name not in table.column_names:
        return [""] * table.num_rows
    if not (pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type)):
        raise BrokenData("column_type", f"{name} must hold text, not {table[name].type}.")
    return [text or "" for text in table[name].to_pylist()]


def _table(path: Path, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> pa.Table:
    if not path.is_file():
        raise BrokenData("file_missing", f"There is no file {path}.")
    try:
        with pq.ParquetFile(path) as file:
            present = set(file.schema_arrow.names)
            if missing := [name for name in required if name not in present]:
                raise BrokenData("column_missing", f"{path} lacks {', '.join(missing)}.")
            return file.read(columns=[name for name in (*required, *optional) if name in present])
    except (pa.ArrowException, OSError) as error:
        raise BrokenData("file_unreadable", f"{path} is not a readable Parquet file: {error}") from error


def _longs(table: pa.Table, name: str) -> Longs:
    column = table[name]
    if not pa.types.is_integer(column.type):
        raise BrokenData("column_type", f"{name} must hold integers, not {column.type}.")
    if column.null_count:
        raise BrokenData("column_null", f"{name} must not be empty in any row.")
    return column.cast(pa.int64()).to_numpy()


def _kinds(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    column = table["kind"]
    text = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(text) or pa.types.is_large_string(text)):
        raise BrokenData("column_type", f"kind must hold text, not {column.type}.")
    places = pc.index_in(column.cast(pa.string()), value_set=pa.array(KINDS))
    if places.null_count:
        unknown = pc.unique(column.cast(pa.string()).filter(pc.is_null(places)))[0]
        raise BrokenData("kind_unknown", f"{unknown} is none of {', '.join(KINDS)}.")
    return places.to_numpy().astype(np.int8)


def _optional(table: pa.Table, name: str) -> Floats:
    """Return a column (N,) as numbers, NaN where it or the column is missing."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan, np.float32)
    column = table[name]
    right = pa.types.is_boolean(column.type) if name in BOOLEANS else pa.types.is_integer(column.type)
    if not right:
        raise BrokenData("column_type", f"{name} must not hold {column.type}.")
    return column.cast(pa.float32(), safe=False).to_numpy()


def _watched(table: pa.Table) -> Floats:
    """Return the share watched (N,); all of an item whose length is 0, NaN where either number is unknown."""
    watch, duration = (_optional(table, name) for name in MILLISECONDS)
    whole = np.where(np.isnan(watch) | np.isnan(duration), np.nan, 1).astype(np.float32)
    return np.divide(watch, duration, out=whole, where=duration > 0)
