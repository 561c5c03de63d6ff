"""How viewers come over the day, and what of a flight's plan falls on today."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from billing.ads.market.pacing import HOURS, Plan, even
from billing.ads.models import Flight
from billing.ads.models.campaigns import MICROS
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

LOOKED_BACK = timedelta(days=7)

TRAFFIC = """
SELECT extract(hour FROM offered_at AT TIME ZONE %(zone)s)::int, count(*)
FROM ads_offer WHERE tenant_id = %(tenant)s AND offered_at >= %(since)s AND offered_at < %(until)s GROUP BY 1
"""

_traffic: dict[int, tuple[int, list[float]]] = {}  # by tenant: the hour in which it was counted


def traffic_of_day(*, at: datetime) -> list[float]:
    """Return how the places for ads came over the hours of the tenant's day lately; an even day until it is known.

    A process looks once an hour: it is a week's offers that are counted.
    """
    tenant, hour = current_tenant(), int(at.timestamp()) // 3_600
    if (known := _traffic.get(tenant.pk)) and known[0] == hour:
        return known[1]
    told: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "zone": tenant.time_zone,
        "since": at - LOOKED_BACK,
        "until": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(TRAFFIC, told)
        found = dict(cursor.fetchall())
    traffic = [float(found[each]) for each in range(HOURS)] if len(found) == HOURS else even()
    _traffic[tenant.pk] = hour, traffic
    return traffic


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
