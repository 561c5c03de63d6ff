"""What is sold and who bought it."""

from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from billing.models import Order, Price, TriedLine
from catalog.models import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant


def current_prices(*, at: datetime, item: int | None = None) -> QuerySet[Price]:
    """Return the prices of this moment, of all items or of one, newest first."""
    prices = Price.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lte=at).order_by("-pk")
    return prices if item is None else prices.filter(item=item)


def price_of(item: Item, *, at: datetime) -> Price | None:
    """Return what the item costs in the tenant's currency, or None when it has no price."""
    return current_prices(at=at, item=item.pk).filter(currency=current_tenant().currency).first()


def orders_of(viewer: Member) -> QuerySet[Order]:
    """Return the viewer's orders with all that belongs to them, newest first."""
    return _whole(Order.objects.filter(viewer=viewer))


def orders_seen_by(member: Member) -> QuerySet[Order]:
    """Return the orders that the member may see: their own; all of them for the tenant's staff."""
    return _whole(Order.objects.all()) if member.runs_the_tenant else orders_of(member)


def _whole(orders: QuerySet[Order]) -> QuerySet[Order]:
    tried = Prefetch("lines__tried", TriedLine.objects.select_related("arm__experiment").order_by("pk"))
    lines = ("lines__item", "lines__product", "lines__creator", "lines__refunds", tried)
    return orders.select_related("viewer").prefetch_related(*lines, "payments").order_by("-pk")
