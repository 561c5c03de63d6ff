"""Who and what is seen: how the places of the feed are shared out, day by day."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from kpplatform.tenancy.scope import current_tenant_id

NEW_FOR = timedelta(days=30)  # a creator is new for so long

# A day is of the zone that is asked for. The Gini coefficient is over all items on show, those that nobody was shown
# among them: with x the exposures in ascending order, Σ (2 i − M − 1) x_i / (M Σ x), as in ml.metrics.gini.
EXPOSURE = """
WITH shown AS (
    SELECT (m.shown_at AT TIME ZONE %(zone)s)::date AS day, m.item_id, m.page, i.topic_id,
           m.source IN ('explored', 'fresh') AS explored, c.followers < %(small)s AS small,
           m.shown_at < c.created_at + %(new_for)s AS new
    FROM recommender_impression m
    JOIN catalog_item i ON i.tenant_id = %(tenant)s AND i.id = m.item_id
    JOIN creators_creator c ON c.tenant_id = %(tenant)s AND c.id = i.creator_id
    WHERE m.tenant_id = %(tenant)s AND m.shown_at >= %(begins)s AND m.shown_at < %(ends)s
), days AS (
    SELECT day, count(*) AS places, avg(explored::int) AS explored, avg(small::int) AS small, avg(new::int) AS new
    FROM shown GROUP BY day
), on_show AS (
    SELECT count(*) AS items FROM catalog_item
    WHERE tenant_id = %(tenant)s AND state IN ('published', 'scheduled') AND published_at < %(ends)s
), topics AS (
    SELECT day, -sum(part * log(2, part)) AS bits FROM (
        SELECT day, count(*) / sum(count(*)) OVER (PARTITION BY day) AS part
        FROM shown WHERE topic_id IS NOT NULL GROUP BY day, topic_id) parts
    GROUP BY day
), pages AS (
    SELECT day, avg(topics) AS topics FROM (
        SELECT day, count(DISTINCT topic_id) AS topics FROM shown GROUP BY day, page) each
    GROUP BY day
), items AS (
    SELECT day, count, row_number() OVER (PARTITION BY day ORDER BY count) AS rank,
           count(*) OVER (PARTITION BY day) AS met, sum(count) OVER (PARTITION BY day) AS whole
    FROM (SELECT day, item_id, count(*) AS count FROM shown GROUP BY day, item_id) counted
), gini AS (
    SELECT day, max(met) AS met, sum((2 * (greatest(o.items - met, 0) + rank) - greatest(o.items, met) - 1) * count)
                / (max(greatest(o.items, met)) * max(whole)) AS gini
    FROM items CROSS JOIN on_show o GROUP BY day
)
SELECT d.day, d.places, d.explored::float8, d.new::float8, d.small::float8, coalesce(t.bits, 0)::float8 AS bits,
       p.topics::float8, g.met, g.gini::float8, o.items
FROM days d CROSS JOIN on_show o JOIN pages p USING (day) JOIN gini g USING (day) LEFT JOIN topics t USING (day)
ORDER BY d.day DESC
"""


class Exposed(NamedTuple):
    """How the places of one day were shared out; shares are from 0 to 1."""

    day: date
    places: int
    explored: float  # by exploration and trials
    new_creators: float  # who began within NEW_FOR
    small_creators: float  # with few followers now
    topic_bits: float  # entropy of topics over all places
    topics_a_page: float
    items: int  # shown at all
    gini: float  # of exposures over all items on show: 0 alike, 1 all of one


def exposure(*, days: int, at: datetime, small_followers: int) -> list[Exposed]:
    """Return how places were shared out on each of the last days that had any, today among them, the latest first."""
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    asked: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "begins": today - timedelta(days=days - 1),
        "ends": at,
        "zone": "UTC",
        "new_for": NEW_FOR,
        "small": small_followers,
    }
    with connection.cursor() as cursor:
        cursor.execute(EXPOSURE, asked)
        return [Exposed(*row[:9]) for row in cursor.fetchall()]
