"""The dictionary of all numbers, and how they are counted of a day's events."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from billing.queries import tenants_time, tenants_zone
from billing.queries.income import EARNING
from kpplatform.metrics.dictionary import Asked, Counting, Metric, Ratio, Row
from kpplatform.metrics.models import CountedDay, DailyFigure
from kpplatform.metrics.queries import advertising, answering, branding, lengths, returning, selling, showing, watching
from kpplatform.metrics.queries.ratios import RATIOS
from kpplatform.tenancy.scope import current_tenant, current_tenant_id
from recommender.queries import feed_settings
from recommender.queries.exposure import NEW_FOR

COUNTINGS: tuple[Counting, ...] = (
    *showing.COUNTINGS,
    *watching.COUNTINGS,
    *answering.COUNTINGS,
    *returning.COUNTINGS,
    *selling.COUNTINGS,
    *advertising.COUNTINGS,
    *lengths.COUNTINGS,  # these two add up what the others have counted
    *branding.COUNTINGS,
)
COUNTED: list[Metric] = [metric for counting in COUNTINGS for metric in counting.metrics]
METRICS: dict[str, Metric | Ratio] = {of.name: of for of in COUNTED} | {of.name: of for of in RATIOS}
LONGEST_PART = 60
MOST_DAYS_BACK = 400  # a tenant that was never counted is counted from here

# A day is counted again so long after its end: what was begun before it ended is written down by then (hours), a refund
# has failed (a week), and all late events are there (30 days), of that day and of those before it, by which is told who
# came back.
SETTLES = (timedelta(hours=3), timedelta(days=7), timedelta(days=31))
# Days of which something came in since they were counted, by what BRIN knows of when rows were written. Of what came in
# without consent only the hour is known. What a wrong clock tells makes no day due: it could name a thousand of them.
LATE = """
    SELECT e.day FROM (
        SELECT (started_at AT TIME ZONE %(zone)s)::date AS day, max(received_at) AS came_at FROM catalog_watch
        WHERE tenant_id = %(tenant)s AND received_at >= %(since)s AND quarantine <> 'clock_skew' GROUP BY 1
        UNION ALL SELECT (visited_at AT TIME ZONE %(zone)s)::date, max(received_at) FROM metrics_visit
        WHERE tenant_id = %(tenant)s AND received_at >= %(since)s GROUP BY 1
    ) e LEFT JOIN metrics_countedday c ON c.tenant_id = %(tenant)s AND c.day = e.day
    WHERE c.counted_at IS NULL OR e.came_at >= date_trunc('hour', c.counted_at - interval '5 minutes')
"""
# Of clean watches: a device whose clock is wrong tells of days on which there was nothing.
FIRST = """
    SELECT (min(started_at) AT TIME ZONE %(zone)s)::date FROM catalog_watch
    WHERE tenant_id = %(tenant)s AND quarantine = ''
"""


def span(day: date) -> tuple[datetime, datetime]:
    """Return when a day of the tenant's clock begins and ends; two of a year have 23 or 25 hours."""
    zone, after = tenants_zone(), day + timedelta(days=1)
    return tuple(datetime(of.year, of.month, of.day, tzinfo=zone) for of in (day, after))  # type: ignore[return-value]


def asked(day: date) -> Asked:
    """Return what each counting is asked with."""
    begins, ends = span(day)
    return {
        "tenant": current_tenant_id(),
        "day": day,
        "begins": begins,
        "ends": ends,
        "zone": current_tenant().time_zone,
        "new_for": NEW_FOR,
        "small": feed_settings().small_followers,
        "kinds": [str(kind) for kind in EARNING],
        "creator": None,
    }


def counted(day: date) -> Iterator[Row]:
    """Count a day anew from its events: (metric, creator, item, part, value), whatever was stored of it.

    What adds up other figures (`lengths`, `branding`) reads those that are stored.
    """
    said = asked(day)
    for counting in COUNTINGS:
        with connection.cursor() as cursor:
            cursor.execute(counting.rows(), said)
            yield from cursor.fetchall()


class Difference(NamedTuple):
    """A figure that does not stand as it would be counted now; 0: it does not stand, or nothing is counted."""

    metric: str
    creator: int | None
    item: int | None
    part: str
    stored: int
    counted: int


def differences(day: date) -> list[Difference]:
    """Return in what a day's figures are unlike what its events say now."""
    rows = DailyFigure.objects.filter(day=day).values_list("metric", "creator", "item", "part", "value")
    stored: dict[Any, int] = {(metric, creator, item, part): value for metric, creator, item, part, value in rows}
    now = {(metric, creator, item, part[:LONGEST_PART]): value for metric, creator, item, part, value in counted(day)}
    unlike = [of for of in stored.keys() | now.keys() if stored.get(of) != now.get(of)]
    return [
        Difference(metric, creator, item, part, stored.get(of, 0), now.get(of, 0))
        for of in sorted(unlike, key=str)
        for metric, creator, item, part in (of,)
    ]


def days_counted(*, since: date | None = None, until: date | None = None) -> list[date]:
    """Return the days that were counted, of those asked for, ascending."""
    found = CountedDay.objects.filter(**{"day__gte": since} if since else {}, **{"day__lte": until} if until else {})
    return list(found.order_by("day").values_list("day", flat=True))


def today(at: datetime) -> date:
    """Return which day it is by the tenant's clock."""
    return tenants_time(at).date()


def days_due(*, at: datetime) -> list[date]:
    """Return the days to be counted: today, those never counted since the first event, late and settling ones.

    Late events of days before yesterday wait for a day's first round, so that each is counted again once a day at most.
    """
    now = today(at)
    last = CountedDay.objects.order_by("-day").first()
    if last is None:
        return _days(_first(now), now)
    is_first_round = last.day < now
    since = span(last.day)[0] if is_first_round else last.counted_at - timedelta(hours=2)
    oldest = date.min if is_first_round else now - timedelta(days=1)
    late = {day for day in _late(since) if oldest <= day <= now}
    return sorted(late | _settling(now, at) | set(_days(min(last.day, now), now)))


def _first(now: date) -> date:
    """Return from which day on a tenant is counted that never was."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST, {"tenant": current_tenant_id(), "zone": current_tenant().time_zone})
        [(first,)] = cursor.fetchall()
    return max(first, now - timedelta(days=MOST_DAYS_BACK)) if first else now


def _late(since: datetime) -> set[date]:
    with connection.cursor() as cursor:
        cursor.execute(LATE, {"tenant": current_tenant_id(), "zone": current_tenant().time_zone, "since": since})
        return {day for (day,) in cursor.fetchall()}


def _settling(now: date, at: datetime) -> set[date]:
    """Return the days that were not counted since they should have been once more."""
    recent = CountedDay.objects.filter(day__lt=now, day__gte=now - SETTLES[-1] - timedelta(days=7))
    return {
        day
        for day, counted_at in recent.values_list("day", "counted_at")
        if any(counted_at < span(day)[1] + after <= at for after in SETTLES)
    }


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
