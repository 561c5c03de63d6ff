"""Prices that are tried, with the least said. Call inside a scope."""

from datetime import datetime, timedelta
from typing import Any

from billing.models import Order, OrderLine, PriceArm, PriceExperiment, PriceShown, Product, TriedLine
from billing.operations import Wanted, pricing
from billing.queries.price_experiments import dealt
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.conftest import NOON


def tried(
    thing: Item | Product, *minor: int, name: str = "spring", days: int = 7, at: datetime = NOON, **said: Any
) -> PriceExperiment:
    """Return an experiment with these prices, as its creator begins it."""
    seller = thing.creator.member if thing.creator else None  # of the tenant's own, staff are told
    told: dict[str, Any] = {"by": seller, "prices": [yuan(each) for each in minor]} | said
    return pricing.try_prices(thing=thing, name=name, ends_at=at + timedelta(days=days), at=at, **told)


def viewer_of(experiment: PriceExperiment, arm: str) -> Member:
    """Return a new member who is dealt to the arm."""
    for _ in range(99):
        member = make.member()
        if dealt(experiment, viewer_id=member.pk).name == arm:
            return member
    raise AssertionError(f"Nobody of 99 was dealt to {arm}.")


def whole(experiment: PriceExperiment) -> PriceExperiment:
    """Return it with its arms, so that dealing asks the database nothing."""
    return PriceExperiment.objects.prefetch_related("arms").get(pk=experiment.pk)


def arm(experiment: PriceExperiment, name: str) -> PriceArm:
    return PriceArm.objects.select_related("experiment").get(experiment=experiment, name=name)


def sold_while_tried(creator: Creator, course: Item) -> None:
    """Leave a rental of which two prices are tried, bought at one of them."""
    rental = shop.offered(creator, course, minor=600, hours=24, title="For a day")
    tried(rental, 600, 500)
    shop.bought_all(make.member(), Wanted(product=rental), key="for a day")


def came_of(of: PriceArm, *, shown: int, buyers: int) -> None:
    """Leave so many viewers who were shown an arm's price, and of them so many who have paid it."""
    viewers = Member.objects.bulk_create(Member(name=f"{of.name}{number}") for number in range(shown))
    told = {"experiment": of.experiment, "arm": of, "shown_at": NOON}
    PriceShown.objects.bulk_create(PriceShown(viewer=viewer, **told) for viewer in viewers)
    paid = {"state": Order.State.PAID, "placed_at": NOON, "paid_at": NOON, "currency": "CNY", "amount": of.amount}
    orders = Order.objects.bulk_create(Order(viewer=viewer, key="tried", **paid) for viewer in viewers[:buyers])
    item = of.experiment.item
    parts = {"amount": of.amount, "tax": 0, "processor": 0, "platform": 0, "share": of.amount}
    lines = OrderLine.objects.bulk_create(
        OrderLine(order=order, item=item, creator=item.creator, **parts) for order in orders
    )
    TriedLine.objects.bulk_create(TriedLine(line=line, arm=of, amount=of.amount) for line in lines)
