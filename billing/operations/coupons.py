"""Coupons: made and withdrawn by creators and staff, used under a lock when an order is placed."""

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from django.db import IntegrityError, transaction

from billing.models import Coupon, CouponHolder, CouponUse, Order, OrderLine, Product
from billing.models.coupons import CODE
from billing.money import WHOLE_BPS, Money
from billing.operations.products import must_be_a_price, must_sell
from billing.operations.taxes import PREPAID
from billing.operations.wanted import Wanted
from catalog.models import Item
from creators.models import Creator
from kpplatform.errors import Conflict, Invalid, NotFound
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

# A gift is what the giver wants to give, and what is prepaid is worth what was paid for it.
NEVER = {OrderLine.Kind.TIP.value, *PREPAID}
SYMBOLS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without those that look alike


class BadCoupon(Invalid):
    code = "bad_coupon"


class CodeTaken(Conflict):
    code = "code_taken"


class NoSuchCoupon(NotFound):
    code = "no_such_coupon"


class CouponNotValid(Conflict):
    code = "coupon_not_valid"


class CouponUsedUp(Conflict):
    code = "coupon_used_up"


class CouponUnfit(Conflict):
    code = "coupon_unfit"


class Terms(TypedDict, total=False):
    """What a coupon may say besides what it takes off."""

    item: Item | None
    product: Product | None
    most_uses: int | None
    most_each: int | None
    is_personal: bool
    ends_at: datetime | None


@transaction.atomic
def make_coupon(
    *,
    by: Member,
    creator: Creator | None,
    code: str = "",
    bps: int | None = None,
    amount: Money | None = None,
    starts_at: datetime | None = None,
    at: datetime,
    **terms: Unpack[Terms],
) -> Coupon:
    """Let buyers have something for less: for a creator's things or, without one, for everything of the tenant.

    Raises NotYours, NoSuchPrice and WrongCurrency, CodeTaken, and BadCoupon for what makes no sense.
    """
    must_sell(creator, by)
    code = plain(code) or "".join(secrets.choice(SYMBOLS) for _ in range(10))
    if amount is not None:
        must_be_a_price(amount)
    coupon = Coupon(code=code, creator=creator, bps=bps, made_by=by, made_at=at, starts_at=starts_at or at, **terms)
    coupon.amount, coupon.currency = (amount.minor if amount else None), current_tenant().currency
    _must_make_sense(coupon)
    try:
        with transaction.atomic():
            coupon.save()
    except IntegrityError as error:
        raise CodeTaken(f"There is a coupon {code}.") from error
    return coupon


def _must_make_sense(coupon: Coupon) -> None:
    owners = {of.creator_id for of in (coupon.item, coupon.product) if of}
    wrong = {
        "A code has 3 to 40 letters, digits, - and _.": not re.match(CODE, coupon.code),
        "A coupon takes a share of the price or an amount off.": (coupon.bps is None) == (coupon.amount is None),
        "The share is more than nothing, and the price at most.": not 0 < (coupon.bps or 1) <= WHOLE_BPS,
        "A coupon is for one item or one product.": bool(coupon.item and coupon.product),
        "A creator gives coupons for their own things.": bool(coupon.creator and owners - {coupon.creator_id}),
        "A coupon can be used once or more.": 0 in {coupon.most_uses, coupon.most_each},
        "It ends after it starts.": coupon.ends_at is not None and coupon.ends_at <= coupon.starts_at,
    }
    for why, is_so in wrong.items():
        if is_so:
            raise BadCoupon(why)


@transaction.atomic
def withdraw_coupon(*, coupon: Coupon, by: Member, at: datetime) -> Coupon:
    """Take the coupon no longer; orders placed with it keep their price. Twice is once. Raises NotYours."""
    coupon = _held(coupon)
    must_sell(coupon.creator, by)
    if coupon.withdrawn_at is None:
        coupon.withdrawn_by, coupon.withdrawn_at = by, at
        coupon.save(update_fields=["withdrawn_by", "withdrawn_at"])
    return coupon


@transaction.atomic
def give_coupon(*, coupon: Coupon, viewers: Iterable[int], at: datetime) -> None:
    """Let these members use a personal coupon; to whom it was given before, it is given once."""
    rows = [CouponHolder(coupon=coupon, viewer_id=viewer, given_at=at) for viewer in viewers]
    CouponHolder.objects.bulk_create(rows, ignore_conflicts=True)


def plain(code: str) -> str:
    """Return the code as it is kept: buyers may write it in small letters."""
    return code.strip().upper()


def coupon_of(code: str, *, viewer: Member, at: datetime) -> Coupon:
    """Return the coupon, if the viewer can use it now. Raises NoSuchCoupon, CouponNotValid and CouponUsedUp."""
    coupon = Coupon.objects.filter(code=plain(code)).first()
    if coupon is None:
        raise NoSuchCoupon(f"There is no coupon {code}.")
    _must_be_usable(coupon, viewer=viewer, at=at)
    return coupon


def discounts(coupon: Coupon, wanted: Sequence[Wanted], prices: Sequence[Money]) -> tuple[Money, ...]:
    """Return what the coupon takes off each price: its share of their sum rounded down, or its amount, pro rata.

    Never more than there is to pay. Raises CouponUnfit when it is for none of the things.
    """
    nothing = Money(0, prices[0].currency)
    fitting = [price if _fits(coupon, of) else nothing for of, price in zip(wanted, prices, strict=True)]
    whole = sum(price.minor for price in fitting)
    if not whole or (coupon.amount is not None and coupon.currency != nothing.currency):
        raise CouponUnfit(f"The coupon {coupon} is for other things.")
    off = min(coupon.amount, whole) if coupon.amount is not None else whole * (coupon.bps or 0) // WHOLE_BPS
    return Money(off, nothing.currency).apportion(fitting)


def redeem(coupon: Coupon, *, order: Order, at: datetime) -> None:
    """Use the coupon for an order that is being placed: whoever comes second waits, and is refused if it was the last.

    Raises CouponNotValid and CouponUsedUp.
    """
    coupon = _held(coupon)
    _must_be_usable(coupon, viewer=order.viewer, at=at)
    CouponUse.objects.create(coupon=coupon, order=order, viewer_id=order.viewer_id, used_at=at)
    coupon.uses += 1
    coupon.save(update_fields=["uses"])


def _fits(coupon: Coupon, of: Wanted) -> bool:
    """Whether the coupon is for this thing."""
    item, product, owner = of.item, of.product, of.owner
    return of.kind not in NEVER and (
        (coupon.item_id is None or (item is not None and item.pk == coupon.item_id))
        and (coupon.product_id is None or (product is not None and product.pk == coupon.product_id))
        and (coupon.creator_id is None or (owner is not None and owner.pk == coupon.creator_id))
    )


def _must_be_usable(coupon: Coupon, *, viewer: Member, at: datetime) -> None:
    is_over = coupon.ends_at is not None and coupon.ends_at <= at
    if is_over or coupon.withdrawn_at is not None or at < coupon.starts_at:
        raise CouponNotValid(f"The coupon {coupon} is not valid now.")
    if coupon.is_personal and not CouponHolder.objects.filter(coupon=coupon, viewer=viewer).exists():
        raise CouponNotValid(f"The coupon {coupon} was given to others.")
    if coupon.most_uses is not None and coupon.uses >= coupon.most_uses:
        raise CouponUsedUp(f"The coupon {coupon} has been used up.")
    if coupon.most_each is None:
        return
    if CouponUse.objects.filter(coupon=coupon, viewer=viewer, freed_at=None).count() >= coupon.most_each:
        raise CouponUsedUp(f"You have used the coupon {coupon} as often as you may.")


def _held(coupon: Coupon) -> Coupon:
    coupons = Coupon.objects.select_related("creator").select_for_update(of=("self",), no_key=True)
    return coupons.get(pk=coupon.pk)
