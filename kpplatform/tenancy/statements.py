"""Fewer and cheaper round trips to the database, for what every request does."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from psycopg.pq import ExecStatus, TransactionStatus


@contextmanager
def planned() -> Iterator[CursorWrapper]:
    """Yield a cursor whose statements are planned once for a connection, from about the fifth time on.

    Values are sent beside the statement, so a NULL or a number whose type matters has to be cast there.
    """
    connection.ensure_connection()
    cursor: Any = psycopg.Cursor(connection.connection)
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with make(cursor) as wrapped:
        yield wrapped


def begin_with(sql: str) -> bool:
    """Begin the transaction that Django is about to begin, together with its first statement: one round trip.

    False when a transaction has begun already.
    """
    raw = connection.connection
    if raw is None or raw.pgconn.transaction_status != TransactionStatus.IDLE:
        return False
    answer = raw.pgconn.exec_(f"BEGIN; {sql}".encode())
    if answer.status != ExecStatus.TUPLES_OK:
        raise OperationalError(answer.error_message.decode(errors="replace"))
    return True


def trust_if_quiet() -> None:
    """Spare the question whether the connection still works, which Django asks once a request.

    A server that has gone away has closed its end, and that can be heard without asking.
    """
    ours: Any = connection
    if ours.connection is None or ours.connection.closed or ours.health_check_done:
        return
    ear = select.poll()
    ear.register(ours.connection.fileno(), select.POLLIN)
    ours.health_check_done = not ear.poll(0)
