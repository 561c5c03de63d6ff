"""Invoices of memberships: orders of one line that are collected without the buyer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from billing import providers
from billing.models import Charge, Order, OrderLine, Payment, Period, Plan, Subscription
from billing.money import Money
from billing.operations.methods import usable
from billing.operations.terms import terms_for
from kpplatform.tenancy.models import Member


@dataclass(frozen=True)
class Bill:
    """What somebody is to pay for a period of a plan: its price, less what was paid before for the same time."""

    viewer: Member
    plan: Plan
    credit: int = 0
    key: str = ""
    provider: str = ""

    @property
    def due(self) -> Money:
        price = self.plan.product.money
        return Money(price.minor - self.credit, price.currency)


@dataclass(frozen=True)
class Due:
    """A period of a subscription that is to be paid."""

    subscription: Subscription
    period: Period


@transaction.atomic
def order_periods(bills: Sequence[Bill], *, state: Payment.State, at: datetime) -> list[Payment]:
    """Place an order for each bill, and make ready for its payment."""
    orders = Order.objects.bulk_create(
        Order(
            viewer=bill.viewer,
            key=bill.key or f"period_{uuid4().hex}",
            amount=bill.due.minor,
            currency=bill.due.currency,
            placed_at=at,
        )
        for bill in bills
    )
    terms, parts_of = terms_for(OrderLine.Kind.MEMBERSHIP), {}
    for bill in bills:
        if bill.due not in parts_of:
            parts_of[bill.due] = {part: money.minor for part, money in terms.divide(bill.due).items()}
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            kind=OrderLine.Kind.MEMBERSHIP,
            product=bill.plan.product,
            creator_id=bill.plan.product.creator_id,
            amount=order.amount,
            discount=bill.credit,
            **parts_of[bill.due],
        )
        for order, bill in zip(orders, bills, strict=True)
    )
    usual = providers.checkout_provider()
    return Payment.objects.bulk_create(
        Payment(
            order=order,
            provider=bill.provider or usual,
            key=f"pay_{uuid4().hex}",
            state=state,
            amount=order.amount,
            currency=order.currency,
            created_at=at,
        )
        for order, bill in zip(orders, bills, strict=True)
    )


@transaction.atomic
def invoice(dues: Sequence[Due], *, at: datetime) -> None:
    """Place an order for each period, once, and have it charged to the saved method, where there is one."""
    bills = [_bill(due.subscription, due.period) for due in dues]
    payments = order_periods(bills, state=Payment.State.AGREED, at=at)
    for due, payment in zip(dues, payments, strict=True):
        due.period.order = payment.order
    Period.objects.bulk_create(due.period for due in dues)
    pairs = zip(dues, payments, strict=True)
    charge([(due.subscription, payment) for due, payment in pairs if usable(due.subscription.method)], at=at)


def _bill(of: Subscription, period: Period) -> Bill:
    return Bill(of.viewer, period.plan, period.credit, provider=of.method.provider if of.method else "")


def charge(wanted: Sequence[tuple[Subscription, Payment]], *, at: datetime) -> None:
    """Write down that the payments are to be charged: each under a key that is kept before the provider is asked."""
    Charge.objects.bulk_create(
        Charge(
            payment=payment,
            subscription=subscription,
            method=subscription.method,
            key=f"ch_{uuid4().hex}",
            amount=payment.amount,
            currency=payment.currency,
            due_at=at,
            made_at=at,
        )
        for subscription, payment in wanted
    )
