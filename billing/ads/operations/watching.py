"""Looking back on each day of each flight: what was it like, and was that likely?"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from billing.ads.market.forecast import Forecast, forecast
from billing.ads.models import Anomaly, CampaignChange, Flight, FlightDay
from billing.ads.models.campaigns import MICROS
from billing.ads.operations.lapsing import NothingToDecide
from billing.ads.operations.reviewing import NoReason
from billing.ads.queries.shares import day_of
from billing.operations.staff import must_run_the_tenant
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

AFTER = timedelta(hours=1)  # what was offered at the last moment is seen by then
LOOKED_BACK = 7  # days, should the clock have stood still
REMEMBERED = 60  # days of a flight that a forecast is made of
LEAST_OFFERS = 20  # that a share is told of
MUCH_HELD = 0.1  # of a day's offers
Measure, Reason = Anomaly.Measure, Anomaly.Reason

# A flight that was on all day: launched before it began, and not ended before it was over.
COUNT = """
INSERT INTO ads_flightday (tenant_id, flight_id, day, offers, views, clicks, held, billed, spent, made_at)
SELECT %(tenant)s, f.id, %(day)s, count(o.id), count(o.viewed_at) FILTER (WHERE o.odd = ''),
       count(o.clicked_at) FILTER (WHERE o.odd = ''), count(o.id) FILTER (WHERE o.odd <> ''), count(o.billed_at),
       coalesce(sum(o.price) FILTER (WHERE o.billed_at IS NOT NULL), 0), %(at)s
FROM ads_flight f
LEFT JOIN ads_offer o ON o.tenant_id = f.tenant_id AND o.flight_id = f.id
    AND o.offered_at >= %(since)s AND o.offered_at < %(until)s
WHERE f.tenant_id = %(tenant)s AND f.starts_at <= %(since)s AND f.ends_at >= %(until)s
  AND EXISTS (SELECT FROM ads_campaignchange h WHERE h.tenant_id = f.tenant_id AND h.campaign_id = f.campaign_id
              AND h.what = 'live' AND h.changed_at <= %(since)s)
  AND NOT EXISTS (SELECT FROM ads_campaignchange h WHERE h.tenant_id = f.tenant_id AND h.campaign_id = f.campaign_id
                  AND h.what = 'ended' AND h.changed_at < %(until)s
                  AND NOT EXISTS (SELECT FROM ads_campaignchange e WHERE e.tenant_id = h.tenant_id
                                  AND e.campaign_id = h.campaign_id AND e.id > h.id AND e.changed_at <= %(since)s
                                  AND e.what LIKE 'flight %% extended'))
GROUP BY f.id
ON CONFLICT DO NOTHING
"""


def look_back_next(*, at: datetime) -> int:
    """Count the oldest day that was not counted yet, flight by flight, and note what was odd; 0 when none is left."""
    last = FlightDay.objects.order_by("-day").values_list("day", flat=True).first()
    yesterday = (at - AFTER).astimezone(ZoneInfo(current_tenant().time_zone)).date() - timedelta(days=1)
    first = yesterday - timedelta(days=LOOKED_BACK - 1)
    day = max(first, last + timedelta(days=1)) if last else first
    while day <= yesterday:
        if counted := look_back(day=day, at=at):
            return counted
        day += timedelta(days=1)
    return 0


@transaction.atomic
def look_back(*, day: date, at: datetime) -> int:
    """Count a day of all flights that were on, once, and note what the days before do not make likely."""
    since, until = day_of(day)
    told: dict[str, Any] = {"tenant": current_tenant_id(), "day": day, "since": since, "until": until, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, told)
        counted: int = cursor.rowcount
    if counted:
        _note_odd(day, at)
    return counted


def _note_odd(day: date, at: datetime) -> None:
    of_day = FlightDay.objects.filter(day=day).select_related("flight__campaign")
    begin = day - timedelta(days=REMEMBERED)
    flights = of_day.values("flight")
    rows = FlightDay.objects.filter(day__lt=day, day__gte=begin, flight__in=flights).order_by("day")
    past: dict[int, list[FlightDay]] = defaultdict(list)
    for row in rows:
        past[row.flight_id].append(row)
    found = [(row, measure, *odd) for row in of_day for measure, odd in judged(row, past[row.flight_id]).items()]
    if not found:
        return
    together = _together(day)
    changes: dict[int, set[str]] = defaultdict(set)
    since, until = day_of(day)
    for campaign, what in CampaignChange.objects.filter(changed_at__gte=since, changed_at__lt=until).values_list(
        "campaign", "what"
    ):
        changes[campaign].add(what)
    Anomaly.objects.bulk_create(
        Anomaly(
            day=row,
            measure=measure,
            seen=seen,
            expected=likely.expected,
            low=likely.low,
            high=likely.high,
            reason=_reason(row, changes[row.flight.campaign_id], is_below=seen < likely.low, together=together),
            found_at=at,
        )
        for row, measure, seen, likely in found
    )


def judged(row: FlightDay, past: Sequence[FlightDay]) -> dict[Anomaly.Measure, tuple[float, Forecast]]:
    """Return what is odd about a day of a flight, given the days before it: what was seen, and what was likely."""
    price = sum(of.spent for of in past) / max(sum(of.billed for of in past), 1)
    measured: dict[Anomaly.Measure, tuple[float, Forecast | None]] = {
        Measure.VIEWS: (row.views, forecast([of.views for of in past], chance=1.0)),
        Measure.CLICKS: (row.clicks, forecast([of.clicks for of in past], chance=1.0)),
        Measure.SPEND: (row.spent, forecast([of.spent for of in past], chance=price)),
    }
    shares = [of.views / of.offers for of in past if of.offers >= LEAST_OFFERS]
    if row.offers >= LEAST_OFFERS and shares:
        mean = sum(shares) / len(shares)
        likely = forecast(shares, chance=(1 - mean) / row.offers, most=1.0)
        measured[Measure.FILL] = (row.views / row.offers, likely)
    return {of: (float(seen), likely) for of, (seen, likely) in measured.items() if likely and likely.is_odd(seen)}


def _together(day: date) -> int:
    """Return whether the flights had as unusual a day on average: -1 with fewer places, 1 with more, 0 neither."""
    begin = day - timedelta(days=REMEMBERED)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day, avg(offers) FROM ads_flightday WHERE tenant_id = %s AND day >= %s AND day <= %s"
            " GROUP BY day ORDER BY day",
            [current_tenant_id(), begin, day],
        )
        *past, (_, seen) = cursor.fetchall()
    likely = forecast([float(offers) for _, offers in past], chance=1.0)
    if likely is None or not likely.is_odd(float(seen)):
        return 0
    return -1 if seen < likely.low else 1


def _reason(row: FlightDay, changes: set[str], *, is_below: bool, together: int) -> Anomaly.Reason:
    """Return what is known that may have made the day odd, the surest first."""
    flight: Flight = row.flight
    if is_below and (flight.campaign.state == "paused" or "paused" in changes):
        return Reason.PAUSED
    if is_below and flight.charged * MICROS >= (flight.budget - 1) * MICROS:
        return Reason.USED_UP
    if any(what.startswith("creative") for what in changes):
        return Reason.CHANGED
    if is_below and row.held > MUCH_HELD * row.offers:
        return Reason.HELD
    if together == (-1 if is_below else 1):
        return Reason.TOGETHER
    return Reason.UNKNOWN


@transaction.atomic
def explain_anomaly(*, anomaly: Anomaly, by: Member, note: str, at: datetime) -> Anomaly:
    """Say what it was. Raises StaffOnly, NoReason and NothingToDecide."""
    must_run_the_tenant(by)
    if not note.strip():
        raise NoReason("It is said in words.")
    anomaly = Anomaly.objects.select_for_update(no_key=True).get(pk=anomaly.pk)
    if anomaly.explained_at:
        raise NothingToDecide("It was explained.")
    anomaly.note, anomaly.by, anomaly.explained_at = note.strip(), by, at
    anomaly.save(update_fields=["note", "by", "explained_at"])
    return anomaly
