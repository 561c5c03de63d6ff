"""How viewers come over the day, and what of a flight's plan falls on today."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from billing.ads.market.pacing import HOURS, Plan, even
from billing.ads.models import Flight
from billing.ads.models.campaigns import MICROS
from kpplatform.tenancy.scope import current_tenant

LOOKED_BACK = timedelta(days=7)

# Whole hours: the one that has just begun would be taken for a slow one. Who sees no ads is nobody to spend it on.
TRAFFIC = """
SELECT day, hour, sum(places)::float FROM ads_placecount
WHERE tenant_id = %(tenant)s AND outcome <> 'tier' AND (day, hour) >= (%(since)s, %(hour)s)
  AND (day, hour) < (%(day)s, %(hour)s)
GROUP BY 1, 2 ORDER BY 1, 2
"""

_traffic: dict[int, tuple[int, list[float]]] = {}  # by tenant: the hour in which it was counted


def traffic_of_day(*, at: datetime) -> list[float]:
    """Return how many places for ads came in each hour of the tenant's day lately; an even day until it is known.

    All that were asked for, not those alone that found an ad: what was slowed down would look like few viewers. A
    process looks once an hour.
    """
    tenant, hour = current_tenant(), int(at.timestamp()) // 3_600
    if (known := _traffic.get(tenant.pk)) and known[0] == hour:
        return known[1]
    now = at.astimezone(ZoneInfo(tenant.time_zone))
    told: dict[str, Any] = {"tenant": tenant.pk, "day": now.date(), "hour": now.hour}
    told["since"] = told["day"] - LOOKED_BACK
    with connection.cursor() as cursor:
        cursor.execute(TRAFFIC, told)
        traffic = _means(cursor.fetchall(), now)
    _traffic[tenant.pk] = hour, traffic
    return traffic


def _means(counted: Sequence[tuple[date, int, float]], now: datetime) -> list[float]:
    """Return the mean of each hour since the first: in a tenant's first days some hours came once more than others."""
    sums = [0.0] * HOURS
    for _, hour, places in counted:
        sums[hour] += places
    if not all(sums):
        return even()
    first, begin, _ = counted[0]
    days = (now.date() - first).days
    return [sums[hour] / (days + (hour < now.hour) - (hour < begin)) for hour in range(HOURS)]


class Today(NamedTuple):
    """What a flight has spent today, and what it was to have spent by now if it is spent like viewers come; micros."""

    spent: int
    planned: int | None  # none: as soon as can be


def today_of(flight: Flight, *, traffic: list[float], zone: ZoneInfo, at: datetime) -> Today:
    """Return the flight's today: from the tenant's midnight on, of a day's part no more than that."""
    now = at.astimezone(zone)
    spent = flight.spent_today if flight.today == now.date() else 0
    if not flight.is_even or not flight.budget:
        return Today(spent, None)
    span = (flight.starts_at.astimezone(zone), flight.ends_at.astimezone(zone))
    plan = Plan(*span, flight.budget * MICROS, traffic)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    planned = plan.spent_by(now) - plan.spent_by(midnight)
    return Today(spent, planned if flight.daily is None else min(planned, flight.daily * MICROS))
