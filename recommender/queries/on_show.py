"""What a tenant has on show: everything, what is popular, what is new. Read for a whole process, now and then."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection

from catalog.models import Ruling
from catalog.queries import no_copies
from kpplatform.tenancy.scope import current_tenant_id
from recommender.ml.arrays import Longs, common
from recommender.models import AlikePair
from recommender.queries.feed_settings import feed_settings
from recommender.serving.catalogue import Catalogue
from recommender.serving.page import Offer
from recommender.serving.texts import BETWEEN, Texts

POPULAR_AMONG = 50_000  # latest watches
POPULAR_FOR = timedelta(days=7)
FRESH = 300
FRESH_FOR = timedelta(days=7)
TRIALS = 100  # impressions that every new item is given

CATALOGUE = """
SELECT string_agg(int8send(id), ''), string_agg(int8send(creator_id), ''), string_agg(int8send(is_free::int::int8), ''),
       string_agg(int8send((extract(epoch FROM published_at) * 1000000)::bigint), ''),
       string_agg(int8send(topic), ''), string_agg(int8send(followers), ''), string_agg(int8send(reactions), ''),
       string_agg(told, ''), string_agg(int8send(length(told)), '')
FROM (SELECT i.id, i.creator_id, i.is_free, i.published_at, coalesce(i.topic_id, 0) AS topic,
             c.followers::bigint AS followers, (i.likes + i.saves + i.shares)::bigint AS reactions,
             convert_to(concat_ws(%(between)s, i.title, nullif(array_to_string(i.tags, %(between)s), '')), 'UTF8')
                 AS told
      FROM catalog_item i JOIN creators_creator c ON c.tenant_id = %(tenant)s AND c.id = i.creator_id
      WHERE i.tenant_id = %(tenant)s AND i.state IN ('published', 'scheduled') AND i.published_at <= %(at)s
      ORDER BY i.id) shown
"""

# Who watched without consent cannot be told apart: n such watches count as √n viewers, so that the order among items
# is nearly kept, and one person who looks again and again moves little.
WATCHED = """
SELECT string_agg(int8send(item_id), ''), string_agg(int8send(viewers), '') FROM (
    SELECT item_id, count(DISTINCT viewer_id) FILTER (WHERE NOT anonymous)
           + ceil(sqrt(count(*) FILTER (WHERE anonymous)))::bigint AS viewers FROM (
        SELECT item_id, viewer_id, coalesce(viewer_id = (
            SELECT id FROM tenancy_member WHERE tenant_id = %(tenant)s AND role = 'anonymous'), false) AS anonymous
        FROM catalog_watch
        WHERE tenant_id = %(tenant)s AND quarantine = '' AND started_at BETWEEN %(since)s AND %(at)s
        ORDER BY started_at DESC, id DESC LIMIT %(among)s) latest
    GROUP BY item_id) watched
"""

TOPICS = "SELECT id, slug FROM catalog_topic WHERE tenant_id = %(tenant)s"

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
    """Return the published items and what is told of them."""
    columns = _rows(CATALOGUE, at=at, between=BETWEEN)[0]
    items, creators, free, published, topics, followers, reactions = map(_unpacked, columns[:7])
    whole, lengths = columns[7:]
    return Catalogue(
        items=items,
        creators=creators,
        published=published,
        is_free=free.astype(np.bool_),
        topics=topics,
        followers=followers,
        viewers=_viewers(items, at=at),
        reactions=reactions,
        texts=Texts(bytes(whole or b""), np.cumsum(_unpacked(lengths))),
        slugs=dict(_rows(TOPICS)),
        no_copies=frozenset(no_copies()),
        copies=_copies(),
    )


def _copies() -> dict[int, frozenset[int]]:
    """Return the items that are ruled to be copies, and of which others."""
    ruled = Ruling.objects.filter(effect=Ruling.Effect.LAST, lifted_at=None).values("item")
    pairs = AlikePair.objects.filter(other__in=ruled, cosine__gte=feed_settings().alike)
    found = defaultdict[int, set[int]](set)
    for copy, original in pairs.order_by().values_list("other", "item"):
        found[copy].add(original)
    return {copy: frozenset(originals) for copy, originals in found.items()}


def _viewers(items: Longs, *, at: datetime) -> Longs:
    """Return how many viewers watched each item (M,) of late."""
    asked = {"at": at, "since": at - POPULAR_FOR, "among": POPULAR_AMONG}
    watched, viewers = map(_unpacked, _rows(WATCHED, **asked)[0])
    counts = np.zeros(len(items), np.int64)
    places, theirs = common(items, watched)
    counts[places] = viewers[theirs]
    return counts


def fresh(*, at: datetime) -> tuple[Offer, ...]:
    """Return the new free items that have not had all their trials, the fewest first, then the newest."""
    since = at - FRESH_FOR
    return tuple(Offer(*row) for row in _rows(ON_TRIAL, at=at, since=since, most=FRESH, trials=TRIALS))


def _rows(sql: str, **asked: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, asked | {"tenant": current_tenant_id()})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _unpacked(column: bytes | None) -> Longs:
    return np.frombuffer(column or b"", ">i8").astype(np.int64)
