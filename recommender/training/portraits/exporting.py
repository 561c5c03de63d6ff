"""P (U, D) and F (V, D) as files whose columns have names: p · f can be read there.

The viewers of P are numbered as members of the tenant; the items of F as items.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kpplatform.jobs.running import report
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender import queries
from recommender.ml.arrays import Floats, Longs
from recommender.ml.portraits.interests import Contents, decay
from recommender.ml.portraits.wishes import wishes
from recommender.training.portraits import reading
from recommender.training.portraits.refreshing import AT_ONCE, HALF_LIFE_DAYS

P, F = "P.parquet", "F.parquet"


def export_portraits(*, tenant: Tenant, to: Path, at: datetime) -> tuple[int, int]:
    """Write P and F into the folder, block by block; return how many viewers and items. Files appear whole."""
    to.mkdir(parents=True, exist_ok=True)
    with scope(tenant):
        contents, _ = reading.contents()
        viewers = queries.viewers_to_draw()
    with pq.ParquetWriter(to / f".{F}", _schema("item", contents.names)) as file:
        for first in range(0, len(contents.item_ids), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            file.write_table(_table("item", contents.item_ids[some], contents.features[some].toarray(), contents.names))
    written = 0
    with pq.ParquetWriter(to / f".{P}", _schema("viewer", contents.names)) as file:
        for first in range(0, len(viewers), AT_ONCE):
            ids, wishes = _wishes(tenant, viewers[first : first + AT_ONCE], contents, at)
            file.write_table(_table("viewer", ids, wishes, contents.names))
            written += len(ids)
            report(min(1.0, (first + AT_ONCE) / len(viewers)))
    for name in (P, F):
        (to / f".{name}").replace(to / name)
    return written, len(contents.item_ids)


def _wishes(tenant: Tenant, viewers: Longs, contents: Contents, at: datetime) -> tuple[Longs, Floats]:
    """Return those of the viewers who did anything, and their rows of P."""
    with scope(tenant):
        block = reading.block(viewers, until=at, known=contents)
    faded = block.rating * decay(int(at.timestamp() * 1000) - block.at, half_life_days=HALF_LIFE_DAYS)
    active = np.unique(block.viewer)
    return block.viewer_ids[active], wishes(block, faded, contents)[active]


def _schema(of: str, names: Sequence[str]) -> pa.Schema:
    columns: list[tuple[str, pa.DataType]] = [(of, pa.int64())]
    return pa.schema(columns + [(name, pa.float32()) for name in names])


def _table(of: str, ids: Longs, matrix: Floats, names: Sequence[str]) -> pa.Table:
    columns = [pa.array(ids), *(pa.array(np.ascontiguousarray(column)) for column in matrix.T)]
    return pa.table(columns, schema=_schema(of, names))
