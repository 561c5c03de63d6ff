"""Payments that the provider divides. Call inside a scope."""

from datetime import timedelta
from typing import Any

import pytest

from billing import operations
from billing.models import Order, Split, SplitOrder, SplitReceiver, SplitReturn
from billing.operations import splitting
from billing.providers import Receiver
from billing.providers.sandbox.server import Server
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant
from tests import make
from tests.billing import shop
from tests.conftest import NOON

LATER = NOON + timedelta(days=7)


@pytest.fixture(autouse=True)
def divides(request: pytest.FixtureRequest) -> None:
    """Let the tenant's provider divide in each test of a module that has this fixture, if it is inside a scope."""
    if "in_school" in request.fixturenames or "course" in request.fixturenames:
        request.getfixturevalue("in_school")
        divided_by_the_provider()


def divided_by_the_provider(**more: Any) -> None:
    """Let the tenant's provider divide what is sold from now on."""
    tenant = current_tenant()
    tenant.settings = tenant.settings | {"settlement_mode": "provider_split"} | more


def receiver(
    creator: Creator, account: str = "acct_1234", *, kind: str = "merchant", provider: str = "sandbox"
) -> SplitReceiver:
    """Return whom the provider gives the creator's part, known there."""
    to = Receiver(account, "张三")
    who = {"creator": creator, "by": creator.member}
    made = splitting.set_split_receiver(**who, provider=provider, kind=kind, to=to, at=NOON)
    splitting.register_receiver(receiver=made, at=NOON)
    return SplitReceiver.objects.get(pk=made.pk)


def paid(viewer: Member, course: Item, key: str = "order") -> Order:
    """Return an order that was paid at the sandbox, by its button."""
    payment = operations.pay(order=shop.ordered(viewer, course, key), at=NOON)
    shop.press(payment.checkout_url)
    found = shop.payment_of(payment.order)
    operations.capture(payment=found, reference=found.reference, at=NOON)
    return Order.objects.get(pk=payment.order_id)


def matured(viewer: Member, course: Item, key: str = "order") -> SplitOrder:
    """Return the division of a payment of which all has matured."""
    order = paid(viewer, course, key)
    operations.mature(at=LATER)
    splitting.plan_splits(at=LATER)
    return SplitOrder.objects.get(payment__order=order)


def sent(order: SplitOrder) -> SplitOrder:
    """Do what the job does, in one transaction."""
    if splitting.begin_split(order=order, at=LATER):
        splitting.send_split(order=order, at=LATER)
    return SplitOrder.objects.get(pk=order.pk)


def sent_back(back: SplitReturn) -> SplitReturn:
    """Do what the job does, in one transaction."""
    if splitting.begin_split_return(back=back, at=LATER):
        splitting.send_split_return(back=back, at=LATER)
    return SplitReturn.objects.get(pk=back.pk)


def given(sandbox: Server) -> list[int]:
    """Return what the sandbox has given to receivers."""
    splits = sandbox.bank.book.tables["splits"].values()
    return [row["amount"] for split in splits for row in split["receivers"] if row["status"] == "paid"]


def split_of(order: SplitOrder) -> Split:
    return Split.objects.get(order=order)


def divided_gift(creator: Creator) -> None:
    """Leave a small gift whose money the provider gives to the creator itself."""
    divided_by_the_provider()
    receiver(creator)
    shop.bought_all(make.member(), operations.Wanted(creator=creator, amount=shop.yuan(200)), key="divided")
    del current_tenant().settings["settlement_mode"]


def asked_back() -> None:
    """Plan what has matured by now, and ask for a unit of it."""
    splitting.plan_splits(at=LATER)
    SplitReturn.objects.create(split=Split.objects.get(), key="sr", amount=1, asked_at=NOON)
