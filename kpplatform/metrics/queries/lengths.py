"""What was played of a day by topic and length: what advice and niches are worked out from."""

from bisect import bisect_right

from django.utils.translation import gettext_lazy as _

from kpplatform.metrics.dictionary import Counting, Metric, Unit

EDGES_S = (15, 30, 60, 120, 300)  # lengths: below 15 s, from 15 s, …, from 300 s
NO_LENGTH = "none"  # a course's
SOURCE = "metrics_dailyfigure"


def place_of(duration_ms: int) -> int:
    """Return among which of the lengths something stands that is so long."""
    return bisect_right([1_000 * edge for edge in EDGES_S], duration_ms)


# The day's plays of items were counted a moment before: what is added up here are these, found by the day.
LENGTHS = Counting(
    metrics=(
        Metric("plays_by_length", Unit.COUNT, _("Plays by topic and length."), SOURCE, "topic:length"),
        Metric("finished_by_length", Unit.COUNT, _("Finished plays by topic and length."), SOURCE, "topic:length"),
    ),
    sql=f"""SELECT f.creator_id AS creator, NULL::bigint AS item,
               coalesce(i.topic_id, 0) || ':' || CASE WHEN i.duration_ms IS NULL THEN '{NO_LENGTH}' ELSE
                   width_bucket(i.duration_ms, ARRAY[{", ".join(str(1000 * edge) for edge in EDGES_S)}])::text END
                   AS part,
               coalesce(sum(f.value) FILTER (WHERE f.metric = 'plays'), 0) AS plays_by_length,
               coalesce(sum(f.value) FILTER (WHERE f.metric = 'finished'), 0) AS finished_by_length
        FROM metrics_dailyfigure f JOIN catalog_item i ON i.tenant_id = %(tenant)s AND i.id = f.item_id
        WHERE f.tenant_id = %(tenant)s AND f.day = %(day)s::date AND f.metric IN ('plays', 'finished')
              AND f.item_id IS NOT NULL GROUP BY 1, 3""",  # noqa: S608  only our own words
)
COUNTINGS = (LENGTHS,)
