"""Keeping flights to their plan: every few minutes each gets a pace and a ceiling."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet, Sum

from billing.ads.market.pacing import AHEAD, Plan, paced
from billing.ads.models import Campaign, Flight, Offer
from billing.ads.models.campaigns import CLOSED, MICROS
from billing.ads.queries.traffic import traffic_of_day
from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.scope import current_tenant

EVERY = timedelta(minutes=5)  # between two looks
BATCH = 200


def look_at(campaign: Campaign, *, at: datetime) -> None:
    """Give the flights of a campaign that is just launched what they may spend until the next look."""
    _pace(list(Flight.objects.filter(campaign=campaign).values_list("pk", flat=True)), traffic_of_day(at=at), at)


def pace_flights(*, at: datetime) -> None:
    """Set the pace and the ceiling of every flight that is on."""
    last: int | None = 0
    while last is not None:
        last = pace_next(at=at, after=last)


def pace_next(*, at: datetime, after: int) -> int | None:
    """Do so for some flights, those after this one, and return the last of them; None when none was left."""
    keys = list(_on(at).filter(pk__gt=after).values_list("pk", flat=True)[:BATCH])
    if not keys:
        return None
    _pace(keys, traffic_of_day(at=at), at)
    return keys[-1]


@transaction.atomic
def _pace(keys: Sequence[int], traffic: Sequence[float], at: datetime) -> None:
    zone = ZoneInfo(current_tenant().time_zone)
    held = Flight.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    flights = [flight for flight in held if flight.tonight != CLOSED]  # it may have ended a moment ago
    offered = _offered_today([flight.pk for flight in flights if flight.daily is not None], at.astimezone(zone))
    for flight in flights:
        _look(flight, traffic, at.astimezone(zone))
        if flight.daily is not None:
            flight.tonight = flight.spent + flight.daily * MICROS + offered.get(flight.pk, 0)
    update_all(flights, ["pace", "ceiling", "tonight", "looked_at", "looked_spent"])


def _look(flight: Flight, traffic: Sequence[float], at: datetime) -> None:
    """Set what a flight may spend until the next look, and how eagerly it bids for it."""
    plan = Plan(
        flight.starts_at.astimezone(at.tzinfo), flight.ends_at.astimezone(at.tzinfo), flight.budget * MICROS, traffic
    )
    gone = flight.spent + flight.expected
    if flight.is_even and flight.budget:
        by_then = plan.spent_by(at + EVERY)
        ahead = int((plan.spent_by(at + timedelta(hours=1)) - plan.spent_by(at)) * AHEAD)
        if flight.looked_at and at > plan.starts_at:
            wanted = plan.spent_by(at) - flight.looked_spent
            flight.pace = paced(flight.pace, spent=gone - flight.looked_spent, wanted=wanted)
        flight.ceiling = by_then + ahead
    else:
        flight.pace, flight.ceiling = 1.0, None
    flight.looked_at, flight.looked_spent = at, gone


def _offered_today(keys: Sequence[int], at: datetime) -> dict[int, int]:
    """Return by how much what each flight may have reserved and spent tonight differs from its spent and a day's part.

    What of its spending was offered today is a part of today's; what is held of the days before is not.
    """
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    told = Offer.objects.filter(flight__in=keys).values("flight").order_by("flight")
    spent = told.filter(offered_at__gte=midnight, billed_at__isnull=False).annotate(of=Sum("price"))
    held = (
        told.filter(offered_at__lt=midnight, billed_at=None, lapsed_at=None).exclude(odd="").annotate(of=Sum("price"))
    )
    found = {row["flight"]: int(row["of"]) for row in held}
    for row in spent:
        found[row["flight"]] = found.get(row["flight"], 0) - int(row["of"])
    return found


def _on(at: datetime) -> QuerySet[Flight]:
    """Return the flights whose time has come or comes before the next look."""
    of_live = Flight.objects.filter(campaign__state=Campaign.State.LIVE)
    return of_live.filter(starts_at__lte=at + EVERY, ends_at__gt=at).order_by("pk")
