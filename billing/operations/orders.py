"""Orders: what a viewer wants to buy, at today's price and terms."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from billing import providers, queries
from billing.models import Coupon, CouponUse, Order, OrderLine, Payment, PriceArm, Product
from billing.money import Money
from billing.operations.coupons import coupon_of, discounts, plain, redeem
from billing.operations.goods import AlreadyYours, NotForSale, goods_of
from billing.operations.prices import MOST
from billing.operations.rules import splits_at
from billing.operations.shares import share_out
from billing.operations.taxes import of_kind, terms_for
from billing.operations.terms import Terms
from billing.operations.tried import arms_of, note_tried
from billing.operations.wanted import Quoted, Wanted
from catalog.models import Item
from catalog.queries import published, watchable_by
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import current_tenant


class OrderKeyTaken(Conflict):
    code = "order_key_taken"


class MixedOrder(Conflict):
    code = "mixed_order"


class TooLittle(Invalid):
    code = "too_little"


def place_order(*, viewer: Member, item: Item, key: str, at: datetime) -> Order:
    """Order the item at its price in the tenant's currency, and make ready for its payment.

    The same key gives the same order. Raises NotForSale, AlreadyYours, and OrderKeyTaken for another item's key.
    """
    return order_all(viewer=viewer, wanted=[Wanted(item=item)], key=key, at=at)


@transaction.atomic
def order_all(*, viewer: Member, wanted: Sequence[Wanted], coupon: str = "", key: str, at: datetime) -> Order:
    """Order several things at once at their prices of now, and make ready for their payment.

    The same key gives the same order. What a coupon pays for wholly is the buyer's at once. Raises what `quote` raises,
    CouponUsedUp, and OrderKeyTaken for a key of an order of something else.
    """
    if placed := Order.objects.filter(viewer=viewer, key=key).first():
        return _same(placed, wanted, coupon)
    quoted, used = _quote(viewer, wanted, coupon, at)
    whole = Money(sum(of.amount.minor for of in quoted), quoted[0].amount.currency)
    priced = {"amount": whole.minor, "currency": whole.currency}
    is_new = insert_once(Order, viewer_id=viewer.pk, key=key, state=Order.State.PLACED, placed_at=at, **priced)
    order = held(Order.objects.get(viewer=viewer, key=key))
    if not is_new:
        return _same(order, wanted, coupon)
    if used:
        redeem(used, order=order, at=at)
    lines = [_line(order, of, at) for of in quoted]
    if not whole:
        return _given(order, lines, at)
    # Its key is committed with the order, before anybody asks the provider for anything.
    key = f"pay_{uuid4().hex}"
    provider = providers.checkout_provider()
    about = {"provider": provider, "is_split": splits_at(provider)}
    Payment.objects.create(order=order, key=key, created_at=at, **about, **priced)
    return order


def quote(*, viewer: Member, wanted: Sequence[Wanted], coupon: str = "", at: datetime) -> list[Quoted]:
    """Return what several things would cost the viewer now.

    Raises NotForSale, AlreadyYours, TooLittle, MixedOrder for nothing, for the same thing twice, for two currencies and
    for two memberships, and NoSuchCoupon, CouponNotValid, CouponUsedUp and CouponUnfit.
    """
    return _quote(viewer, wanted, coupon, at)[0]


def _quote(viewer: Member, wanted: Sequence[Wanted], code: str, at: datetime) -> tuple[list[Quoted], Coupon | None]:
    listed = [_price(viewer, of, at) for of in wanted]
    if not wanted or len({of.sold for of in wanted}) < len(wanted) or len({price.currency for price in listed}) > 1:
        raise MixedOrder("An order is of different things, in one currency.")
    if sum(of.kind == OrderLine.Kind.MEMBERSHIP for of in wanted) > 1:
        raise MixedOrder("An order is of one membership at most.")
    arms = arms_of(viewer, wanted, listed, at)
    prices = [arm.money if arm else price for arm, price in zip(arms, listed, strict=True)]
    coupon = coupon_of(code, viewer=viewer, at=at) if code else None
    off = discounts(coupon, wanted, prices) if coupon else [price - price for price in prices]
    lines, terms = zip(wanted, listed, arms, off, strict=True), terms_for(viewer, at)
    return [_quoted(of, price, arm, less, of_kind(terms, of.kind)) for of, price, arm, less in lines], coupon


def _quoted(of: Wanted, listed: Money, arm: PriceArm | None, less: Money, terms: Terms) -> Quoted:
    """Divide what is left of the price. Where the tax is not a part of it, it is added to both."""
    price = arm.money if arm else listed
    whole, left = terms.gross(price), terms.gross(price - less)
    return Quoted(of, whole, whole - left, terms.divide(price - less), terms.gross(listed), arm)


def _line(order: Order, of: Quoted, at: datetime) -> OrderLine:
    sold = {"kind": of.wanted.kind, "item": of.wanted.item, "product": of.wanted.product, "creator": of.wanted.owner}
    parts = {part: money.minor for part, money in of.parts.items()}
    paid = {"amount": of.amount.minor, "discount": of.discount.minor}
    line = OrderLine.objects.create(order=order, **paid, **sold, **parts)
    share_out(line, currency=order.currency, at=at)
    goods_of(line.kind).note(line, of.wanted.said, at)
    note_tried(line, of)
    return line


def _given(order: Order, lines: Sequence[OrderLine], at: datetime) -> Order:
    """Deliver what there is nothing to pay for: no provider is asked, and nothing is booked."""
    for line in lines:
        goods_of(line.kind).hand_over([line], at)
    order.state, order.paid_at = Order.State.PAID, at
    order.save(update_fields=["state", "paid_at"])
    return order


def _price(viewer: Member, of: Wanted, at: datetime) -> Money:
    """Return what a thing costs this viewer, if they may buy it."""
    if of.owner and of.owner.member_id == viewer.pk:
        raise AlreadyYours("This is your own.")
    if of.item:
        return _price_of_item(viewer, of.item, at)
    if of.product:
        return _price_of_product(viewer, of.product, of.amount, at)
    if of.creator is None or of.amount is None or of.amount.minor <= 0:
        raise TooLittle("A gift is to somebody, and of more than nothing.")
    return _in_currency(of.amount)


def _price_of_item(viewer: Member, item: Item, at: datetime) -> Money:
    price = queries.price_of(item, at=at)
    if price is None or item.is_free or not published(at=at).filter(pk=item.pk).exists():
        raise NotForSale(f"{item} is not for sale.")
    if watchable_by(viewer, at=at).filter(pk=item.pk).exists():
        raise AlreadyYours(f"{item} can be watched already.")
    return price.money


def _price_of_product(viewer: Member, product: Product, amount: Money | None, at: datetime) -> Money:
    if product.withdrawn_at is not None and product.withdrawn_at <= at:
        raise NotForSale(f"{product} is not for sale any longer.")
    goods_of(product.kind).check(viewer, product, at)
    if amount is None or not product.is_open:
        return _in_currency(product.money)
    if _in_currency(amount) < product.money:
        raise TooLittle(f"{product} costs at least {product.money}.")
    return amount


def _in_currency(amount: Money) -> Money:
    if amount.currency != current_tenant().currency:
        raise NotForSale(f"Things are sold in {current_tenant().currency} here, not in {amount.currency}.")
    if amount.minor > MOST:
        raise NotForSale(f"{amount} is more than anything costs.")
    return amount


def held(order: Order) -> Order:
    """Return the order as it is now; nobody else changes it, its payment or its refunds before the transaction ends."""
    return Order.objects.select_for_update(no_key=True).select_related(None).get(pk=order.pk)


def _same(order: Order, wanted: Sequence[Wanted], coupon: str) -> Order:
    tip = OrderLine.Kind.TIP
    lines = order.lines.all()
    placed = {(of.item_id, of.product_id, of.creator_id if of.kind == tip else None) for of in lines}
    used = CouponUse.objects.filter(order=order).values_list("coupon__code", flat=True).first() or ""
    is_in_parts = any(of.kind == OrderLine.Kind.INSTALMENT for of in lines)
    if is_in_parts or placed != {of.sold for of in wanted} or used != plain(coupon):
        raise OrderKeyTaken("An order of something else was placed under this key.")
    return order
