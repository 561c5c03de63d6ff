"""Beginning a campaign: whom it is for is settled once, by portraits and by chance."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from billing.models import Coupon
from billing.operations.coupons import plain
from kpplatform.errors import Conflict, Invalid
from kpplatform.experiments import arm_of
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.scope import current_tenant, current_tenant_id
from recommender import queries
from recommender.models import Addressee, Campaign
from recommender.queries.campaigns import HELD_OUT, shares

AT_ONCE = 5_000
SEND = "recommender.tasks.send_campaigns"
LINK = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f\x7f]*")  # browsers pass over tabs: /⇥/ is //, another site


class ForNobody(Conflict):
    code = "for_nobody"


class NoSuchSegment(Invalid):
    code = "no_such_segment"


class CampaignNameTaken(Conflict):
    code = "campaign_name_taken"


class TwoAudiences(Invalid):
    code = "two_audiences"


class BadMessage(Invalid):
    code = "bad_message"


class CouponNotPersonal(Conflict):
    code = "coupon_not_personal"


class CouponIsOver(Conflict):
    code = "coupon_is_over"


@dataclass(frozen=True)
class Audience:
    """Whom a campaign is for: a group that staff made, by name; or a segment, by label, and those likely to leave."""

    group: str | None = None
    segment: int | None = None
    least_churn: float | None = None


@dataclass(frozen=True)
class Message:
    """What is told, in which languages, where it leads, and the code of a coupon; by notices if it is sent here."""

    message: str
    message_zh: str = ""
    message_en: str = ""
    link: str = ""
    coupon: str = ""
    is_sent_here: bool = False


@transaction.atomic
def begin_campaign(
    *, name: str, audience: Audience, message: Message, held_out: float, days: int, at: datetime
) -> Campaign:
    """Deal those whom it is for into reached and held out, by a hash of who they are; if it is sent here, send it.

    Raises NoSuchSegment, TwoAudiences, BadMessage, CouponNotPersonal, CouponIsOver, CampaignNameTaken, and ForNobody
    when they are fewer than k.
    """
    said, viewers = _audience(audience, at=at)
    fewest = queries.privacy(current_tenant()).k
    if viewers.count() < fewest:
        raise ForNobody(f"It would be for fewer than {fewest} viewers.")
    said |= asdict(message) | {"coupon": _coupon(message, at=at)}
    try:
        with transaction.atomic():
            campaign = Campaign.objects.create(name=name, begun_at=at, held_out=held_out, days=days, **said)
    except IntegrityError as error:
        raise CampaignNameTaken(f"There is a campaign {name} already, or one with this coupon.") from error
    if campaign.is_sent_here:
        enqueue(SEND, key=SEND)
    return _dealt(campaign, viewers)


@transaction.atomic
def stop_campaign(*, campaign: Campaign, at: datetime) -> Campaign:
    """Tell nobody any more, but for the viewers who are being told at this moment; twice is once.

    Who was told keeps the notice and the coupon, and what the reached do is still counted beside the held-out.
    """
    Campaign.objects.filter(pk=campaign.pk, stopped_at=None).update(stopped_at=at)
    campaign.refresh_from_db(fields=["stopped_at"])
    return campaign


def _audience(of: Audience, *, at: datetime) -> tuple[dict[str, Any], QuerySet[Any, int]]:
    """Return what the campaign notes of whom it is for, and their ids."""
    if of.segment is None and of.least_churn is None and of.group is None:
        raise NoSuchSegment("A campaign is for a group, a segment, or those likely to leave.")
    if of.group is not None:
        if of.segment is not None or of.least_churn is not None:
            raise TwoAudiences("A campaign is for a group, or for a segment and those likely to leave: not for both.")
        made = queries.groups().filter(name=of.group).first()
        if made is None:
            raise NoSuchSegment(f"There is no group {of.group}.")
        return {"group": made}, queries.viewers_of(made.rules, at=at)
    segment = queries.segments().filter(label=of.segment).first() if of.segment is not None else None
    if of.segment is not None and segment is None:
        raise NoSuchSegment(f"There is no segment {of.segment}.")
    viewers = queries.viewers_like(segment=segment, least_churn=of.least_churn)
    return {"segment": segment, "least_churn": of.least_churn}, viewers


def _coupon(message: Message, *, at: datetime) -> Coupon | None:
    """Return the coupon that is given to those who are told; look at where the message leads, too."""
    if message.link and not LINK.fullmatch(message.link):
        raise BadMessage("A link leads to a page of the site: it begins with one /.")
    if not message.coupon:
        return None
    if not message.is_sent_here:
        raise BadMessage("A coupon is given to those whom the platform tells: the campaign is to be sent here.")
    found = Coupon.objects.filter(code=plain(message.coupon), withdrawn_at=None).first()
    if found is None or not found.is_personal:
        raise CouponNotPersonal(f"There is no personal coupon {message.coupon}; of any other the held-out would hear.")
    if found.ends_at is not None and found.ends_at <= at:
        raise CouponIsOver(f"The coupon {found} is over.")
    return found


def _dealt(campaign: Campaign, viewers: QuerySet[Any, int]) -> Campaign:
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
