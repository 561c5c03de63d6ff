"""What buyers get for their money, kind by kind: delivered in the transaction that books it, and taken back with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models import Content, OrderLine, Product
from billing.operations import asking, coins, ebooks, tips
from billing.operations.memberships import check_plan, close_period, credited, open_again, open_periods
from billing.operations.parts import give_back, later_parts, may_return, open_parts, take_again
from billing.operations.said import Said
from catalog.models import Access, Item
from catalog.operations import grant_access, revoke_access, revoke_source
from catalog.queries import published, watchable_by
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member


class NotForSale(Conflict):
    code = "not_for_sale"


class AlreadyYours(Conflict):
    code = "already_yours"


def _nothing_said(_line: OrderLine, _said: Said, _at: datetime) -> None:
    """Nothing is kept of what was said."""


def _in_time(_line: OrderLine) -> None:
    """Buyers may ask for their money within the usual window."""


def _at_any_time(_line: OrderLine) -> bool:
    return True


@dataclass(frozen=True)
class Goods:
    """How one kind of thing is sold. All is called inside the transaction that moves the money.

    `check` raises NotForSale or AlreadyYours before a product is ordered. `deliver` may be asked again under another
    source, after a refund that failed; what is delivered to many at once at first has `deliver_all`. `take_back` ends
    what a source has delivered. `note` keeps what the buyer said when the line was ordered. `may_return` tells whether
    buyers may have the money back by themselves: at any time, not at all, or (None) within the window. What was `spent`
    of a line cannot be given back. Until a line `is_earned`, nothing of it matures.
    """

    check: Callable[[Member, Product, datetime], None]
    deliver: Callable[[OrderLine, str, datetime], None]
    take_back: Callable[[OrderLine, str, datetime], None]
    note: Callable[[OrderLine, Said, datetime], None] = _nothing_said
    may_return: Callable[[OrderLine], bool | None] = _in_time
    spent: Callable[[OrderLine], int] = lambda _line: 0
    is_earned: Callable[[OrderLine], bool] = lambda _line: True
    deliver_all: Callable[[Sequence[OrderLine], datetime], None] | None = None

    def hand_over(self, lines: Sequence[OrderLine], at: datetime) -> None:
        """Deliver what was just paid."""
        if self.deliver_all:
            self.deliver_all(lines, at)
            return
        for line in lines:
            self.deliver(line, line.source, at)


def check_contents(viewer: Member, product: Product, at: datetime) -> None:
    """Raise AlreadyYours when the viewer may watch all that it opens, NotForSale for nothing and what nobody may."""
    items = [content.item_id for content in product.contents.all()]
    if not items:
        raise NotForSale(f"{product} has nothing in it.")
    if published(at=at).filter(pk__in=items).count() < len(items):
        raise NotForSale(f"Not all of {product} can be watched now.")
    if watchable_by(viewer, at=at).filter(pk__in=items).count() == len(items):
        raise AlreadyYours(f"All of {product} can be watched already.")


def check_ebook(viewer: Member, product: Product, _at: datetime) -> None:
    """Raise NotForSale for an e-book without a file, AlreadyYours for one that the viewer has."""
    if not ebooks.has_file(product):
        raise NotForSale(f"{product} has no file yet.")
    if ebooks.owns(viewer, product):
        raise AlreadyYours(f"{product} has been bought already.")


def open_contents(line: OrderLine, source: str, at: datetime) -> None:
    """Let the buyer in to all that the line opens, as long as it says; again to the same after a refund that failed."""
    for item, until in _before(line) or _opened(line, at):
        grant_access(viewer=line.order.viewer, item=item, source=source, starts_at=at, ends_at=until)


def close_contents(line: OrderLine, source: str, at: datetime) -> None:
    """Take the access back that the source granted: several items of an order have one source."""
    if line.item:
        revoke_access(viewer=line.order.viewer, item=line.item, source=source, at=at)
    else:
        revoke_source(viewer=line.order.viewer, source=source, at=at)


def _before(line: OrderLine) -> list[tuple[Item, datetime | None]]:
    """Return what the line opened when it was paid, though the product was changed since."""
    if line.item:
        return []
    granted = Access.objects.filter(viewer=line.order.viewer_id, source=line.source).select_related("item")
    return [(access.item, access.ends_at) for access in granted.order_by("pk")]


def _opened(line: OrderLine, at: datetime) -> list[tuple[Item, datetime | None]]:
    if line.item:
        return [(line.item, None)]
    contents = Content.objects.filter(product=line.product_id).select_related("item").order_by("pk")
    return [(of.item, None if of.hours is None else at + timedelta(hours=of.hours)) for of in contents]


def _anybody(_viewer: Member, _product: Product, _at: datetime) -> None:
    """Anybody may buy it, as often as they like."""


IN_CONTENTS = Goods(check_contents, open_contents, close_contents)
KINDS: Mapping[str, Goods] = {
    OrderLine.Kind.ITEM: IN_CONTENTS,
    OrderLine.Kind.BUNDLE: IN_CONTENTS,
    OrderLine.Kind.RENTAL: IN_CONTENTS,
    OrderLine.Kind.EBOOK: Goods(check_ebook, ebooks.deliver, ebooks.take_back),
    OrderLine.Kind.TIP: Goods(_anybody, tips.thank, tips.take_back, tips.note),
    OrderLine.Kind.COINS: Goods(
        coins.check, coins.book_cost, coins.leave, note=coins.note_cost, may_return=_at_any_time
    ),
    OrderLine.Kind.AD_BALANCE: Goods(
        _anybody, coins.book_cost, coins.leave, note=coins.note_cost, may_return=_at_any_time
    ),
    OrderLine.Kind.CONSULTATION: Goods(
        *(asking.check, asking.ask, asking.drop, asking.note),
        may_return=asking.is_unanswered,
        is_earned=lambda line: not asking.is_unanswered(line),
    ),
    OrderLine.Kind.INSTALMENT: Goods(
        *(_anybody, take_again, give_back), may_return=may_return, spent=later_parts, deliver_all=open_parts
    ),
    OrderLine.Kind.MEMBERSHIP: Goods(check_plan, open_again, close_period, spent=credited, deliver_all=open_periods),
}


def goods_of(kind: str) -> Goods:
    """Return how a kind of thing is sold. Raises NotForSale for one that is not."""
    goods = KINDS.get(kind)
    if goods is None:
        raise NotForSale(f"Nothing of the kind {kind} is for sale.")
    return goods
