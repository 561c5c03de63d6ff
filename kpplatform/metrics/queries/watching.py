"""What was watched on a day: plays and time, how far, when, by how many, and what was kept out."""

from django.utils.translation import gettext_lazy as _

from catalog.models import Source
from kpplatform.metrics.dictionary import Counting, Metric, Unit

BINS = 20  # a video's retention curve is told in twentieths of it
FINISHED = 0.9

WATCHED = "catalog_watch"
CLEAN = (
    "FROM catalog_watch w WHERE w.tenant_id = %(tenant)s AND w.quarantine = '' "
    "AND w.started_at >= %(begins)s AND w.started_at < %(ends)s"
)
ANONYMOUS = "(SELECT id FROM tenancy_member WHERE tenant_id = %(tenant)s AND role = 'anonymous')"
NOBODYS = "NULL::bigint AS creator, NULL::bigint AS item"
OF_ITEM = "JOIN catalog_item i ON i.tenant_id = %(tenant)s AND i.id = e.item_id"

SOURCES = ", ".join(f"'{source}'" for source in Source.values)


def source_of(column: str) -> str:
    """Return the SQL of where something was found: words that were stored before there was a list count as other."""
    return f"CASE WHEN {column} IN ({SOURCES}) THEN {column} ELSE '{Source.OTHER}' END"


PLAYS = Counting(
    metrics=(
        Metric("plays", Unit.COUNT, _("Watches that broke no cleaning rule, by where they began."), WATCHED, "source"),
        Metric("watch_ms", Unit.MS, _("For how long these watches lasted."), WATCHED, "source"),
        Metric("finished", Unit.COUNT, _("Plays of at least 90 % of the item's length."), WATCHED, "source"),
    ),
    sql=f"""SELECT i.creator_id AS creator, e.item_id AS item, e.source AS part, plays, watch_ms, finished FROM (
        SELECT w.item_id, {source_of("w.source")} AS source, count(*) AS plays, sum(w.watch_ms::bigint) AS watch_ms,
               count(*) FILTER (WHERE w.duration_ms > 0 AND w.watch_ms >= {FINISHED} * w.duration_ms) AS finished
        {CLEAN} GROUP BY 1, 2) e {OF_ITEM}""",  # noqa: S608  only our own words
)
STOPS = Counting(
    metrics=(
        Metric(
            "stops",
            Unit.COUNT,
            _("Plays by how many whole twentieths of the item they lasted; 20: to its end or longer."),
            WATCHED,
            "twentieths",
        ),
    ),
    sql=f"""SELECT i.creator_id AS creator, e.item_id AS item, e.bin::text AS part, stops FROM (
        SELECT w.item_id, least(w.watch_ms::bigint * {BINS} / w.duration_ms, {BINS}) AS bin, count(*) AS stops
        {CLEAN} AND w.duration_ms > 0 GROUP BY w.item_id, bin) e {OF_ITEM}""",  # noqa: S608
)
HOURS = Counting(
    metrics=(Metric("plays_by_hour", Unit.COUNT, _("Plays by the hour of the tenant's clock."), WATCHED, "hour"),),
    sql=f"""SELECT i.creator_id AS creator, NULL::bigint AS item, e.hour::text AS part, sum(plays) AS plays_by_hour
        FROM (SELECT w.item_id, extract(hour FROM w.started_at AT TIME ZONE %(zone)s)::int AS hour, count(*) AS plays
              {CLEAN} GROUP BY w.item_id, hour) e {OF_ITEM} GROUP BY 1, 3""",  # noqa: S608
)
DEVICES = Counting(
    metrics=(Metric("plays_by_device", Unit.COUNT, _("Plays by kind of device."), WATCHED, "device"),),
    sql=f"""SELECT i.creator_id AS creator, NULL::bigint AS item, sum(plays) AS plays_by_device,
               (ARRAY['unknown', 'phone', 'tablet', 'desktop', 'tv'])[e.device + 1] AS part
        FROM (SELECT w.item_id, w.device, count(*) AS plays {CLEAN} GROUP BY w.item_id, w.device) e {OF_ITEM}
        GROUP BY 1, 4""",  # noqa: S608
)
KEPT_OUT = Counting(
    metrics=(
        Metric(
            "kept_out",
            Unit.COUNT,
            _("Watches that broke a cleaning rule, by the rule; of a wrong clock, by the day they came in."),
            WATCHED,
            "rule",
        ),
    ),
    sql=f"""SELECT {NOBODYS}, w.quarantine AS part, count(*) AS kept_out FROM catalog_watch w
        WHERE w.tenant_id = %(tenant)s AND w.quarantine <> '' AND (
            w.started_at >= %(begins)s AND w.started_at < %(ends)s AND w.quarantine <> 'clock_skew'
            OR w.received_at >= %(begins)s AND w.received_at < %(ends)s AND w.quarantine = 'clock_skew')
        GROUP BY w.quarantine""",  # noqa: S608  only our own words
)
LATENESS = Counting(
    metrics=(
        Metric(
            "received",
            Unit.COUNT,
            _("Clean watches by how long after their start they came in: a minute, an hour, a day, later."),
            WATCHED,
            "within",
        ),
    ),
    sql=f"""SELECT {NOBODYS}, count(*) AS received,
               CASE WHEN w.received_at - w.started_at <= interval '1 minute' + w.watch_ms * interval '1 ms'
                        THEN 'minute'
                    WHEN w.received_at - w.started_at <= interval '1 hour' THEN 'hour'
                    WHEN w.received_at - w.started_at <= interval '1 day' THEN 'day' ELSE 'later' END AS part
        {CLEAN} GROUP BY part""",
)
# In the order of viewers, creators and items each row is the first of its kind or is like the one before: so one
# reading and one sorting tell how many different viewers every item, every creator and the tenant has.
VIEWERS = Counting(
    adds_up=False,
    metrics=(
        Metric(
            "viewers",
            Unit.COUNT,
            _("Different members who watched. Who does not consent to be remembered is not among them."),
            WATCHED,
            days_overlap=True,
        ),
        Metric("viewers_ms", Unit.MS, _("For how long these members watched."), WATCHED),
    ),
    sql=f"""SELECT creator_id AS creator, item_id AS item, '' AS part, sum(watch_ms::bigint) AS viewers_ms,
               CASE grouping(creator_id, item_id) WHEN 0 THEN count(*) FILTER (WHERE is_new OR is_next OR is_other)
                    WHEN 1 THEN count(*) FILTER (WHERE is_new OR is_next) ELSE count(*) FILTER (WHERE is_new)
                    END AS viewers
        FROM (SELECT i.creator_id, e.item_id, e.watch_ms,
                     e.viewer_id IS DISTINCT FROM lag(e.viewer_id) OVER seen AS is_new,
                     i.creator_id <> lag(i.creator_id) OVER seen AS is_next,
                     e.item_id <> lag(e.item_id) OVER seen AS is_other
              FROM (SELECT w.item_id, w.viewer_id, w.watch_ms
                    {CLEAN} AND w.viewer_id IS DISTINCT FROM {ANONYMOUS}) e {OF_ITEM}
              WINDOW seen AS (ORDER BY e.viewer_id, i.creator_id, e.item_id)) each
        GROUP BY GROUPING SETS ((creator_id, item_id), (creator_id), ())""",  # noqa: S608
)
COUNTINGS = (PLAYS, STOPS, HOURS, DEVICES, KEPT_OUT, LATENESS, VIEWERS)
