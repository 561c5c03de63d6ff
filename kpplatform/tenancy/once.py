"""Writing a row once, however often and however concurrently it is asked for."""

from typing import Any

from django.db import connection

from kpplatform.tenancy.owned import TenantOwned
from kpplatform.tenancy.scope import current_tenant_id


def insert_once(model: type[TenantOwned], **columns: Any) -> bool:
    """Insert the row unless a unique rule says it is there, and tell whether it was written.

    A second writer waits for the first one's transaction. Nothing is raised and no savepoint is needed, so that
    whoever gets True, and nobody else, may count the row.
    """
    quote = connection.ops.quote_name
    values = {"tenant_id": current_tenant_id(), **columns}
    names = ", ".join(map(quote, values))
    places = ", ".join(["%s"] * len(values))
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING",  # noqa: S608  names of columns
            list(values.values()),
        )
        return bool(cursor.rowcount == 1)
