"""Selling in monthly parts: offered by the seller, ordered, paid off sooner, paid by something else, forgiven."""

from datetime import datetime
from typing import Any

from django.db import transaction

from billing import providers
from billing.models import (
    Charge,
    InstalmentOffer,
    InstalmentPart,
    InstalmentPlan,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    Product,
)
from billing.models.instalments import FEWEST, MOST
from billing.operations.due_parts import ask_for, bill_for
from billing.operations.invoices import place_bills
from billing.operations.methods import must_be_usable
from billing.operations.orders import OrderKeyTaken, TooLittle, quote
from billing.operations.parts import OWING, WAITING, State, held_plan, let_in, moved
from billing.operations.products import must_sell
from billing.operations.subscriptions import RENEWAL, ChargeUnderWay, NotInThisState
from billing.operations.tried import note_tried
from billing.operations.wanted import Wanted
from catalog.models import Item
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

# What can be taken back when it is not paid, and given again.
SOLD_IN_PARTS = {Product.Kind.BUNDLE.value}


class NotInParts(Conflict):
    code = "not_in_parts"


class BadParts(Invalid):
    code = "bad_parts"


class AlreadyInParts(Conflict):
    code = "already_in_parts"


class NotYourPlan(Forbidden):
    code = "not_your_plan"


@transaction.atomic
def offer_in_parts(*, thing: Item | Product, by: Member, parts: int, at: datetime) -> InstalmentOffer:
    """Take the price of a thing in so many monthly parts too, from now on; an offer of another number ends.

    Raises NotYours, BadParts, and NotInParts for what is not for good.
    """
    must_sell(thing.creator, by)
    if not FEWEST <= parts <= MOST:
        raise BadParts(f"A price is paid in {FEWEST} to {MOST} parts.")
    if isinstance(thing, Product) and thing.kind not in SOLD_IN_PARTS:
        raise NotInParts(f"What is of the kind {thing.kind} is paid at once.")
    type(thing).objects.select_for_update(no_key=True).get(pk=thing.pk)
    named = _named(thing)
    before = InstalmentOffer.objects.filter(**named, withdrawn_at=None).first()
    if before and before.parts == parts:
        return before
    if before:
        withdraw_offer(offer=before, by=by, at=at)
    return InstalmentOffer.objects.create(**named, creator=thing.creator, parts=parts, made_by=by, made_at=at)


@transaction.atomic
def withdraw_offer(*, offer: InstalmentOffer, by: Member, at: datetime) -> InstalmentOffer:
    """Take the price at once only; plans that were begun go on. Twice is once. Raises NotYours."""
    offers = InstalmentOffer.objects.select_for_update(no_key=True, of=("self",)).select_related("creator")
    offer = offers.get(pk=offer.pk)
    must_sell(offer.creator, by)
    if offer.withdrawn_at is None:
        offer.withdrawn_by, offer.withdrawn_at = by, at
        offer.save(update_fields=["withdrawn_by", "withdrawn_at"])
    return offer


@transaction.atomic
def order_in_parts(*, viewer: Member, wanted: Wanted, parts: int, key: str, at: datetime) -> Order:
    """Order a thing at its price of now, to be paid in monthly parts, and make ready for the payment of the first.

    What that is paid by is kept at the provider, and charged for the others. The same key gives the same order. Raises
    what `quote` raises, NotInParts for what is not offered so, CannotCharge where the provider keeps nothing,
    AlreadyInParts, and OrderKeyTaken.
    """
    Member.objects.select_for_update(no_key=True).get(pk=viewer.pk)
    if placed := Order.objects.filter(viewer=viewer, key=key).first():
        return _same(placed, wanted, parts)
    thing = wanted.item or wanted.product
    if thing is None or not InstalmentOffer.objects.filter(**_named(thing), parts=parts, withdrawn_at=None).exists():
        raise NotInParts(f"{wanted.title} is not sold in {parts} parts.")
    providers.charging_provider(current_tenant(), providers.checkout_provider())
    if InstalmentPlan.objects.filter(**_named(thing), viewer=viewer, state__in=OWING).exists():
        raise AlreadyInParts(f"{thing} is being paid in parts already.")
    [quoted] = quote(viewer=viewer, wanted=[wanted], at=at)
    if quoted.amount.minor < parts:
        raise TooLittle(f"{quoted.amount} cannot be paid in {parts} parts.")
    whole = {"amount": quoted.amount.minor, "currency": quoted.amount.currency, "count": parts}
    plan = InstalmentPlan.objects.create(viewer=viewer, **_named(thing), creator=thing.creator, placed_at=at, **whole)
    [payment] = place_bills([bill_for(plan, plan.parts_of_price[0], key=key)], state=Payment.State.NEW, at=at)
    note_tried(OrderLine.objects.get(order=payment.order), quoted)
    InstalmentPart.objects.create(plan=plan, number=1, through=1, order=payment.order, due_at=at)
    order: Order = payment.order
    return order


def _named(thing: Item | Product) -> dict[str, Any]:
    return {"item": thing} if isinstance(thing, Item) else {"product": thing}


def _same(order: Order, wanted: Wanted, parts: int) -> Order:
    part = InstalmentPart.objects.select_related("plan").filter(order=order, number=1).first()
    asked = (wanted.item.pk if wanted.item else None, wanted.product.pk if wanted.product else None, parts)
    if part is None or asked != (part.plan.item_id, part.plan.product_id, part.plan.count):
        raise OrderKeyTaken("An order of something else was placed under this key.")
    return order


@transaction.atomic
def pay_rest(*, plan: InstalmentPlan, by: Member, at: datetime) -> InstalmentPlan:
    """Charge all that is left at once. Declined, it is as if it was never asked for.

    Raises NotYourPlan, NotInThisState while a part is owed, ChargeUnderWay and MethodNeeded.
    """
    plan = _mine(plan, by)
    if plan.state != State.ACTIVE:
        raise NotInThisState(f"It is {plan.state}.")
    if plan.due_at is None or plan.due_at <= at:
        raise ChargeUnderWay("A charge is under way. Please try again in a moment.")
    must_be_usable(plan.method, by=plan.viewer)
    ask_for([plan], at=at, is_rest=True)
    moved(plan, State.ACTIVE, at=at, by=by, why="the rest at once")
    enqueue(RENEWAL, key=RENEWAL)
    return plan


@transaction.atomic
def change_method(*, plan: InstalmentPlan, by: Member, method: PaymentMethod, at: datetime) -> InstalmentPlan:
    """Charge another method from now on; what is owed is charged to it at once. Raises as `pay_rest`."""
    plan = _mine(plan, by)
    if plan.state not in OWING:
        raise NotInThisState(f"It is {plan.state}.")
    plan.method = must_be_usable(method, by=plan.viewer)
    is_charged = Charge.objects.filter(plan=plan, state=Charge.State.NEW).exists()
    is_owed = plan.state in WAITING and not is_charged
    plan.due_at = at if is_owed else plan.due_at
    moved(plan, State(plan.state), at=at, by=by, why="another method")
    if is_owed:
        enqueue(RENEWAL, key=RENEWAL)
    return plan


@transaction.atomic
def forgive(*, plan: InstalmentPlan, by: Member, why: str, at: datetime) -> InstalmentPlan:
    """Ask for nothing more, and leave the thing to the buyer: for the tenant's staff, who say why. Twice is once.

    Raises NotYourPlan and NotInThisState.
    """
    plan = held_plan(plan.pk)
    if not by.runs_the_tenant:
        raise NotYourPlan("Only the tenant's staff may do this.")
    if plan.state == State.FORGIVEN:
        return plan
    if plan.state not in OWING:
        raise NotInThisState(f"It is {plan.state}.")
    if plan.state == State.DEFAULTED:
        let_in(plan, at)
    moved(plan, State.FORGIVEN, at=at, by=by, why=why)
    return plan


def _mine(plan: InstalmentPlan, by: Member) -> InstalmentPlan:
    plan = held_plan(plan.pk)
    if by.pk != plan.viewer_id and not by.runs_the_tenant:
        raise NotYourPlan("This is somebody else's.")
    return plan
