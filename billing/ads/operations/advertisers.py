"""Who advertises."""

from datetime import datetime

from django.db import transaction

from billing.ads.models import Advertiser, Campaign, CampaignChange
from billing.models import Order, Product
from billing.money import EXPONENTS, Money
from billing.operations.orders import order_all
from billing.operations.staff import must_run_the_tenant
from billing.operations.wanted import Wanted
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member

LEAST = 100  # whole units of the currency, paid in at once


class AlreadyAdvertising(Conflict):
    code = "already_advertising"


class NoName(Invalid):
    code = "no_name"


class NotYourAdvertiser(Forbidden):
    code = "not_your_advertiser"


class TooLittle(Invalid):
    code = "too_little"


class AdvertiserBlocked(Forbidden):
    code = "advertiser_blocked"


@transaction.atomic
def advertise(*, member: Member, name: str, at: datetime) -> Advertiser:
    """Let the member act for an advertiser of this name, which viewers see. Raises NoName and AlreadyAdvertising."""
    if not name.strip():
        raise NoName("An advertiser has a name.")
    made, is_new = Advertiser.objects.get_or_create(member=member, defaults={"name": name.strip(), "made_at": at})
    if not is_new and made.name != name.strip():
        raise AlreadyAdvertising(f"You advertise as {made.name} already.")
    return made


@transaction.atomic
def top_up(*, advertiser: Advertiser, by: Member, amount: Money, key: str, at: datetime) -> Order:
    """Order so much for the advertiser's balance: an order like any other, to be paid.

    The same key gives the same order. Raises NotYourAdvertiser, AdvertiserBlocked, and TooLittle.
    """
    if by.pk != advertiser.member_id:
        raise NotYourAdvertiser("Only who advertises pays in.")
    must_act_for(advertiser, by)
    least = LEAST * 10 ** EXPONENTS[amount.currency]
    if amount.minor < least:
        raise TooLittle(f"{Money(least, amount.currency)} at least are paid in.")
    product = Product.objects.filter(kind=Product.Kind.AD_BALANCE, currency=amount.currency).first()
    product = product or Product.objects.create(
        kind=Product.Kind.AD_BALANCE,
        title="Ads 广告",
        amount=least,
        currency=amount.currency,
        is_open=True,
        made_at=at,
    )
    return order_all(viewer=by, wanted=[Wanted(product=product, amount=amount)], key=key, at=at)


@transaction.atomic
def block_advertiser(*, advertiser: Advertiser, by: Member, reason: str, at: datetime) -> Advertiser:
    """Let none of their ads stand anywhere; what was seen is still billed. Raises StaffOnly."""
    return _set_blocked(advertiser, at, by=by, reason=reason, at=at)


@transaction.atomic
def unblock_advertiser(*, advertiser: Advertiser, by: Member, at: datetime) -> Advertiser:
    """Let their ads compete again. Raises StaffOnly."""
    return _set_blocked(advertiser, None, by=by, reason="", at=at)


def _set_blocked(
    advertiser: Advertiser, blocked_at: datetime | None, *, by: Member, reason: str, at: datetime
) -> Advertiser:
    must_run_the_tenant(by)
    advertiser = Advertiser.objects.select_for_update(no_key=True).get(pk=advertiser.pk)
    if bool(advertiser.blocked_at) != bool(blocked_at):
        advertiser.blocked_at = blocked_at
        advertiser.save(update_fields=["blocked_at"])
        what = "advertiser blocked" if blocked_at else "advertiser unblocked"
        for campaign in Campaign.objects.filter(advertiser=advertiser).exclude(state=Campaign.State.ENDED):
            CampaignChange.objects.create(campaign=campaign, by=by, what=what, reason=reason, changed_at=at)
    return advertiser


def must_act_for(advertiser: Advertiser, by: Member) -> None:
    """Raise NotYourAdvertiser unless the member advertises so or is staff, AdvertiserBlocked for who is blocked."""
    if by.runs_the_tenant:
        return
    if advertiser.member_id != by.pk:
        raise NotYourAdvertiser(f"You do not act for {advertiser}.")
    if advertiser.blocked_at:
        raise AdvertiserBlocked("Your ads were stopped by staff; please write to them.")
