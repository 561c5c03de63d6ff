"""Keeping flights to their plan: every few minutes each gets a pace and a ceiling."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from billing.ads.market.pacing import AHEAD, HOURS, Plan, even, paced
from billing.ads.models import Campaign, Flight, Offer
from billing.ads.models.campaigns import MICROS
from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

EVERY = timedelta(minutes=5)  # between two looks
LOOKED_BACK = timedelta(days=7)
BATCH = 1_000

TRAFFIC = """
SELECT extract(hour FROM offered_at AT TIME ZONE %(zone)s)::int, count(*)
FROM ads_offer WHERE tenant_id = %(tenant)s AND offered_at >= %(since)s AND offered_at < %(until)s GROUP BY 1
"""


def look_at(campaign: Campaign, *, at: datetime) -> None:
    """Give the flights of a campaign that is just launched what they may spend until the next look."""
    _pace(list(Flight.objects.filter(campaign=campaign).values_list("pk", flat=True)), traffic_of_day(at=at), at)


def pace_flights(*, at: datetime) -> int:
    """Set the pace and the ceiling of every flight that is on, and say of how many."""
    traffic = traffic_of_day(at=at)
    done, last = 0, 0
    while keys := list(_on(at).filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        done, last = done + _pace(keys, traffic, at), keys[-1]
    return done


def traffic_of_day(*, at: datetime) -> list[float]:
    """Return how the places for ads came over the hours of the tenant's day lately; an even day until it is known."""
    tenant = current_tenant()
    told: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "zone": tenant.time_zone,
        "since": at - LOOKED_BACK,
        "until": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(TRAFFIC, told)
        found = dict(cursor.fetchall())
    if len(found) < HOURS:
        return even()
    return [float(found[hour]) for hour in range(HOURS)]


@transaction.atomic
def _pace(keys: Sequence[int], traffic: Sequence[float], at: datetime) -> int:
    zone = ZoneInfo(current_tenant().time_zone)
    flights = list(Flight.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    for flight in flights:
        _look(flight, traffic, at.astimezone(zone))
    update_all(flights, ["pace", "ceiling", "looked_at", "looked_spent"])
    return len(flights)


def _look(flight: Flight, traffic: Sequence[float], at: datetime) -> None:
    """Set what a flight may spend until the next look, and how eagerly it bids for it."""
    plan = Plan(
        flight.starts_at.astimezone(at.tzinfo), flight.ends_at.astimezone(at.tzinfo), flight.budget * MICROS, traffic
    )
    gone = flight.spent + flight.expected
    if flight.is_even and flight.budget:
        by_then = plan.spent_by(at + EVERY)
        ahead = int((plan.spent_by(at + timedelta(hours=1)) - plan.spent_by(at)) * AHEAD)
        if flight.looked_at:
            wanted = plan.spent_by(at) - flight.looked_spent
            flight.pace = paced(flight.pace, spent=gone - flight.looked_spent, wanted=wanted)
        flight.ceiling = by_then + ahead
    else:
        flight.pace, flight.ceiling = 1.0, None
    if flight.daily is not None:
        tonight = gone - _today(flight, at) + flight.daily * MICROS
        flight.ceiling = tonight if flight.ceiling is None else min(flight.ceiling, tonight)
    flight.looked_at, flight.looked_spent = at, gone


def _today(flight: Flight, at: datetime) -> int:
    """Return what the flight has spent and reserved since the tenant's midnight, in micros."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    offers = Offer.objects.filter(flight=flight, offered_at__gte=midnight)
    told = offers.aggregate(
        spent=Sum("price", filter=Q(billed_at__isnull=False), default=0),
        expected=Sum("expected", filter=Q(billed_at=None, lapsed_at=None), default=0),
    )
    return int(told["spent"] + told["expected"])


def _on(at: datetime) -> QuerySet[Flight]:
    """Return the flights whose time has come or comes before the next look."""
    of_live = Flight.objects.filter(campaign__state=Campaign.State.LIVE)
    return of_live.filter(starts_at__lte=at + EVERY, ends_at__gt=at).order_by("pk")
