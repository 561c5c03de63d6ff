"""Changing many rows at once, each to values of its own."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from kpplatform.tenancy.owned import TenantOwned
from kpplatform.tenancy.scope import current_tenant_id


def update_all(rows: Sequence[TenantOwned], fields: Sequence[str]) -> int:
    """Write these fields of rows of one table in one statement, and return how many rows that were.

    Django's bulk_update does the same with a CASE per field, which takes ten times as long to put together.
    """
    if not rows:
        return 0
    quote, meta = connection.ops.quote_name, rows[0]._meta
    columns: list[Any] = [meta.get_field(name) for name in fields]
    names = [quote(column.column) for column in columns]
    arrays = ", ".join(f"%s::{_plain(column.db_type(connection))}[]" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(meta.db_table)} AS old"  # noqa: S608  names of columns
            f" SET {', '.join(f'{name} = new.{name}' for name in names)}"
            f" FROM unnest(%s::bigint[], {arrays}) AS new (id, {', '.join(names)})"
            " WHERE old.tenant_id = %s AND old.id = new.id",
            [[row.pk for row in rows], *(_values(rows, column) for column in columns), current_tenant_id()],
        )
        return int(cursor.rowcount)


def _values(rows: Sequence[TenantOwned], column: Any) -> list[Any]:
    prepared = (column.get_db_prep_save(getattr(row, column.attname), connection) for row in rows)
    return [str(value) if isinstance(value, str) else value for value in prepared]  # a choice is its word


def _plain(kind: str | None) -> str:
    """Return a type without its length: what is too long is to be refused, not cut off."""
    return (kind or "text").partition("(")[0]
