"""Who came back: from this, retention, cohorts, and who was active within a week or a month are added up exactly."""

from django.utils.translation import gettext_lazy as _

from kpplatform.metrics.dictionary import Counting, Metric, Unit
from kpplatform.metrics.queries.watching import ANONYMOUS, CLEAN, NOBODYS, WATCHED

MONTH = 28  # days, so that every month has as many of each weekday
OLDEST = 90  # days since the first: older cohorts are counted together
NEW, OLDER = "new", "older"

# One look into the index for each viewer of the day finds their first watch, another their last before today.
# Members only: what is watched without consent leads to nobody.
RETURNS = Counting(
    adds_up=False,
    metrics=(
        Metric(
            "retained",
            Unit.COUNT,
            _("Viewers of the day by how many days before it they watched for the first time; 0: on this day."),
            WATCHED,
            "days",
        ),
        Metric(
            "came_back",
            Unit.COUNT,
            _("Viewers of the day by how many days before it they had watched last; new: never."),
            WATCHED,
            "days",
        ),
    ),
    sql=f"""WITH active AS MATERIALIZED (
            SELECT w.viewer_id {CLEAN} AND w.viewer_id IS DISTINCT FROM {ANONYMOUS} GROUP BY 1
        ), known AS MATERIALIZED (
            SELECT %(day)s::date - (first.at AT TIME ZONE %(zone)s)::date AS age,
                   %(day)s::date - (last.at AT TIME ZONE %(zone)s)::date AS gap
            FROM active a
            CROSS JOIN LATERAL (
                SELECT started_at AS at FROM catalog_watch WHERE tenant_id = %(tenant)s AND viewer_id = a.viewer_id
                AND quarantine = '' ORDER BY started_at LIMIT 1) first
            LEFT JOIN LATERAL (
                SELECT started_at AS at FROM catalog_watch WHERE tenant_id = %(tenant)s AND viewer_id = a.viewer_id
                AND quarantine = '' AND started_at < %(begins)s ORDER BY started_at DESC LIMIT 1) last ON true
        )
        SELECT {NOBODYS}, part, sum(retained) AS retained, sum(came_back) AS came_back
        FROM (
            SELECT CASE WHEN age <= {OLDEST} THEN age::text ELSE '{OLDER}' END AS part, 1 AS retained, 0 AS came_back
            FROM known
            UNION ALL
            SELECT CASE WHEN gap IS NULL THEN '{NEW}' WHEN gap < {MONTH} THEN gap::text ELSE '{OLDER}' END, 0, 1
            FROM known
        ) each GROUP BY part""",  # noqa: S608  only our own words
)
COUNTINGS = (RETURNS,)
