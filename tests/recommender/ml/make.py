"""Small worlds whose truth is known."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recommender.ml.interactions import Interactions, gather

REAL_DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
NOON = 1_777_636_800_000
HOUR = 3_600_000

Row = tuple[int, int, float]  # viewer, item, weight; an hour passes between rows


def interactions(*rows: Row, known_items: list[int] | None = None) -> Interactions:
    """Return events an hour apart in the order given; a positive weight is a positive."""
    viewers, items, weights = (np.array(column) for column in zip(*rows, strict=True))
    return gather(
        viewers=viewers.astype(np.int64),
        items=items.astype(np.int64),
        at=NOON + HOUR * np.arange(len(rows), dtype=np.int64),
        weight=weights.astype(np.float32),
        positive=weights > 0,
        known_items=None if known_items is None else np.array(known_items, np.int64),
    )


def two_tastes(*, viewers: int = 40, items: int = 20) -> tuple[Interactions, dict[int, int]]:
    """Return a world where even viewers watch even items and odd ones odd, and what each has left to watch.

    Every viewer has watched all items of their taste except one, which differs from viewer to viewer.
    """
    rows: list[Row] = []
    left: dict[int, int] = {}
    for viewer in range(viewers):
        mine = [item for item in range(items) if item % 2 == viewer % 2]
        left[viewer] = mine[(viewer // 2) % len(mine)]
        rows += [(viewer, item, 1.0) for item in mine if item != left[viewer]]
    return interactions(*rows), left


def folder(path: Path, **columns: object) -> Path:
    """Write a folder of one viewer's two watches, with some columns replaced, added or (None) left out."""
    wanted = {"viewer": [1, 1], "item": [10, 11], "at": [NOON, NOON + HOUR], "kind": ["watch", "watch"], **columns}
    table = {name: values for name, values in wanted.items() if values is not None}
    pq.write_table(pa.table(table), path / "interactions.parquet")
    return path
