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
from billing.operations.rules import splits_at
from billing.operations.shares import share_out_all
from billing.operations.taxes import terms_of_all
from billing.operations.terms import Terms
from kpplatform.tenancy.models import Member


@dataclass(frozen=True)
class Bill:
    """What somebody is to pay for a period of a plan: its price, less what was paid before for the same time."""

    viewer: Member
    plan: Plan
    credit: int = 0
    key: str = ""
    provider: str = ""

    def parts(self, terms: Terms) -> dict[str, Money]:
        """Divide what is to be paid. What was paid before had its tax, so what is left of the whole has it inside."""
        price = self.plan.product.money
        if not self.credit:
            return terms.divide(price)
        return terms.with_tax_inside.divide(terms.gross(price) - Money(self.credit, price.currency))


@dataclass(frozen=True)
class Due:
    """A period of a subscription that is to be paid."""

    subscription: Subscription
    period: Period


@transaction.atomic
def order_periods(bills: Sequence[Bill], *, state: Payment.State, at: datetime) -> list[Payment]:
    """Place an order for each bill, and make ready for its payment."""
    parts_of = _divided(bills, at)
    orders = Order.objects.bulk_create(
        Order(
            viewer=bill.viewer,
            key=bill.key or f"period_{uuid4().hex}",
            amount=sum(parts.values()),
            currency=bill.plan.product.currency,
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
        OrderLine(
            order=order,
            kind=OrderLine.Kind.MEMBERSHIP,
            product=bill.plan.product,
            creator_id=bill.plan.product.creator_id,
            amount=order.amount,
            discount=bill.credit,
            **parts,
        )
        for order, bill, parts in zip(orders, bills, parts_of, strict=True)
    )


def _divided(bills: Sequence[Bill], at: datetime) -> list[dict[str, int]]:
    """Return how each bill is divided, in minor units, by the terms of its buyer."""
    terms = terms_of_all([bill.viewer for bill in bills], at)
    known: dict[tuple[Terms, Money, int], dict[str, int]] = {}
    divided = []
    for bill in bills:
        alike = (terms[bill.viewer.pk], bill.plan.product.money, bill.credit)
        if alike not in known:
            known[alike] = {part: money.minor for part, money in bill.parts(alike[0]).items()}
        divided.append(known[alike])
    return divided


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
