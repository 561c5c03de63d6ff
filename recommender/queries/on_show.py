"""What a tenant has on show: everything, what is popular, what is new. Read for a whole process, now and then."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection

from kpplatform.tenancy.scope import current_tenant_id
from recommender.ml.arrays import Longs
from recommender.serving.catalogue import Catalogue
from recommender.serving.page import Offer

POPULAR = 500
POPULAR_AMONG = 50_000  # latest watches
POPULAR_FOR = timedelta(days=7)
FRESH = 300
FRESH_FOR = timedelta(days=7)
TRIALS = 100  # impressions that every new item is given

CATALOGUE = """
SELECT string_agg(int8send(id), ''), string_agg(int8send(creator_id), ''), string_agg(int2send(is_free::int::int2), ''),
       string_agg(int8send((extract(epoch FROM published_at) * 1000000)::bigint), '')
FROM catalog_item WHERE tenant_id = %(tenant)s AND state IN ('published', 'scheduled') AND published_at <= %(at)s
"""

MOST_WATCHED = """
SELECT i.id, i.creator_id FROM catalog_item i LEFT JOIN (
    SELECT item_id, count(DISTINCT viewer_id) AS viewers FROM (
        SELECT item_id, viewer_id FROM catalog_watch
        WHERE tenant_id = %(tenant)s AND quarantine = '' AND started_at BETWEEN %(since)s AND %(at)s
        ORDER BY started_at DESC, id DESC LIMIT %(among)s) latest
    GROUP BY item_id) w ON w.item_id = i.id
WHERE i.tenant_id = %(tenant)s AND i.state IN ('published', 'scheduled') AND i.published_at <= %(at)s AND i.is_free
ORDER BY w.viewers DESC NULLS LAST, i.likes + i.saves + i.shares DESC, i.published_at DESC, i.id DESC LIMIT %(most)s
"""

ON_TRIAL = """
SELECT i.id, i.creator_id FROM (
    SELECT id, creator_id, published_at FROM catalog_item
    WHERE tenant_id = %(tenant)s AND state IN ('published', 'scheduled') AND is_free
      AND published_at > %(since)s AND published_at <= %(at)s
    ORDER BY published_at DESC, id DESC LIMIT %(most)s) i,
LATERAL (SELECT count(*) AS trials FROM recommender_impression m
         WHERE m.tenant_id = %(tenant)s AND m.item_id = i.id AND m.source = 'fresh') m
WHERE m.trials < %(trials)s ORDER BY m.trials, i.published_at DESC, i.id DESC
"""


def on_show(*, at: datetime) -> Catalogue:
    """Return the published items and the popular ones among them."""
    ids, owners, free, published = _rows(CATALOGUE, at=at)[0]
    items = _unpacked(ids, ">i8")
    order = np.argsort(items)
    return Catalogue(
        items=items[order],
        creators=_unpacked(owners, ">i8")[order],
        published=_unpacked(published, ">i8")[order],
        is_free=_unpacked(free, ">i2")[order].astype(np.bool_),
        popular=popular(at=at),
    )


def popular(*, at: datetime) -> tuple[Offer, ...]:
    """Return the free items that most viewers watched of late, then those most reacted to, then the newest."""
    since = at - POPULAR_FOR
    return tuple(Offer(*row) for row in _rows(MOST_WATCHED, at=at, since=since, among=POPULAR_AMONG, most=POPULAR))


def fresh(*, at: datetime) -> tuple[Offer, ...]:
    """Return the new free items that have not had all their trials, the fewest first, then the newest."""
    since = at - FRESH_FOR
    return tuple(Offer(*row) for row in _rows(ON_TRIAL, at=at, since=since, most=FRESH, trials=TRIALS))


def _rows(sql: str, **asked: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked | {"tenant": current_tenant_id()})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _unpacked(column: bytes | None, kind: str) -> Longs:
    return np.frombuffer(column or b"", kind).astype(np.int64)
