"""Whose a share is: the creator's, those' who agreed on a part of it, and those' who brought the buyer."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from billing.models import AffiliateTerms, Collaboration, LineShare, OrderLine, Referral
from billing.money import WHOLE_BPS, Money
from creators.models import Creator
from kpplatform.tenancy.scope import current_tenant

DAYS = 30  # how long a referral counts, unless the tenant's settings say otherwise (affiliate_days)
Role = LineShare.Role


def share_out(line: OrderLine, *, currency: str, at: datetime) -> list[LineShare]:
    """Write down whose the line's share is, as it is agreed when the order is placed; nothing if it is one's alone.

    A tip is its creator's, and what is the tenant's own is nobody else's.
    """
    if line.creator_id is None or line.kind == OrderLine.Kind.TIP or not line.share:
        return []
    worked = _collaborators(line, at)
    brought = _affiliates(line, {line.creator_id, *(creator for creator, _ in worked)}, at)
    if not worked and not brought:
        return []
    whose = [*((of, Role.AFFILIATE) for of, _ in brought), *((of, Role.COLLABORATOR) for of, _ in worked)]
    whose.append((line.creator_id, Role.OWNER))
    amounts = divide(Money(line.share, currency), brought=[bps for _, bps in brought], worked=[b for _, b in worked])
    shares = [
        LineShare(line=line, creator_id=creator, role=role, amount=amount.minor)
        for (creator, role), amount in zip(whose, amounts, strict=True)
        if amount
    ]
    return LineShare.objects.bulk_create(shares)


def share_out_all(lines: Sequence[OrderLine], *, at: datetime) -> None:
    """Do so for many lines; those of creators who share nothing are not looked at one by one."""
    creators = {line.creator_id for line in lines}
    working = Collaboration.objects.filter(owner__in=creators, ended_at=None).values_list("owner_id", flat=True)
    paying = AffiliateTerms.objects.filter(creator__in=creators, ends_at=None).values_list("creator_id", flat=True)
    sharing = {*working, *paying}
    for line in lines:
        if line.creator_id in sharing:
            share_out(line, currency=line.order.currency, at=at)


def divide(share: Money, *, brought: Sequence[int], worked: Sequence[int]) -> tuple[Money, ...]:
    """Return the parts of who brought the buyer, then of who worked on it, of what is left, then the creator's own.

    All in basis points. Sums to the share, to the minor unit.
    """
    *first, rest = share.split(*brought, WHOLE_BPS - sum(brought))
    *second, own = rest.split(*worked, WHOLE_BPS - sum(worked))
    return (*first, *second, own)


def _collaborators(line: OrderLine, at: datetime) -> list[tuple[int, int]]:
    """Return which creators agreed on how much of what is sold."""
    of = {"item": line.item_id} if line.item_id else {"product": line.product_id}
    agreed = Collaboration.objects.filter(**of, owner=line.creator_id, agreed_at__lte=at, ended_at=None)
    return list(agreed.order_by("pk").values_list("creator_id", "bps"))


def _affiliates(line: OrderLine, others: set[int], at: datetime) -> list[tuple[int, int]]:
    """Return who brought the buyer and who recruited those, with their parts; nobody for bringing themselves.

    Who has a part already gets no second one.
    """
    terms = AffiliateTerms.objects.filter(creator=line.creator_id, ends_at=None).first()
    since = at - timedelta(days=current_tenant().settings.get("affiliate_days", DAYS))
    came = Referral.objects.filter(viewer=line.order.viewer_id, referred_at__gt=since, referred_at__lte=at)
    related = ("affiliate__creator", "affiliate__recruiter__creator")
    last = came.select_related(*related).order_by("-referred_at", "-pk").first() if terms else None
    if terms is None or last is None:
        return []
    levels = [(last.affiliate, terms.first_bps), (last.affiliate.recruiter, terms.second_bps)]
    found = [(of.creator, bps) for of, bps in levels if of]
    if not _may_gain(found[0][0], line, others):
        return []
    return [(of.pk, bps) for of, bps in found if bps and _may_gain(of, line, others)]


def _may_gain(creator: Creator, line: OrderLine, others: set[int]) -> bool:
    return creator.member_id != line.order.viewer_id and creator.pk not in others
