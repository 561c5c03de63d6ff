"""How often somebody has seen what, counted of the offers themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import ge
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from billing.ads.models import LoadTrial
from billing.ads.serving.live import Live
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id
from kpplatform.tenancy.statements import planned

# The lock comes with a statement of its own: what others wrote meanwhile is seen by the next one only.
HOLD = """
SELECT pg_advisory_xact_lock(hashtextextended(%(who)s, %(tenant)s)), EXISTS (
    SELECT FROM billing_subscription s
    JOIN billing_period p ON p.tenant_id = %(tenant)s AND p.subscription_id = s.id
    JOIN billing_plan l ON l.tenant_id = %(tenant)s AND l.id = p.plan_id
    JOIN billing_tier t ON t.tenant_id = %(tenant)s AND t.id = l.tier_id
    LEFT JOIN billing_order o ON o.tenant_id = %(tenant)s AND o.id = p.order_id
    WHERE s.tenant_id = %(tenant)s AND s.viewer_id = %(viewer)s AND t.is_ad_free
      AND p.starts_at <= %(at)s AND (o.id IS NULL OR o.state = 'paid')
      AND (p.ends_at > %(at)s
           OR p.ends_at > %(graced)s AND s.renews AND s.state NOT IN ('paused', 'cancelled', 'expired'))),
    EXISTS (SELECT FROM ads_loadviewer
            WHERE tenant_id = %(tenant)s AND trial_id = %(trial)s::bigint AND viewer_id = %(viewer)s)
"""
# What was seen counts, though its money was set free unclicked, or it was told of too late to be billed. What lapsed
# unseen counts in its own session only, where it lies on the viewer's page still. Who has withdrawn their consent
# since, or given it, has had the same session: nobody's rows of it are theirs.
COUNT = """
SELECT campaign_id, count(*) FILTER (WHERE counts AND offered_at >= %(midnight)s),
       count(*) FILTER (WHERE counts AND session = %(session)s), count(*) FILTER (WHERE counts),
       max(position) FILTER (WHERE session = %(session)s)
FROM (
    SELECT campaign_id, offered_at, session, position,
           lapsed_at IS NULL OR viewed_at IS NOT NULL OR session = %(session)s AS counts
    FROM ads_offer
    WHERE %(remembered)s::bool AND tenant_id = %(tenant)s AND viewer_id = %(viewer)s AND offered_at >= %(since)s
    UNION ALL
    SELECT campaign_id, offered_at, session, position,
           lapsed_at IS NULL OR viewed_at IS NOT NULL OR session = %(session)s
    FROM ads_offer
    WHERE tenant_id = %(tenant)s AND session >= %(today)s AND session < %(today)s || '~'
      AND (viewer_id = (SELECT id FROM tenancy_member WHERE tenant_id = %(tenant)s AND role = 'anonymous')
           OR NOT %(remembered)s::bool AND viewer_id = %(viewer)s)
) offers
GROUP BY campaign_id
"""
A_DAY = timedelta(days=1)  # no session is longer


@dataclass(frozen=True)
class Seen:
    """How often somebody has seen each campaign, or is just being shown it: (today, in this session, in all)."""

    times: Mapping[int, tuple[int, int, int]]
    last: int | None  # place of the session behind which the last ad stood

    def capped(self, market: Live) -> list[Sequence[int]]:
        """Return the creatives that they have seen as often as may be, campaign by campaign."""
        known = [(market.of_campaign[of], times) for of, times in self.times.items() if of in market.of_campaign]
        return [places for places, times in known if any(map(ge, times, market.caps[places[0]]))]


class Held(NamedTuple):
    """Whether a viewer sees ads at all, and whether it is noted already which load they were dealt."""

    sees_ads: bool
    is_dealt: bool


def held(viewer: Member, *, who: str, trial: LoadTrial | None, grace: timedelta, at: datetime) -> Held:
    """Wait for whoever is just deciding for the same one, until the transaction ends; tell how they stand to ads.

    They see them unless a membership takes ads away: one that is paid for, or waits within its grace to be renewed.
    """
    told: dict[str, Any] = {"viewer": viewer.pk, "who": f"ads {who}", "at": at, "graced": at - grace}
    told |= {"tenant": current_tenant_id(), "trial": trial.pk if trial else None}
    with planned() as cursor:
        cursor.execute(HOLD, told)
        row: Any = cursor.fetchone()
        return Held(sees_ads=not row[1], is_dealt=row[2])


def seen(viewer: Member, *, session: str, today: str, is_remembered: bool, since: float, at: datetime) -> Seen:
    """Return what was offered to somebody since then (seconds since the epoch), or as nobody today.

    `today` is what all their sessions of a day begin with.
    """
    midnight = at.astimezone(ZoneInfo(current_tenant().time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    told: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "viewer": viewer.pk,
        "session": session,
        "today": today,
        "remembered": is_remembered,
        "midnight": midnight,
        "since": min(datetime.fromtimestamp(since, UTC), at - A_DAY),
    }
    with planned() as cursor:
        cursor.execute(COUNT, told)
        rows = cursor.fetchall()
    return Seen(
        {row[0]: (row[1], row[2], row[3]) for row in rows},
        max((row[4] for row in rows if row[4] is not None), default=None),
    )
