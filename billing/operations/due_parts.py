"""What the clock does to instalments: ask for the next part, charge again what failed, give up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from billing.models import Charge, InstalmentPart, InstalmentPlan, OrderLine, Payment
from billing.money import Money
from billing.operations.dunning import DUNNING, charge_again, next_look
from billing.operations.invoices import Bill, charge, place_bills
from billing.operations.methods import usable
from billing.operations.parts import OWING, WAITING, State, moved, shut_out

BATCH = 200
LATER = timedelta(days=1)


@transaction.atomic
def charge_parts(*, at: datetime, most: int = BATCH) -> int:
    """Do what is due about some plans, and say about how many. Others may do the same beside.

    Each is held while it is looked at, and has nothing due while a charge of it is under way: so a part is asked for
    once.
    """
    free = InstalmentPlan.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    related = ("viewer", "item", "product", "creator", "method")
    due = list(free.filter(due_at__lte=at).select_related(*related).order_by("due_at", "pk")[:most])
    for plan in due:
        if plan.viewer.suspended_at:  # and can do nothing about it
            plan.due_at = at + LATER
            plan.save(update_fields=["due_at"])
        elif plan.state in WAITING:
            _charge_again(plan, at=at)
    ask_for([plan for plan in due if plan.state == State.ACTIVE and not plan.viewer.suspended_at], at=at)
    return len(due)


def ask_for(plans: Sequence[InstalmentPlan], *, at: datetime, is_rest: bool = False) -> None:
    """Place the order of the next part of each held plan, or of all that is left, and have it charged."""
    if not plans:
        return
    payments = place_bills([_bill(plan, is_rest=is_rest) for plan in plans], state=Payment.State.AGREED, at=at)
    asked = list(zip(plans, payments, strict=True))
    InstalmentPart.objects.bulk_create(
        InstalmentPart(
            plan=plan,
            number=plan.paid + 1,
            through=plan.count if is_rest else plan.paid + 1,
            is_rest=is_rest,
            order=payment.order,
            due_at=plan.due_at or at,
        )
        for plan, payment in asked
    )
    charge([(plan, payment) for plan, payment in asked if usable(plan.method)], at=at)
    for plan in plans:
        plan.due_at = None
        plan.save(update_fields=["due_at"])
        if not usable(plan.method):
            plan.due_at = at + DUNNING[-1]
            moved(plan, State.PAST_DUE, at=at, why="nothing to charge")


def _bill(plan: InstalmentPlan, *, is_rest: bool) -> Bill:
    left = plan.parts_of_price[plan.paid :]
    amount = sum((part.minor for part in left), 0) if is_rest else left[0].minor
    return bill_for(plan, Money(amount, plan.currency), provider=plan.method.provider if plan.method else "")


def bill_for(plan: InstalmentPlan, amount: Money, *, key: str = "", provider: str = "") -> Bill:
    """Return what is to be paid of a plan's price: its tax is inside, also where it was added to the price."""
    key, kind = key or f"part_{uuid4().hex}", OrderLine.Kind.INSTALMENT
    return Bill(plan.viewer, kind, plan.sold, amount, is_whole=True, key=key, provider=provider)


def _charge_again(plan: InstalmentPlan, *, at: datetime) -> None:
    """Charge what was not paid once more; where there is nothing to charge it to, the plan defaults."""
    if not charge_again(plan, owed(plan), at=at):
        _give_up(plan, at=at, why="not paid")


def owed(plan: InstalmentPlan) -> Payment:
    """Return the payment of the part that was asked for and not paid."""
    parts = InstalmentPart.objects.filter(plan=plan, paid_at=None, voided_at=None)
    return Payment.objects.select_related("order").get(order__in=parts.values("order"))


def _give_up(plan: InstalmentPlan, *, at: datetime, why: str) -> None:
    plan.due_at = None
    if plan.state == State.DEFAULTED:
        plan.save(update_fields=["due_at"])
        return
    shut_out(plan, at)
    moved(plan, State.DEFAULTED, at=at, why=why)


def part_declined(plan: InstalmentPlan, asked: Charge, payment: Payment, *, at: datetime) -> None:
    """Go on after a part was declined: as a renewal is. A rest that nobody had to pay yet is as if never asked for."""
    part = InstalmentPart.objects.get(order=payment.order_id)
    if part.is_rest:
        part.voided_at = at
        part.save(update_fields=["voided_at"])
    if plan.state not in OWING:
        return
    if part.is_rest:
        plan.due_at = part.due_at
        moved(plan, State(plan.state), at=at, why=asked.reason)
        return
    plan.failures, look = plan.failures + 1, next_look(plan, payment, at)
    if look is None or plan.state == State.DEFAULTED:
        plan.save(update_fields=["failures"])
        _give_up(plan, at=at, why=asked.reason)
        return
    plan.due_at = look
    moved(plan, State.PAST_DUE, at=at, why=asked.reason)
