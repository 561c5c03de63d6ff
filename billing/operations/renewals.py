"""What the clock does to subscriptions: renew them, charge again what failed, end them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from billing.models import Payment, Period, Subscription
from billing.operations.dunning import DUNNING, charge_again, next_look
from billing.operations.invoices import Due, invoice
from billing.operations.memberships import GRACE, State, move_access, noted
from billing.operations.methods import usable
from billing.periods import anchor_of, following
from billing.queries import tenants_zone
from kpplatform.tenancy.many import update_all

BATCH = 200


@transaction.atomic
def renew_some(*, at: datetime, most: int = BATCH) -> int:
    """Do what is due about some subscriptions, and say about how many. Others may do the same beside.

    Each is held while it is looked at, and has nothing due while a charge of it is under way: so it is renewed once.
    """
    related = ("viewer", "plan__product", "plan__tier", "next_plan__product", "next_plan__tier", "method")
    free = Subscription.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    due = list(free.filter(due_at__lte=at).select_related(*related).order_by("due_at", "pk")[:most])
    ending = [of for of in due if not of.renews]
    barred = [of for of in due if of.renews and of.viewer.suspended_at]
    going_on = [of for of in due if of.renews and not of.viewer.suspended_at]
    overdue = [of for of in going_on if of.state == State.PAST_DUE]
    renewing = [of for of in going_on if of.state != State.PAST_DUE]
    _end(ending, at=at)
    _pause(barred, at=at)
    _charge_again(overdue, at=at)
    renew(renewing, at=at)
    return len(due)


def renew(subscriptions: Iterable[Subscription], *, at: datetime) -> None:
    """Invoice the next period of each, in the plan that was chosen for it."""
    dues = [Due(of, _next_period(of, at)) for of in subscriptions]
    if not dues:
        return
    invoice(dues, at=at)
    for due in dues:
        of, due.subscription.due_at = due.subscription, None
        if not usable(of.method):
            before, of.state, of.due_at = of.state, State.PAST_DUE, at + DUNNING[-1]
            noted(of, "declined", at=at, before=before, why="nothing to charge")
    update_all([due.subscription for due in dues], ["due_at", "state"])


def _next_period(of: Subscription, at: datetime) -> Period:
    """Return the period that follows; after a pause, or when the grace is over, one that begins now."""
    plan, zone, starts_at, anchor = of.next_plan or of.plan, tenants_zone(), of.ends_at, of.anchor
    if of.state == State.PAUSED or at >= of.ends_at + GRACE:
        starts_at, anchor = at, anchor_of(at, zone=zone)
    ends_at = following(starts_at, interval=plan.interval, anchor=anchor, zone=zone)
    return Period(subscription=of, kind=Period.Kind.RENEWAL, plan=plan, starts_at=starts_at, ends_at=ends_at)


def _end(subscriptions: Iterable[Subscription], *, at: datetime) -> None:
    """End those that are not to be renewed: a gift has run out, the others were cancelled."""
    for of in subscriptions:
        is_gift = of.periods.filter(kind=Period.Kind.GIFT).exists()
        end(of, State.EXPIRED if is_gift else State.CANCELLED, at=at)


def _pause(subscriptions: Iterable[Subscription], *, at: datetime) -> None:
    """Charge nothing to who was suspended, and can do nothing about it."""
    for of in subscriptions:
        before, of.state, of.due_at = of.state, State.PAUSED, None
        of.save(update_fields=["state", "due_at"])
        move_access(of)
        noted(of, "pause", at=at, before=before, why="suspended")


def end(of: Subscription, state: State, *, at: datetime, why: str = "") -> None:
    """Note that the subscription is over."""
    before, of.state, of.ended_at, of.due_at, of.next_plan = of.state, state, at, None, None
    of.save(update_fields=["state", "ended_at", "due_at", "next_plan"])
    noted(of, state, at=at, before=before, why=why)


def _charge_again(subscriptions: Iterable[Subscription], *, at: datetime) -> None:
    """Charge what was not paid once more; where there is nothing to charge it to, the subscription expires."""
    for of in subscriptions:
        payment = unpaid(of)
        if payment is None or not charge_again(of, payment, at=at):
            end(of, State.EXPIRED, at=at, why="not paid")


def unpaid(of: Subscription) -> Payment | None:
    """Return the payment of the renewal that failed."""
    renewals = Payment.objects.filter(order__periods__subscription=of, order__periods__kind=Period.Kind.RENEWAL)
    waiting = renewals.exclude(state=Payment.State.CAPTURED)
    return waiting.select_related("order").order_by("-pk").first()


def declined(of: Subscription, payment: Payment, *, why: str, at: datetime) -> None:
    """Go on after a renewal was declined: try again on the next of the days, or with a new method at once."""
    before = of.state
    of.failures, of.state = of.failures + 1, State.PAST_DUE
    following_look = next_look(of, payment, at)
    if not of.renews or following_look is None:
        of.save(update_fields=["failures", "state"])
        end(of, State.EXPIRED if of.renews else State.CANCELLED, at=at, why=why)
        return
    of.due_at = following_look
    of.save(update_fields=["failures", "state", "due_at"])
    noted(of, "declined", at=at, before=before, why=why)
