"""Beginning a campaign: whom it is for is settled once, by portraits and by chance."""

from datetime import datetime
from itertools import islice

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from kpplatform.errors import Conflict, Invalid
from kpplatform.experiments import arm_of
from kpplatform.tenancy.scope import current_tenant, current_tenant_id
from recommender import queries
from recommender.models import Addressee, Campaign, Portrait
from recommender.queries.campaigns import HELD_OUT, shares

AT_ONCE = 5_000


class ForNobody(Conflict):
    code = "for_nobody"


class NoSuchSegment(Invalid):
    code = "no_such_segment"


class CampaignNameTaken(Conflict):
    code = "campaign_name_taken"


@transaction.atomic
def begin_campaign(
    *,
    name: str,
    segment: int | None,
    least_churn: float | None,
    message: str,
    held_out: float,
    days: int,
    at: datetime,
) -> Campaign:
    """Deal those whom it is for into reached and held out, by a hash of who they are.

    Raises NoSuchSegment, CampaignNameTaken, and ForNobody when they are fewer than k or it is for no group at all.
    """
    if segment is None and least_churn is None:
        raise NoSuchSegment("A campaign is for a segment, or for those likely to leave.")
    group = queries.segments().filter(label=segment).first() if segment is not None else None
    if segment is not None and group is None:
        raise NoSuchSegment(f"There is no segment {segment}.")
    viewers = queries.viewers_like(segment=group, least_churn=least_churn)
    fewest = queries.privacy(current_tenant()).k
    if viewers.count() < fewest:
        raise ForNobody(f"It would be for fewer than {fewest} viewers.")
    said = {"segment": group, "least_churn": least_churn, "message": message, "held_out": held_out, "days": days}
    try:
        with transaction.atomic():
            campaign = Campaign.objects.create(name=name, begun_at=at, **said)
    except IntegrityError as error:
        raise CampaignNameTaken(f"There is a campaign {name} already.") from error
    return _dealt(campaign, viewers)


def _dealt(campaign: Campaign, viewers: QuerySet[Portrait, int]) -> Campaign:
    """Write down who is in which group, some at a time: a tenant may have millions."""
    dealt = {"tenant": current_tenant_id(), "experiment": f"campaign {campaign.name}", "shares": shares(campaign)}
    found = viewers.iterator(chunk_size=AT_ONCE)
    while some := list(islice(found, AT_ONCE)):
        rows = [
            Addressee(campaign=campaign, viewer_id=viewer, is_held_out=arm_of(viewer, **dealt) == HELD_OUT)  # type: ignore[arg-type]
            for viewer in some
        ]
        Addressee.objects.bulk_create(rows)
        spared = sum(row.is_held_out for row in rows)
        campaign.spared += spared
        campaign.reached += len(rows) - spared
    campaign.save(update_fields=["spared", "reached"])
    return campaign
