"""What buyers get for their money, kind by kind: delivered in the transaction that books it, and taken back with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models import Content, OrderLine, Product
from catalog.models import Access, Item
from catalog.operations import grant_access, revoke_source
from catalog.queries import published, watchable_by
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member


class NotForSale(Conflict):
    code = "not_for_sale"


class AlreadyYours(Conflict):
    code = "already_yours"


@dataclass(frozen=True)
class Goods:
    """How one kind of thing is sold. All is called inside the transaction that moves the money.

    `check` raises NotForSale or AlreadyYours before a product is ordered. `deliver` may be asked again under another
    source, after a refund that failed; `take_back` ends what a source has delivered.
    """

    check: Callable[[Member, Product, datetime], None]
    deliver: Callable[[OrderLine, str, datetime], None]
    take_back: Callable[[OrderLine, str, datetime], None]


def check_contents(viewer: Member, product: Product, at: datetime) -> None:
    """Raise AlreadyYours when the viewer may watch all that it opens, NotForSale for nothing and what nobody may."""
    items = [content.item_id for content in product.contents.all()]
    if not items:
        raise NotForSale(f"{product} has nothing in it.")
    if published(at=at).filter(pk__in=items).count() < len(items):
        raise NotForSale(f"Not all of {product} can be watched now.")
    if watchable_by(viewer, at=at).filter(pk__in=items).count() == len(items):
        raise AlreadyYours(f"All of {product} can be watched already.")


def open_contents(line: OrderLine, source: str, at: datetime) -> None:
    """Let the buyer in to all that the line opens, as long as it says; again to the same after a refund that failed."""
    for item, until in _before(line) or _opened(line, at):
        grant_access(viewer=line.order.viewer, item=item, source=source, starts_at=at, ends_at=until)


def close_contents(line: OrderLine, source: str, at: datetime) -> None:
    """Take the access back that the source granted."""
    revoke_source(viewer=line.order.viewer, source=source, at=at)


def _before(line: OrderLine) -> list[tuple[Item, datetime | None]]:
    """Return what the line opened when it was paid, though the product was changed since."""
    granted = Access.objects.filter(viewer=line.order.viewer_id, source=line.source).select_related("item")
    return [(access.item, access.ends_at) for access in granted.order_by("pk")]


def _opened(line: OrderLine, at: datetime) -> list[tuple[Item, datetime | None]]:
    if line.item:
        return [(line.item, None)]
    contents = Content.objects.filter(product=line.product_id).select_related("item").order_by("pk")
    return [(of.item, None if of.hours is None else at + timedelta(hours=of.hours)) for of in contents]


def _nothing(_line: OrderLine, _source: str, _at: datetime) -> None:
    """A gift is given: there is nothing to deliver."""


def _anybody(_viewer: Member, _product: Product, _at: datetime) -> None:
    """Anybody may buy it, as often as they like."""


IN_CONTENTS = Goods(check_contents, open_contents, close_contents)
KINDS: Mapping[str, Goods] = {
    OrderLine.Kind.ITEM: IN_CONTENTS,
    OrderLine.Kind.BUNDLE: IN_CONTENTS,
    OrderLine.Kind.RENTAL: IN_CONTENTS,
    OrderLine.Kind.TIP: Goods(_anybody, _nothing, _nothing),
}


def goods_of(kind: str) -> Goods:
    """Return how a kind of thing is sold. Raises NotForSale for one that is not."""
    goods = KINDS.get(kind)
    if goods is None:
        raise NotForSale(f"Nothing of the kind {kind} is for sale.")
    return goods
