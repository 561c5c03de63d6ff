"""What can be told of campaigns: whom to reach, and what came of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from kpplatform.tenancy.scope import current_tenant
from recommender.models import Addressee, Campaign, NoticeRefusal, Portrait, Segment
from recommender.queries.experiments import Arm, compared, outcomes
from recommender.queries.portraits import may_be_drawn
from recommender.queries.privacy import privacy

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
    """Return the viewers to whom it is sent, whoever sends it: as they are now, not as they were when it began.

    Nobody held out, nobody who wants nothing personal or to be told nothing any more, nobody suspended; nobody
    at all once it was stopped.
    """
    reached = Addressee.objects.filter(may_be_drawn("viewer"), campaign=campaign, is_held_out=False)
    refused = NoticeRefusal.objects.filter(viewer=OuterRef("viewer"))
    told = reached.filter(~Exists(refused), viewer__suspended_at=None, campaign__stopped_at=None)
    return told.select_related("viewer").order_by("viewer_id", "pk")


def viewers_like(*, segment: Segment | None, least_churn: float | None) -> QuerySet[Portrait, int]:
    """Return the viewers of a segment, of those as likely to leave, or of both, ascending."""
    found = Portrait.objects.filter(may_be_drawn("viewer"), viewer__suspended_at=None).order_by("viewer_id")
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

    As an experiment is judged: everybody who was to be reached counts, whether they read it or not. Of fewer than k
    nothing is told: the mean of one viewer is what that viewer did.
    """
    until = min(at, campaign.begun_at + timedelta(days=campaign.days))
    dealt = shares(campaign)
    arms = [_with_shares(arm) for arm in outcomes(ADDRESSED, of=campaign.pk, arms=list(dealt), until=until)]
    told, fewest = compared(arms, dealt), privacy(current_tenant()).k
    told["means"] |= {arm.name: dict.fromkeys(arm.outcome) for arm in arms if len(arm) < fewest}
    return told


def _with_shares(arm: Arm) -> Arm:
    """Tell of each viewer also whether they watched at all and whether they paid: their means are shares of viewers."""
    outcome, before = (
        {**of, "came_back": (of["active_days"] > 0).astype(float), "paid": (of["orders"] > 0).astype(float)}
        for of in (arm.outcome, arm.before)
    )
    return replace(arm, outcome=outcome, before=before)
