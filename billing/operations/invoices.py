"""Invoices of memberships and instalments: orders of one line that are collected without the buyer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from billing import providers
from billing.models import Charge, InstalmentPlan, Order, OrderLine, Payment, Period, Plan, Product, Subscription
from billing.money import Money
from billing.operations.methods import usable
from billing.operations.rules import splits_at
from billing.operations.shares import share_out_all
from billing.operations.taxes import terms_of_all
from billing.operations.terms import Terms
from catalog.models import Item
from kpplatform.tenancy.models import Member


@dataclass(frozen=True)
class Bill:
    """What somebody is to pay: a price, less what was paid before for the same time; or all of it, tax and all."""

    viewer: Member
    kind: OrderLine.Kind
    sold: Item | Product
    price: Money
    credit: int = 0
    is_whole: bool = False
    key: str = ""
    provider: str = ""

    def parts(self, terms: Terms) -> dict[str, Money]:
        """Divide what is to be paid. What was paid before had its tax, so what is left of the whole has it inside."""
        if not self.credit and not self.is_whole:
            return terms.divide(self.price)
        whole = self.price if self.is_whole else terms.gross(self.price)
        return terms.with_tax_inside.divide(whole - Money(self.credit, self.price.currency))

    @property
    def columns(self) -> dict[str, Any]:
        """Return what its line says is sold, and whose it is."""
        named = {"item": self.sold} if isinstance(self.sold, Item) else {"product": self.sold}
        return {"kind": self.kind, "creator_id": self.sold.creator_id, "discount": self.credit, **named}


def bill_of(viewer: Member, plan: Plan, *, credit: int = 0, key: str = "", provider: str = "") -> Bill:
    """Return what a period of a plan costs."""
    product, kind = plan.product, OrderLine.Kind.MEMBERSHIP
    return Bill(viewer, kind, product, product.money, credit=credit, key=key, provider=provider)


@dataclass(frozen=True)
class Due:
    """A period of a subscription that is to be paid."""

    subscription: Subscription
    period: Period


@transaction.atomic
def place_bills(bills: Sequence[Bill], *, state: Payment.State, at: datetime) -> list[Payment]:
    """Place an order for each bill, and make ready for its payment."""
    parts_of = _divided(bills, at)
    orders = Order.objects.bulk_create(
        Order(
            viewer=bill.viewer,
            key=bill.key or f"period_{uuid4().hex}",
            amount=sum(parts.values()),
            currency=bill.price.currency,
            placed_at=at,
        )
        for bill, parts in zip(bills, parts_of, strict=True)
    )
    share_out_all(_lines(orders, bills, parts_of), at=at)
    usual = "" if all(bill.provider for bill in bills) else providers.checkout_provider()
    return Payment.objects.bulk_create(
        Payment(
            order=order,
            provider=bill.provider or usual,
            is_split=splits_at(bill.provider or usual),
            key=f"pay_{uuid4().hex}",
            state=state,
            amount=order.amount,
            currency=order.currency,
            created_at=at,
        )
        for order, bill in zip(orders, bills, strict=True)
    )


def _lines(orders: Sequence[Order], bills: Sequence[Bill], parts_of: Sequence[dict[str, int]]) -> list[OrderLine]:
    return OrderLine.objects.bulk_create(
        OrderLine(order=order, amount=order.amount, **bill.columns, **parts)
        for order, bill, parts in zip(orders, bills, parts_of, strict=True)
    )


def _divided(bills: Sequence[Bill], at: datetime) -> list[dict[str, int]]:
    """Return how each bill is divided, in minor units, by the terms of its buyer."""
    terms = terms_of_all([bill.viewer for bill in bills], at)
    known: dict[tuple[Terms, Money, int, bool], dict[str, int]] = {}
    divided = []
    for bill in bills:
        alike = (terms[bill.viewer.pk], bill.price, bill.credit, bill.is_whole)
        if alike not in known:
            known[alike] = {part: money.minor for part, money in bill.parts(alike[0]).items()}
        divided.append(known[alike])
    return divided


@transaction.atomic
def invoice(dues: Sequence[Due], *, at: datetime) -> None:
    """Place an order for each period, once, and have it charged to the saved method, where there is one."""
    bills = [_bill(due.subscription, due.period) for due in dues]
    payments = place_bills(bills, state=Payment.State.AGREED, at=at)
    for due, payment in zip(dues, payments, strict=True):
        due.period.order = payment.order
    Period.objects.bulk_create(due.period for due in dues)
    pairs = zip(dues, payments, strict=True)
    charge([(due.subscription, payment) for due, payment in pairs if usable(due.subscription.method)], at=at)


def _bill(of: Subscription, period: Period) -> Bill:
    provider = of.method.provider if of.method else ""
    return bill_of(of.viewer, period.plan, credit=period.credit, provider=provider)


def charge(wanted: Sequence[tuple[Subscription | InstalmentPlan, Payment]], *, at: datetime) -> None:
    """Write down that the payments are to be charged: each under a key that is kept before the provider is asked."""
    Charge.objects.bulk_create(
        Charge(
            payment=payment,
            subscription=of if isinstance(of, Subscription) else None,
            plan=of if isinstance(of, InstalmentPlan) else None,
            method=of.method,
            key=f"ch_{uuid4().hex}",
            amount=payment.amount,
            currency=payment.currency,
            due_at=at,
            made_at=at,
        )
        for of, payment in wanted
    )
