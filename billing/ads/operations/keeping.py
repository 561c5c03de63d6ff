"""Letting old offers go: their days are summed up once all is decided, and what nothing needs any more is deleted.

What is still needed: of a campaign that may be seen again, what was seen (for its caps); what was found to be no
viewer's; what a trial of loads that runs is read from; and the youngest, for learning. The ledger, charges and shares
are made of flights, not of offers.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet

from billing.ads.models import Campaign, LoadTrial, Offer, OfferDay
from billing.ads.operations.lapsing import MOST_HELD
from billing.ads.queries.rules import ad_rules
from billing.ads.queries.shares import day_of
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

DECIDED = MOST_HELD + timedelta(days=1)  # after it was offered an offer is billed or has lapsed
BATCH = 5_000

# Where the tenant's clock was changed a day may come twice: it is one. What another worker has just summed up is not
# added to it.
SUM_UP = """
INSERT INTO ads_offerday AS d (tenant_id, flight_id, day, starts_at, ends_at, offers, views, clicks, held, billed,
                               spent, gone, gone_spent)
SELECT %(tenant)s, flight_id, %(day)s, %(since)s, %(until)s, count(*), count(viewed_at), count(clicked_at),
       count(*) FILTER (WHERE odd <> ''), count(billed_at),
       coalesce(sum(price) FILTER (WHERE billed_at IS NOT NULL), 0), 0, 0
FROM ads_offer WHERE tenant_id = %(tenant)s AND offered_at >= %(since)s AND offered_at < %(until)s GROUP BY flight_id
ON CONFLICT (tenant_id, flight_id, day) DO UPDATE SET ends_at = excluded.ends_at, offers = d.offers + excluded.offers,
    views = d.views + excluded.views, clicks = d.clicks + excluded.clicks, held = d.held + excluded.held,
    billed = d.billed + excluded.billed, spent = d.spent + excluded.spent
WHERE d.ends_at <= excluded.starts_at
"""
DROP = """
WITH old AS (
    SELECT o.id FROM ads_offer o
    WHERE o.tenant_id = %(tenant)s AND o.flight_id = %(flight)s
      AND o.offered_at >= %(since)s AND o.offered_at < %(until)s
      AND (o.lapsed_at IS NOT NULL AND (%(seen_too)s OR o.viewed_at IS NULL)
           OR o.billed_at IS NOT NULL AND %(seen_too)s)
      AND NOT EXISTS (SELECT FROM ads_invalidevent i WHERE i.tenant_id = o.tenant_id AND i.offer_id = o.id)
    ORDER BY o.id LIMIT %(most)s FOR UPDATE
), dropped AS (
    DELETE FROM ads_offer o USING old WHERE o.tenant_id = %(tenant)s AND o.id = old.id
    RETURNING o.price, o.billed_at
)
SELECT count(*), coalesce(sum(price) FILTER (WHERE billed_at IS NOT NULL), 0)::bigint FROM dropped
"""


@transaction.atomic
def sum_up_next(*, at: datetime) -> int:
    """Sum up the offers of the oldest day that is not, flight by flight; 0 when none is old enough or all decided."""
    known = OfferDay.objects.aggregate(until=Max("ends_at"))["until"]
    rest = Offer.objects.filter(offered_at__lt=at - DECIDED)
    rest = rest.filter(offered_at__gte=known) if known else rest
    first = rest.order_by("offered_at").values_list("offered_at", flat=True).first()
    if first is None:
        return 0
    day = first.astimezone(ZoneInfo(current_tenant().time_zone)).date()
    since, until = day_of(day)
    since = max(since, known) if known else since
    of_day = Offer.objects.filter(offered_at__gte=since, offered_at__lt=until)
    if until > at - DECIDED or of_day.filter(billed_at=None, lapsed_at=None).exists():
        return 0
    told: dict[str, Any] = {"tenant": current_tenant_id(), "day": day, "since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(SUM_UP, told)
        summed: int = cursor.rowcount
    return summed


def drop_next(*, at: datetime, most: int = BATCH) -> int:
    """Delete so many offers of a day that is older than offers are kept, and say whether there is more to look at."""
    before = _kept_since(at)
    unseen = OfferDay.objects.filter(unseen_gone_at=None, ends_at__lte=before)
    over = OfferDay.objects.filter(_nobody_sees_it_again(before), gone_at=None, ends_at__lte=before)
    for rows, name in ((unseen, "unseen_gone_at"), (over, "gone_at")):
        if _dropped(rows, name, at, most):
            return 1
    return 0


def _kept_since(at: datetime) -> datetime:
    """Return since when all offers are kept: for so many days, and longer while loads are tried on viewers."""
    kept = at - timedelta(days=ad_rules(current_tenant()).keep_days)
    tried = LoadTrial.objects.filter(ended_at=None).aggregate(since=Min("starts_at"))["since"]
    return min(kept, tried) if tried else kept


@transaction.atomic
def _dropped(rows: QuerySet[OfferDay], name: str, at: datetime, most: int) -> bool:
    """Delete a batch of the first of these days, and note when it was the last one; False when there is none."""
    day = rows.select_for_update(of=("self",), no_key=True, skip_locked=True).order_by("ends_at", "pk").first()
    if day is None:
        return False
    told: dict[str, Any] = {"tenant": current_tenant_id(), "flight": day.flight_id, "most": most}
    told |= {"since": day.starts_at, "until": day.ends_at, "seen_too": name == "gone_at"}
    with connection.cursor() as cursor:
        cursor.execute(DROP, told)
        many, spent = cursor.fetchone()
    changes: dict[str, Any] = {"gone": F("gone") + many, "gone_spent": F("gone_spent") + spent}
    OfferDay.objects.filter(pk=day.pk).update(**changes, **({name: at} if many < most else {}))
    return True


def _nobody_sees_it_again(before: datetime) -> Q:
    """Return the condition of a day whose campaign has ended so long ago, and has nothing to give back."""
    is_settled = Q(given_back__isnull=False) | Q(committed=0)
    ended = Campaign.objects.filter(is_settled, state=Campaign.State.ENDED, ends_at__lte=before)
    return Q(Exists(ended.filter(pk=OuterRef("flight__campaign"))))
