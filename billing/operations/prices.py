"""What items cost."""

from datetime import datetime

from django.db import transaction

from billing import queries
from billing.models import Price
from billing.money import Money
from catalog.models import Item
from catalog.operations import NotYours, revise_item
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

MOST = 10**12


class NoSuchPrice(Invalid):
    code = "no_such_price"


class PriceIsTried(Conflict):
    code = "price_is_tried"


@transaction.atomic
def set_price(*, item: Item, by: Member, amount: Money, at: datetime) -> Price:
    """Sell the item at this price from now on; it is no longer free. Orders placed before keep theirs.

    Raises NoSuchPrice for nothing or less, NotYours, and PriceIsTried while prices of it are being tried.
    """
    if not 0 < amount.minor <= MOST:
        raise NoSuchPrice(f"Nothing can cost {amount}.")
    if item.creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYours("Only its creator and the tenant's staff say what an item costs.")
    Item.objects.select_for_update(no_key=True).get(pk=item.pk)
    if item.is_free:
        revise_item(item=item, by=by, is_free=False)
    before = Price.objects.filter(item=item, currency=amount.currency, ends_at=None).first()
    if before and before.money == amount:
        return before
    if amount.currency == current_tenant().currency and queries.is_tried(item, at=at):
        raise PriceIsTried("Prices of it are being tried: end that first.")
    if before:
        before.ends_at = at
        before.save(update_fields=["ends_at"])
    return Price.objects.create(item=item, amount=amount.minor, currency=amount.currency, starts_at=at)
