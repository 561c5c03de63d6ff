"""Agreeing on parts of a share: with who works on something, and with who brings buyers."""

import secrets
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Sum

from billing.models import Affiliate, AffiliateTerms, Collaboration, Product, Referral
from billing.money import WHOLE_BPS
from billing.operations.coupons import SYMBOLS
from billing.operations.products import must_sell
from catalog.models import Item
from catalog.operations import NotYours
from creators.models import Creator
from creators.operations import publisher
from kpplatform.errors import Conflict, Forbidden, Invalid, NotFound
from kpplatform.tenancy.models import Member


class BadShare(Invalid):
    code = "bad_share"


class AlreadySharing(Conflict):
    code = "already_sharing"


class TooMuchShared(Conflict):
    code = "too_much_shared"


class CollaborationOver(Conflict):
    code = "collaboration_over"


class AlreadyAnAffiliate(Conflict):
    code = "already_an_affiliate"


class NoSuchAffiliate(NotFound):
    code = "no_such_affiliate"


class SelfReferral(Forbidden):
    code = "self_referral"


@transaction.atomic
def propose_collaboration(
    *, by: Member, thing: Item | Product, creator: Creator, bps: int, at: datetime
) -> Collaboration:
    """Offer another creator a part of the share of what is sold from their agreement on.

    Raises NotYours, BadShare, AlreadySharing, and TooMuchShared when there is not as much left.
    """
    owner = thing.creator
    must_sell(owner, by)
    if owner is None or owner.pk == creator.pk or not 0 < bps <= WHOLE_BPS:
        raise BadShare("A part of a creator's share is for another creator.")
    # Whoever offers parts of the same thing waits here, so that together they are no more than all.
    type(thing).objects.select_for_update(no_key=True).get(pk=thing.pk)
    of = {"item": thing} if isinstance(thing, Item) else {"product": thing}
    live = Collaboration.objects.filter(**of, ended_at=None)
    if live.filter(creator=creator).exists():
        raise AlreadySharing(f"{creator} has a part of it already.")
    if (live.aggregate(all=Sum("bps"))["all"] or 0) + bps > WHOLE_BPS:
        raise TooMuchShared("There is not as much left to share.")
    return Collaboration.objects.create(owner=owner, creator=creator, bps=bps, proposed_by=by, proposed_at=at, **of)


@transaction.atomic
def agree(*, collaboration: Collaboration, by: Member, at: datetime) -> Collaboration:
    """Take the part that was offered, of all orders placed from now on. Raises NotYours and CollaborationOver."""
    collaboration = _held(collaboration)
    if collaboration.creator.member_id != by.pk:
        raise NotYours("Only who is offered a part agrees to it.")
    if collaboration.ended_at is not None:
        raise CollaborationOver("This has ended.")
    if collaboration.agreed_at is None:
        collaboration.agreed_at = at
        collaboration.save(update_fields=["agreed_at"])
    return collaboration


@transaction.atomic
def end_collaboration(*, collaboration: Collaboration, by: Member, at: datetime) -> Collaboration:
    """Share no longer; orders placed before keep their shares. Either side may, and staff. Raises NotYours."""
    collaboration = _held(collaboration)
    if collaboration.creator.member_id != by.pk:
        must_sell(collaboration.owner, by)
    if collaboration.ended_at is None:
        collaboration.ended_by, collaboration.ended_at = by, at
        collaboration.save(update_fields=["ended_by", "ended_at"])
    return collaboration


def _held(collaboration: Collaboration) -> Collaboration:
    rows = Collaboration.objects.select_related("creator", "owner").select_for_update(of=("self",), no_key=True)
    return rows.get(pk=collaboration.pk)


@transaction.atomic
def set_affiliate_terms(
    *, creator: Creator, by: Member, first_bps: int, second_bps: int, at: datetime
) -> AffiliateTerms:
    """Leave so much to who brings buyers, and to who recruited those, of orders placed from now on.

    Raises NotYours, and BadShare for more than all.
    """
    must_sell(creator, by)
    if min(first_bps, second_bps) < 0 or first_bps + second_bps > WHOLE_BPS:
        raise BadShare("Affiliates get no more than all of a share.")
    Creator.objects.select_for_update(no_key=True).get(pk=creator.pk)
    AffiliateTerms.objects.filter(creator=creator, ends_at=None).update(ends_at=at)
    offered = {"first_bps": first_bps, "second_bps": second_bps}
    return AffiliateTerms.objects.create(creator=creator, set_by=by, starts_at=at, **offered)


@transaction.atomic
def become_affiliate(*, member: Member, recruiter: str = "", at: datetime) -> Affiliate:
    """Give the member's creator a code to bring buyers by. Raises NotACreator, NoSuchAffiliate, AlreadyAnAffiliate."""
    creator = publisher(member=member)
    recruited = _affiliate(recruiter) if recruiter else None
    code = "".join(secrets.choice(SYMBOLS) for _ in range(10))
    try:
        with transaction.atomic():
            return Affiliate.objects.create(creator=creator, code=code, recruiter=recruited, joined_at=at)
    except IntegrityError as error:
        raise AlreadyAnAffiliate("One creator has one code.") from error


@transaction.atomic
def refer(*, viewer: Member, code: str, at: datetime) -> Referral:
    """Note that the viewer came by an affiliate's link. Raises NoSuchAffiliate and SelfReferral."""
    affiliate = _affiliate(code)
    if affiliate.creator.member_id == viewer.pk:
        raise SelfReferral("Nobody brings themselves.")
    return Referral.objects.create(viewer=viewer, affiliate=affiliate, referred_at=at)


def _affiliate(code: str) -> Affiliate:
    affiliate = Affiliate.objects.select_related("creator").filter(code=code.strip().upper()).first()
    if affiliate is None:
        raise NoSuchAffiliate(f"Nobody brings buyers as {code}.")
    return affiliate
