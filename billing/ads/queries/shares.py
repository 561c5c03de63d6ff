"""Whose items were watched: what a day's income from ads is shared by."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet, Sum

from billing.ads.models import Share
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

# A qualified view, in one place: AdRules.told says it in words.
QUALIFIED = """
SELECT i.creator_id, count(DISTINCT (w.viewer_id, w.item_id))
FROM catalog_watch w
JOIN catalog_item i ON i.tenant_id = w.tenant_id AND i.id = w.item_id
JOIN creators_creator c ON c.tenant_id = i.tenant_id AND c.id = i.creator_id
WHERE w.tenant_id = %(tenant)s AND w.started_at >= %(since)s AND w.started_at < %(until)s AND w.quarantine = ''
  AND (w.watch_ms >= %(least)s OR w.watch_ms >= w.duration_ms) AND w.viewer_id IS DISTINCT FROM c.member_id
GROUP BY i.creator_id ORDER BY i.creator_id
"""


def qualified_views(day: date, *, least_ms: int) -> dict[int, int]:
    """Return the qualified views of each creator on a day of the tenant."""
    since, until = day_of(day)
    told: dict[str, Any] = {"tenant": current_tenant_id(), "since": since, "until": until, "least": least_ms}
    with connection.cursor() as cursor:
        cursor.execute(QUALIFIED, told)
        return dict(cursor.fetchall())


def day_of(day: date) -> tuple[datetime, datetime]:
    """Return when a day of the tenant begins and ends."""
    zone = ZoneInfo(current_tenant().time_zone)
    return tuple(datetime.combine(each, datetime.min.time(), zone) for each in (day, day + timedelta(days=1)))  # type: ignore[return-value]


def shares_of(member: Member) -> QuerySet[Share]:
    """Return a creating member's parts of the income from ads, and what of each came back since, the latest first."""
    rows = Share.objects.filter(creator__member=member).select_related("sharing").order_by("-pk")
    return rows.annotate(back=Sum("taken_back__amount", default=0))
