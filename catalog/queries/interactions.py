"""What viewers did with items, in the form that recommenders read: one viewer's, or everybody's."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id


class Kind(IntEnum):
    """What was done: watched, or reacted to."""

    WATCH = 0
    LIKE = 1
    SAVE = 2
    SHARE = 3
    NOT_INTERESTED = 4


class Interaction(NamedTuple):
    """One viewer did something with an item. Reactions have no times of watching."""

    item: int
    at: datetime
    kind: Kind
    watch_ms: int
    duration_ms: int


# Everybody's interactions as a numpy array; `at` is UTC.
INTERACTION = np.dtype(
    [
        ("viewer", "<i8"),
        ("item", "<i8"),
        ("at", "<M8[us]"),
        ("kind", "<i2"),
        ("watch_ms", "<i4"),
        ("duration_ms", "<i4"),
        ("device", "<i2"),
        ("network", "<i2"),
    ]
)

_KIND = "CASE kind WHEN 'like' THEN 1 WHEN 'save' THEN 2 WHEN 'share' THEN 3 WHEN 'not_interested' THEN 4 END::smallint"
_WATCHES = "started_at, 0::smallint, watch_ms, duration_ms{also} FROM catalog_watch WHERE quarantine = ''"
_REACTIONS = f"reacted_at, {_KIND}, 0, 0{{also}} FROM catalog_reaction WHERE true"


def history(viewer: Member, *, limit: int) -> list[Interaction]:
    """Return the latest that the viewer did, newest first, from clean watches and reactions."""
    mine = "AND tenant_id = %(tenant)s AND viewer_id = %(viewer)s ORDER BY"
    sql = f"""
        (SELECT item_id, {_WATCHES.format(also="")} {mine} started_at DESC LIMIT %(limit)s)
        UNION ALL (SELECT item_id, {_REACTIONS.format(also="")} {mine} reacted_at DESC LIMIT %(limit)s)
        ORDER BY 2 DESC, 1 DESC, 3 LIMIT %(limit)s
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"tenant": current_tenant_id(), "viewer": viewer.pk, "limit": limit})
        return [Interaction(item, at, Kind(kind), *times) for item, at, kind, *times in cursor.fetchall()]


def interactions_between(since: datetime | None, until: datetime, *, rows: int = 100_000) -> Iterator[Any]:
    """Yield what everybody did in [since, until) as INTERACTION arrays of at most `rows`, in no order.

    The database streams them as they lie there, so that a hundred million need no more memory than one array.
    """
    yield from _streamed("{0} >= %(since)s", {"since": since or datetime(1, 1, 1, tzinfo=UTC), "until": until}, rows)


def interactions_of(viewers: Sequence[int], until: datetime, *, rows: int = 100_000) -> Iterator[Any]:
    """Yield what these viewers did before `until` as INTERACTION arrays of at most `rows`, in no order."""
    yield from _streamed("viewer_id = ANY(%(viewers)s)", {"viewers": list(viewers), "until": until}, rows)


def _streamed(which: str, asked: dict[str, Any], rows: int) -> Iterator[Any]:
    theirs = f"AND tenant_id = %(tenant)s AND {which} AND {{0}} < %(until)s"
    watches = _WATCHES.format(also=", device, network")
    reactions = _REACTIONS.format(also=", 0::smallint, 0::smallint")
    sql = f"""
        COPY (SELECT viewer_id, item_id, {watches} {theirs.format("started_at")}
        UNION ALL SELECT viewer_id, item_id, {reactions} {theirs.format("reacted_at")})
        TO STDOUT (FORMAT binary)
    """
    with connection.cursor() as cursor, cursor.copy(sql, asked | {"tenant": current_tenant_id()}) as copy:
        yield from _parsed(copy, rows)


# PostgreSQL's binary COPY: a header, then per row the count of fields and each field after its length. No field
# is null, so all rows have one size, and numpy reads a block of them at once. Times count from the year 2000.
_HEADER = 19
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(
            (f"{name}_{part}", kind)
            for name, kind in (
                ("viewer", ">i8"),
                ("item", ">i8"),
                ("at", ">i8"),
                ("kind", ">i2"),
                ("watch_ms", ">i4"),
                ("duration_ms", ">i4"),
                ("device", ">i2"),
                ("network", ">i2"),
            )
            for part, kind in (("length", ">i4"), ("value", kind))
        ),
    ]
)
_EPOCH = np.datetime64("2000-01-01", "us")


def _parsed(copy: Any, rows: int) -> Iterator[Any]:
    waiting = bytearray()
    skip = _HEADER
    for block in copy:
        waiting += block
        if skip and len(waiting) >= skip:
            del waiting[:skip]
            skip = 0
        while not skip and len(waiting) >= rows * _ROW.itemsize:
            yield _array(waiting[: rows * _ROW.itemsize])
            del waiting[: rows * _ROW.itemsize]
    if whole := len(waiting) // _ROW.itemsize:  # what is left over is the end mark
        yield _array(waiting[: whole * _ROW.itemsize])


def _array(block: bytearray) -> Any:
    read = np.frombuffer(block, dtype=_ROW)
    array = np.empty(len(read), dtype=INTERACTION)
    for name in INTERACTION.names or ():
        array[name] = read[f"{name}_value"] if name != "at" else _EPOCH + read["at_value"].astype("m8[us]")
    return array
