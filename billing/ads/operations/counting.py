"""Counting the places for ads: how many there were, how many found an ad, and why the others did not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Min

from billing.ads.models import PlaceCount
from billing.ads.queries.rules import ad_rules
from kpplatform.tenancy.scope import current_tenant, current_tenant_id
from kpplatform.tenancy.statements import planned

Outcome = PlaceCount.Outcome
SHARDS = 64
OPEN_DAYS = 2  # a day's hours are counted by one row an outcome once it is so long over

# A connection adds to rows of its own share: two pages wait for each other only where the numbers of their connections
# are the same modulo the shares. Outcomes come in one order, so that those two do not wait crosswise.
ADD = """
INSERT INTO ads_placecount AS c (tenant_id, day, hour, placement, outcome, shard, places)
SELECT %(tenant)s, %(day)s, %(hour)s, %(placement)s, o.outcome, pg_backend_pid() %% %(shards)s, o.places
FROM unnest(%(outcomes)s::text[], %(places)s::bigint[]) WITH ORDINALITY AS o(outcome, places, place)
WHERE o.places > 0 ORDER BY o.place
ON CONFLICT (tenant_id, day, hour, placement, outcome, shard) DO UPDATE SET places = c.places + excluded.places
"""
FOLD = """
WITH gone AS (
    DELETE FROM ads_placecount WHERE tenant_id = %(tenant)s AND day = %(day)s AND shard <> 0
    RETURNING hour, placement, outcome, places
)
INSERT INTO ads_placecount AS c (tenant_id, day, hour, placement, outcome, shard, places)
SELECT %(tenant)s, %(day)s, hour, placement, outcome, 0, sum(places) FROM gone GROUP BY 3, 4, 5 ORDER BY 3, 4, 5
ON CONFLICT (tenant_id, day, hour, placement, outcome, shard) DO UPDATE SET places = c.places + excluded.places
"""


def note_places(outcomes: Mapping[PlaceCount.Outcome, int], *, placement: str, at: datetime) -> None:
    """Count so many places of a page by what they came to."""
    if not any(outcomes.values()):
        return
    ordered, now = sorted(outcomes), _now(at)
    told: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "day": now.date(),
        "hour": now.hour,
        "placement": placement,
        "shards": SHARDS,
        "outcomes": [str(outcome) for outcome in ordered],
        "places": [outcomes[outcome] for outcome in ordered],
    }
    with planned() as cursor:
        cursor.execute(ADD, told)


def note_unasked(
    *, first: int, size: int, why: PlaceCount.Outcome = Outcome.NO_CAMPAIGN, placement: str = "feed", at: datetime
) -> None:
    """Count the places of a page for which nobody was asked: as many as there are where no ad stood before.

    `first` is how many places the session has had before.
    """
    if every := ad_rules(current_tenant()).every:
        note_places({why: (first + size) // every - first // every}, placement=placement, at=at)


@transaction.atomic
def fold_next(*, at: datetime) -> int:
    """Let each hour of a day that is over be counted by one row an outcome; 0 when none is left."""
    rows = PlaceCount.objects.filter(day__lt=_now(at).date() - timedelta(days=OPEN_DAYS - 1), shard__gt=0)
    day = rows.aggregate(first=Min("day"))["first"]
    if day is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(FOLD, {"tenant": current_tenant_id(), "day": day})
    return 1


def _now(at: datetime) -> datetime:
    return at.astimezone(ZoneInfo(current_tenant().time_zone))
