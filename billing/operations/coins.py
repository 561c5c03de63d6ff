"""Coins: bought in packs, worth a fixed amount each, owed to whoever bought them until they are given away."""

from datetime import datetime

from django.db import transaction

from billing import ledger
from billing.models import Journal, OfferChange, OrderLine, Product, Refund
from billing.money import Money
from billing.operations.limits import NotForMinors
from billing.operations.said import Said
from billing.operations.terms import terms_of
from billing.queries import coin_value
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

MOST_COINS = 10**7


class NoWholeCoins(Conflict):
    code = "no_whole_coins"


class NoSuchPack(Invalid):
    code = "no_such_pack"


class StaffSellCoins(Forbidden):
    code = "staff_sell_coins"


@transaction.atomic
def offer_pack(*, by: Member, coins: int, title: str, at: datetime) -> Product:
    """Sell so many coins at once, for what they are worth. Raises StaffSellCoins and NoSuchPack."""
    if not by.runs_the_tenant:
        raise StaffSellCoins("Only the tenant's staff sell coins.")
    if not 0 < coins <= MOST_COINS:
        raise NoSuchPack(f"A pack has 1 to {MOST_COINS} coins.")
    price = coin_value() * coins
    named = {"kind": Product.Kind.COINS, "title": title, "made_at": at}
    pack = Product.objects.create(amount=price.minor, currency=price.currency, **named)
    said = {"kind": pack.kind, "title": title, "amount": price.minor, "currency": price.currency}
    OfferChange.objects.create(product=pack, by=by, before={}, after=said, changed_at=at)
    return pack


def check(viewer: Member, pack: Product, _at: datetime) -> None:
    """Raise NoWholeCoins for a price that is no number of coins or anybody's own, NotForMinors for who is under age."""
    if pack.creator_id or pack.is_open or pack.amount % coin_value().minor:
        raise NoWholeCoins(f"{pack} is no number of coins.")
    if viewer.is_minor:
        raise NotForMinors("Coins are not sold to who is under age.")


def note_cost(line: OrderLine, _said: Said, _at: datetime) -> None:
    """Keep what the provider will keep of a sale of coins: the buyer is owed all, the platform bears it."""
    line.cost = terms_of(current_tenant()).kept(Money(line.amount, line.order.currency)).minor
    line.save(update_fields=["cost"])


def book_cost(line: OrderLine, _source: str, at: datetime) -> None:
    """Book the cost of a sale, once. The coins themselves come with the sale's own journal."""
    currency = line.order.currency
    _book(f"coin-cost:{line.pk}", ledger.fees(currency), ledger.processor(currency), Money(line.cost, currency), at)


def book_cost_back(refund: Refund, at: datetime) -> None:
    """Book what the provider hands back of the cost with a refund."""
    currency = refund.currency
    cost = Money(refund.cost, currency)
    _book(f"coin-cost-back:{refund.key}", ledger.processor(currency), ledger.fees(currency), cost, at)


def book_cost_again(refund: Refund, at: datetime) -> None:
    """Book that a refund failed, and the provider keeps what it would have handed back."""
    currency = refund.currency
    cost = Money(refund.cost, currency)
    _book(f"coin-cost-again:{refund.key}", ledger.fees(currency), ledger.processor(currency), cost, at)


def _book(key: str, source: ledger.Name, to: ledger.Name, cost: Money, at: datetime) -> None:
    if cost:
        ledger.post(kind=Journal.Kind.COIN_COST, key=key, transfers=[(source, to, cost)], at=at)


def leave(_line: OrderLine, _source: str, _at: datetime) -> None:
    """Coins go back with the refund's own journal."""
