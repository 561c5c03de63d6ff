"""Many rows into a tenant's table, as fast as COPY and under the table's policy."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection, models
from numpy.typing import NDArray
from pyarrow import csv

from kpplatform.tenancy.scope import current_tenant_id

Column = Any  # an array of numpy or pyarrow, or a sequence: what pyarrow.array takes
Ids = NDArray[np.int64]

WITHOUT_HEADER = csv.WriteOptions(include_header=False)


def reserve(model: type[models.Model], count: int) -> Ids:
    """Return `count` new ids of the table, ascending."""
    with connection.cursor() as cursor:
        table = model._meta.db_table
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return np.fromiter((row[0] for row in cursor.fetchall()), np.int64, count)


def check_each_statement() -> None:
    """Check foreign keys at each statement's end: deferred to the commit, millions of checks fill the memory."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def copy(model: type[models.Model], columns: Mapping[str, Column]) -> int:
    """Write rows given as columns of one length, into the scope's tenant; return how many were new.

    PostgreSQL does not COPY into a table that has row-level security. So the rows are copied into a temporary
    table and inserted from there, where every one of them meets the policy. What a unique rule knows already is
    left out. Columns that are not given take the model's default.
    """
    table = model._meta.db_table
    names = ", ".join(f'"{name}"' for name in columns)
    fixed = _defaults(model, given=set(columns)) | {"tenant_id": current_tenant_id()}
    with connection.cursor() as cursor:
        likeness = f'SELECT {names} FROM "{table}" WITH NO DATA'  # noqa: S608  names are the model's
        cursor.execute(f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS {likeness}")
        with cursor.copy(f"COPY incoming ({names}) FROM STDIN (FORMAT csv)") as stream:
            stream.write(_as_csv(columns))
        cursor.execute(
            f'INSERT INTO "{table}" ({names}, {", ".join(fixed)})'  # noqa: S608  names are the model's
            f" SELECT {names}, {', '.join(['%s'] * len(fixed))} FROM incoming {_on_conflict(model)}",
            list(fixed.values()),
        )
        written = cursor.rowcount
        cursor.execute("DROP TABLE incoming")
    return int(written)


def times(ms: NDArray[np.int64]) -> Column:
    """Return instants, given as milliseconds since the epoch, as a column."""
    return pa.array(ms).cast(pa.timestamp("ms", "UTC"))


def lists(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lists of words as a column of PostgreSQL arrays."""
    quoted = ([word.replace("\\", "\\\\").replace('"', '\\"') for word in words] for words in rows)
    return ["{" + ",".join(f'"{word}"' for word in words) + "}" for words in quoted]


def _on_conflict(model: type[models.Model]) -> str:
    """Leave out what is known; PostgreSQL cannot where a unique rule waits for the commit."""
    waits = any(isinstance(c, models.UniqueConstraint) and c.deferrable for c in model._meta.constraints)
    return "" if waits else "ON CONFLICT DO NOTHING"


def _as_csv(columns: Mapping[str, Column]) -> memoryview:
    out = io.BytesIO()
    csv.write_csv(pa.table({name: pa.array(column) for name, column in columns.items()}), out, WITHOUT_HEADER)
    return out.getbuffer()


def _defaults(model: type[models.Model], *, given: set[str]) -> dict[str, Any]:
    """Return the defaults that Django would have filled in, as the database takes them."""
    return {
        f'"{field.column}"': field.get_db_prep_save(field.get_default(), connection)
        for field in model._meta.concrete_fields
        if field.column not in given
        and field.name != "tenant"
        and not field.primary_key
        and not field.generated
        and field.db_default is models.NOT_PROVIDED
        and (field.has_default() or field.empty_strings_allowed)
        and not field.null
    }
