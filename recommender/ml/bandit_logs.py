"""Read logs of policies whose chances were written down, and judge each by what the others showed.

A folder holds a Parquet file per log, named for its policy (`random_all.parquet`: random): a row per showing with
`item_id` and `position`, `click` (what came of it), `propensity_score`, and any columns `user_feature_…` of the viewer.
That is the format of "Open Bandit Dataset and Pipeline" (Saito et al., 2021). Shapes: N showings, A items, P positions,
F features.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_array, hstack

from recommender.ml.arrays import Ints, Longs, Matrix
from recommender.ml.interactions import BrokenData
from recommender.ml.metrics import Scores
from recommender.ml.off_policy import Log, as_logged, value

REQUIRED = ("item_id", "position", "click", "propensity_score")
FEATURE = "user_feature_"


@dataclass(frozen=True)
class Showings:
    """The columns of one log."""

    item: Longs  # (N,) ids
    position: Longs  # (N,)
    click: Scores  # (N,)
    propensity: Scores  # (N,) NaN where it is not told
    features: tuple[Ints, ...]  # of the viewer, each (N,) codes


def judge_logs(folder: Path, *, most: float | None = None, seed: int | None = None) -> Iterator[dict[str, Any]]:
    """Yield for every two logs of a folder what the one tells of the other's policy, beside what that earned.

    Raises BrokenData.
    """
    logs = {path.stem.split("_")[0]: read_showings(path) for path in sorted(folder.glob("*.parquet"))}
    if len(logs) < 2:
        raise BrokenData("logs_too_few", f"{folder} holds {len(logs)} logs (*.parquet); two are compared at least.")
    items = np.unique(np.concatenate([log.item for log in logs.values()]))
    positions = np.unique(np.concatenate([log.position for log in logs.values()]))
    for logged, target in ((one, other) for one in logs for other in logs if one != other):
        log = as_log(logs[logged], items)
        chances = followed(logs[target], items, positions)  # (P, A)
        place = np.searchsorted(positions, logs[logged].position)  # (N,)
        policy = csr_array(chances.astype(np.float32)[place])  # (N, A)
        told = asdict(value(log, policy, most=most, seed=seed))
        earned = asdict(as_logged(as_log(logs[target], items)))
        yield {"logged": logged, "policy": target, "on_policy": earned, **told.pop("estimates"), **told}


def read_showings(path: Path) -> Showings:
    """Return the log of a file. Raises BrokenData."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise BrokenData("file_unreadable", f"{path} is not a readable Parquet file: {error}") from error
    if missing := [name for name in REQUIRED if name not in table.column_names]:
        raise BrokenData("column_missing", f"{path} lacks {', '.join(missing)}.")
    features = [name for name in sorted(table.column_names) if name.startswith(FEATURE)]
    try:
        return Showings(
            item=_column(table, "item_id", pa.int64()).astype(np.int64),
            position=_column(table, "position", pa.int64()).astype(np.int64),
            click=_column(table, "click", pa.float64()),
            propensity=_column(table, "propensity_score", pa.float64()),
            features=tuple(_codes(table, name) for name in features),
        )
    except (pa.ArrowException, ValueError) as error:
        raise BrokenData("column_type", f"{path} holds what is no number: {error}") from error


def as_log(shown: Showings, items: Longs) -> Log:
    """Return the showings with codes into the sorted ids `items` (A,), the place and the viewer as context.

    Viewers are not told apart beyond their features, so every showing stands for itself.
    """
    rows = np.arange(len(shown.item))
    parts = [_one_hot(shown.position), *map(_one_hot, shown.features)]
    context: Matrix = csr_array(hstack(parts, format="csr"))
    codes = np.searchsorted(items, shown.item).astype(np.int32)
    return Log(codes, shown.click, shown.propensity, context, unit=rows.astype(np.int32))


def followed(shown: Showings, items: Longs, positions: Longs) -> Scores:
    """Return the policy that a log followed in the mean of its time (P, A): each item's chance at each position.

    Where an item's chance at a position never changed, for every one of the log, it is what was written down; else how
    often the item stood there among all showings of that position.
    """
    cell = np.searchsorted(positions, shown.position) * len(items) + np.searchsorted(items, shown.item)
    size = len(positions) * len(items)
    often = np.bincount(cell, minlength=size)
    told = np.bincount(cell, shown.propensity, size) / np.maximum(often, 1)
    if np.allclose(shown.propensity, told[cell], rtol=1e-9):
        return np.asarray(told.reshape(len(positions), -1))
    table = often.reshape(len(positions), -1)
    return np.asarray(table / np.maximum(table.sum(1, keepdims=True), 1))


def _one_hot(column: Ints | Longs) -> Matrix:
    """Return a column (N,) as features (N, values)."""
    values, codes = np.unique(column, return_inverse=True)
    cells = np.arange(len(column)), codes.astype(np.int64)
    matrix: Matrix = csr_array((np.ones(len(column), np.float32), cells), shape=(len(column), len(values)))
    return matrix


def _column(table: pa.Table, name: str, kind: pa.DataType) -> Scores:
    column = table[name].cast(kind)
    if name != "propensity_score" and column.null_count:
        raise BrokenData("column_null", f"{name} must not be empty in any row.")
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)  # what is empty becomes NaN


def _codes(table: pa.Table, name: str) -> Ints:
    column = table[name].combine_chunks().dictionary_encode(null_encoding="encode")
    return np.asarray(column.indices.to_numpy(), np.int32)
