"""What can be told of campaigns: whom to reach, and what came of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from recommender.models import Addressee, Campaign, Portrait, Segment
from recommender.queries.experiments import Arm, compared, outcomes
from recommender.queries.portraits import not_to_draw

REACHED, HELD_OUT = "reached", "held out"
ADDRESSED = """
SELECT a.id, a.viewer_id, CASE WHEN a.is_held_out THEN 'held out' ELSE 'reached' END AS arm, c.begun_at AS exposed_at
FROM recommender_addressee a JOIN recommender_campaign c ON c.tenant_id = a.tenant_id AND c.id = a.campaign_id
WHERE a.tenant_id = %(tenant)s AND a.campaign_id = %(of)s
"""


def campaigns() -> QuerySet[Campaign]:
    """Return the tenant's campaigns, the newest first."""
    return Campaign.objects.select_related("group", "segment", "coupon").order_by("-pk")


def to_reach(campaign: Campaign) -> QuerySet[Addressee]:
    """Return the viewers to whom it is sent: nobody held out, nobody who wants nothing personal any more."""
    reached = Addressee.objects.filter(campaign=campaign, is_held_out=False)
    return reached.exclude(viewer__in=not_to_draw()).select_related("viewer").order_by("viewer_id", "pk")


def viewers_like(*, segment: Segment | None, least_churn: float | None) -> QuerySet[Portrait, int]:
    """Return the viewers of a segment, of those as likely to leave, or of both, ascending."""
    found = Portrait.objects.exclude(viewer__in=not_to_draw()).order_by("viewer_id")
    if segment is not None:
        found = found.filter(segment=segment)
    if least_churn is not None:
        found = found.filter(churn__gte=least_churn)
    return found.values_list("viewer_id", flat=True)


def shares(campaign: Campaign) -> dict[str, float]:
    """Return the arms of a campaign: the held-out are the control."""
    return {HELD_OUT: campaign.held_out, REACHED: 1 - campaign.held_out}


def uplift(campaign: Campaign, *, at: datetime) -> dict[str, Any]:
    """Return what the reached did and what the held-out did in its days, and by how much they differ.

    As an experiment is judged: everybody who was to be reached counts, whether they read it or not.
    """
    until = min(at, campaign.begun_at + timedelta(days=campaign.days))
    dealt = shares(campaign)
    return compared(
        [_with_shares(arm) for arm in outcomes(ADDRESSED, of=campaign.pk, arms=list(dealt), until=until)], dealt
    )


def _with_shares(arm: Arm) -> Arm:
    """Tell of each viewer also whether they watched at all and whether they paid: their means are shares of viewers."""
    outcome, before = (
        {**of, "came_back": (of["active_days"] > 0).astype(float), "paid": (of["orders"] > 0).astype(float)}
        for of in (arm.outcome, arm.before)
    )
    return replace(arm, outcome=outcome, before=before)
