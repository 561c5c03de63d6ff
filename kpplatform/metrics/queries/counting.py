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

# Days of which something came in since they were counted, by what BRIN knows of when rows were written.
LATE = """
    SELECT DISTINCT (started_at AT TIME ZONE %(zone)s)::date FROM catalog_watch
    WHERE tenant_id = %(tenant)s AND received_at >= %(since)s
    UNION SELECT DISTINCT (visited_at AT TIME ZONE %(zone)s)::date FROM metrics_visit
    WHERE tenant_id = %(tenant)s AND received_at >= %(since)s
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
    """Return the days to be counted: today, those never counted since the first event, and those that got late ones."""
    now = today(at)
    last = CountedDay.objects.order_by("-day").first()
    told: Asked = {"tenant": current_tenant_id(), "zone": current_tenant().time_zone}
    with connection.cursor() as cursor:
        if last is None:
            cursor.execute(FIRST, told)
            [(first,)] = cursor.fetchall()
            oldest = now - timedelta(days=MOST_DAYS_BACK)
            return _days(max(first, oldest) if first else now, now)
        cursor.execute(LATE, {**told, "since": last.counted_at - timedelta(minutes=5)})
        late = {day for (day,) in cursor.fetchall()}
    return sorted({day for day in late if day <= now} | set(_days(last.day, now)))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
