"""Orders: what a viewer wants to buy, at today's price and terms."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction

from billing import providers, queries
from billing.models import Order, OrderLine, Payment
from billing.operations.terms import terms_of
from catalog.models import Item
from catalog.queries import published, watchable_by
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import current_tenant


class NotForSale(Conflict):
    code = "not_for_sale"


class AlreadyYours(Conflict):
    code = "already_yours"


class OrderKeyTaken(Conflict):
    code = "order_key_taken"


@transaction.atomic
def place_order(*, viewer: Member, item: Item, key: str, at: datetime) -> Order:
    """Order the item at its price in the tenant's currency, and make ready for its payment.

    The same key gives the same order. Raises NotForSale, AlreadyYours, and OrderKeyTaken for another item's key.
    """
    if placed := Order.objects.filter(viewer=viewer, key=key).first():
        return _same(placed, item)
    price = queries.price_of(item, at=at)
    if price is None or item.is_free or not published(at=at).filter(pk=item.pk).exists():
        raise NotForSale(f"{item} is not for sale.")
    if item.creator.member_id == viewer.pk or watchable_by(viewer, at=at).filter(pk=item.pk).exists():
        raise AlreadyYours(f"{item} can be watched already.")
    price_of_it = {"amount": price.amount, "currency": price.currency}
    is_new = insert_once(Order, viewer_id=viewer.pk, key=key, state=Order.State.PLACED, placed_at=at, **price_of_it)
    order = held(Order.objects.get(viewer=viewer, key=key))
    if not is_new:
        return _same(order, item)
    parts = {part: money.minor for part, money in terms_of(current_tenant()).divide(price.money).items()}
    OrderLine.objects.create(order=order, item=item, creator=item.creator, amount=price.amount, **parts)
    # Its key is committed with the order, before anybody asks the provider for anything.
    key = f"pay_{uuid4().hex}"
    Payment.objects.create(order=order, provider=providers.SANDBOX, key=key, created_at=at, **price_of_it)
    return order


def held(order: Order) -> Order:
    """Return the order as it is now; nobody else changes it, its payment or its refunds before the transaction ends."""
    return Order.objects.select_for_update(no_key=True).select_related(None).get(pk=order.pk)


def _same(order: Order, item: Item) -> Order:
    if not order.lines.filter(item=item).exists():
        raise OrderKeyTaken("An order of something else was placed under this key.")
    return order
