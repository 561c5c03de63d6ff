"""Buying in monthly parts, with the least said. Call inside a scope."""

from datetime import datetime
from typing import Any

from billing import operations
from billing.models import InstalmentPart, InstalmentPlan, Order, OrderLine
from billing.operations import Wanted, instalments
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests.billing import members, shop
from tests.conftest import NOON


def offered(course: Item, parts: int = 3) -> None:
    instalments.offer_in_parts(thing=course, by=course.creator.member, parts=parts, at=NOON)


def placed(course: Item, viewer: Member, parts: int = 3, *, key: str = "parts", at: datetime = NOON) -> Order:
    """Return the order of the first part."""
    offered(course, parts)
    return instalments.order_in_parts(viewer=viewer, wanted=Wanted(item=course), parts=parts, key=key, at=at)


def in_parts(course: Item, viewer: Member) -> InstalmentPlan:
    """Return a plan whose first part was paid, as if the provider had just said so; nothing is saved."""
    order = placed(course, viewer)
    operations.capture(payment=shop.payment_of(order), reference=f"co_{order.pk}", at=NOON)
    return InstalmentPlan.objects.get(parts__order=order)


def begun(sandbox: Server, course: Item, viewer: Member, parts: int = 3, *, at: datetime = NOON) -> InstalmentPlan:
    """Return the plan of somebody who paid the first part at the provider's page."""
    order = placed(course, viewer, parts, at=at)
    members.paid_at_the_page(sandbox, order, at=at)
    return InstalmentPlan.objects.get(parts__order=order)


def now(plan: InstalmentPlan) -> InstalmentPlan:
    return InstalmentPlan.objects.select_related("viewer", "item", "product", "method").get(pk=plan.pk)


def line_of(plan: InstalmentPlan, number: int) -> OrderLine:
    """Return what the part's order is of."""
    order = InstalmentPart.objects.get(plan=plan, number=number, voided_at=None).order
    return shop.line_of(order)


def back(plan: InstalmentPlan, number: int, *, by: Member, at: datetime, minor: int | None = None) -> Any:
    amount = None if minor is None else shop.yuan(minor)
    return operations.refund(line=line_of(plan, number), by=by, amount=amount, key=f"back {number}", at=at)
