"""How creators stand beside each other: a score of their brand, its parts, and the median of all.

Counted of the 28 days up to a day, whose figures are added up; so it is the last that is counted of a day.
Rates are drawn towards what is usual in the tenant, as the ranker does it: (sum + 20 · usual) / (plays + 20). A part of
the score is the share of the other creators who have less of it, times its weight; who has nothing of it has the least.
"""

from django.utils.translation import gettext_lazy as _

from kpplatform.metrics.dictionary import MILLION, Counting, Metric, Unit

DAYS = 28
STRETCHES = 8  # of seven days, in which something was published or not
DRAWN = 20  # plays of the usual kind that are added to everybody's
WEIGHTS = {"followers": 20, "reach": 25, "engagement": 20, "conversion": 15, "consistency": 10, "focus": 10}
WHOLE = sum(WEIGHTS.values())
SUMMED = ("viewers", "plays", "finished", "likes", "saves", "shares", "comments", "unwanted", "purchases")

_SUMS = ", ".join(f"coalesce(sum(f.value) FILTER (WHERE f.metric = '{name}'), 0) AS {name}" for name in SUMMED)
_NAMES = ", ".join(f"'{name}'" for name in SUMMED)
_PLACES = ", ".join(f"percent_rank() OVER (ORDER BY {name} NULLS FIRST) AS {name}_place" for name in WEIGHTS)
_POINTS = ", ".join(f"('{name}', {name}, {weight} * {name}_place / {WHOLE})" for name, weight in WEIGHTS.items())


def _drawn(counted: str) -> str:
    return (
        f"CASE WHEN plays > 0 THEN ({counted} + {DRAWN} * sum({counted}) OVER () / sum(plays) OVER ()) "
        f"/ (plays + {DRAWN}) END"
    )


# Topics: how likely two of a creator's items are about the same. Each creator's figures are found by an index.
STANDING = Counting(
    adds_up=False,
    metrics=(
        Metric(
            "brand",
            Unit.MILLIONTHS,
            _("Score of a creator's brand from 0 to 1: for each part its weight times the share of others with less."),
            "metrics_dailyfigure",
            "part",
            days_overlap=True,
        ),
        Metric(
            "standing",
            Unit.MILLIONTHS,
            _("What a creator has of each part of the score, and of what the feed looks at; of the tenant the median."),
            "metrics_dailyfigure",
            "part",
            parts_overlap=True,
            days_overlap=True,
        ),
    ),
    sql=f"""WITH topics AS (
            SELECT creator_id, topic_id, count(*) AS items,
                   count(*) FILTER (WHERE topic_id IS NOT NULL AND tags <> '{{}}') AS told
            FROM catalog_item WHERE tenant_id = %(tenant)s AND state IN ('published', 'scheduled')
                 AND published_at < %(ends)s GROUP BY 1, 2
        ), shelves AS MATERIALIZED (
            SELECT creator_id, sum(told) / sum(items) AS told,
                   sum(items * (items - 1)) FILTER (WHERE topic_id IS NOT NULL)
                   / nullif(sum(items) * (sum(items) - 1), 0) AS focus
            FROM topics GROUP BY 1
        ), had AS MATERIALIZED (
            SELECT s.*, w.consistency, nullif(o.followers, 0) AS followers, nullif(f.viewers, 0) AS reach,
                   {", ".join(f"f.{name}" for name in SUMMED if name != "viewers")}
            FROM shelves s
            CROSS JOIN LATERAL (
                SELECT count(DISTINCT floor(extract(epoch FROM %(ends)s - i.published_at) / 604800))::numeric
                       / {STRETCHES} AS consistency
                FROM catalog_item i WHERE i.tenant_id = %(tenant)s AND i.creator_id = s.creator_id
                     AND i.state IN ('published', 'scheduled') AND i.published_at < %(ends)s
                     AND i.published_at > %(ends)s - interval '{7 * STRETCHES} days') w
            CROSS JOIN LATERAL (
                SELECT count(*) AS followers FROM creators_follow o
                WHERE o.tenant_id = %(tenant)s AND o.creator_id = s.creator_id AND o.followed_at < %(ends)s) o
            CROSS JOIN LATERAL (
                SELECT {_SUMS} FROM metrics_dailyfigure f
                WHERE f.tenant_id = %(tenant)s AND f.creator_id = s.creator_id AND f.item_id IS NULL
                      AND f.metric IN ({_NAMES}) AND f.day > %(day)s::date - {DAYS} AND f.day <= %(day)s::date) f
        ), rated AS (
            SELECT creator_id, followers, reach, nullif(consistency, 0) AS consistency, focus, told,
                   nullif({_drawn("(likes + saves + shares + comments)")}, 0) AS engagement,
                   nullif({_drawn("purchases")}, 0) AS conversion,
                   {_drawn("finished")} AS completion, {_drawn("unwanted")} AS unwanted
            FROM had
        ), ranked AS (SELECT *, {_PLACES} FROM rated),
        each AS (
            SELECT creator_id, p.part, p.had, p.points FROM ranked CROSS JOIN LATERAL (
                VALUES {_POINTS}, ('completion', completion, 0), ('unwanted', unwanted, 0), ('told', told, 0)
            ) p (part, had, points)
        )
        SELECT creator_id AS creator, NULL::bigint AS item, part, round(points::numeric * {MILLION}) AS brand,
               round(had * {MILLION}) AS standing FROM each
        UNION ALL
        SELECT NULL, NULL, part, 0,
               round((percentile_cont(0.5) WITHIN GROUP (ORDER BY coalesce(had, 0)))::numeric * {MILLION})
        FROM each GROUP BY part""",  # noqa: S608  only our own words
)
COUNTINGS = (STANDING,)
