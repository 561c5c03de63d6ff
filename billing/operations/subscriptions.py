"""What members do with their subscriptions: try, change, pause, cancel, and give to others."""

from datetime import datetime

from django.db import transaction

from billing.models import Charge, GiftMembership, Order, Payment, PaymentMethod, Period, Plan, Subscription
from billing.operations.invoices import Due, bill_of, invoice, place_bills
from billing.operations.memberships import (
    OVER,
    AlreadyMember,
    State,
    begin,
    check_plan,
    held,
    is_offered,
    move_access,
    must_not_be_member,
    noted,
    open_to_members,
)
from billing.operations.methods import must_be_usable
from billing.operations.orders import OrderKeyTaken
from billing.operations.renewals import end, renew
from billing.periods import anchor_of, following, unused
from billing.queries import tenants_zone
from kpplatform.errors import Conflict, Forbidden
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member

RENEWAL = "billing.tasks.renew_subscriptions"


class NotYourSubscription(Forbidden):
    code = "not_your_subscription"


class NotInThisState(Conflict):
    """The subscription's state does not allow it."""

    code = "not_in_this_state"


class ChargeUnderWay(Conflict):
    code = "charge_under_way"


class NoTrial(Conflict):
    code = "no_trial"


class NotAnUpgrade(Conflict):
    code = "not_an_upgrade"


class OtherMembership(Conflict):
    code = "other_membership"


@transaction.atomic
def start_trial(*, viewer: Member, plan: Plan, method: PaymentMethod | None, at: datetime) -> Subscription:
    """Begin the plan's free days; then the saved method is charged for the first period.

    Raises NotOffered, AlreadyMember, MethodNeeded, and NoTrial when the plan has none or the viewer has had the tier.
    """
    Member.objects.select_for_update(no_key=True).get(pk=viewer.pk)
    check_plan(viewer, plan.product, at)
    tried = Period.objects.filter(kind=Period.Kind.TRIAL, plan__tier=plan.tier_id, subscription__viewer=viewer)
    had = Subscription.objects.filter(viewer=viewer, tier=plan.tier_id)
    if not plan.trial_days or had.exists() or tried.exists():
        raise NoTrial("There are no free days to be had.")
    method = must_be_usable(method, by=viewer)
    begun = begin(
        viewer=viewer, plan=plan, state=State.TRIALING, renews=True, method=method, at=at, days=plan.trial_days
    )
    _open_trial(begun, plan, at=at)
    noted(begun, "trial", at=at, by=viewer)
    return begun


@transaction.atomic
def upgrade_now(*, subscription: Subscription, by: Member, plan: Plan, at: datetime) -> Subscription:
    """Begin a period of a dearer plan now: what is left of the present one counts, the rest is charged at once.

    A trial just goes on in the other plan. Raises NotYourSubscription, NotInThisState, ChargeUnderWay, OtherMembership,
    MethodNeeded, and NotAnUpgrade when there would be nothing to pay.
    """
    of = _mine(subscription, by, {State.ACTIVE, State.TRIALING}, at=at)
    _must_fit(of, plan, at=at)
    if of.periods.filter(starts_at=at).exists():
        raise NotInThisState("A period began at this very moment.")
    if of.state == State.TRIALING:
        of.plan, of.tier, of.next_plan = plan, plan.tier, None
        of.save(update_fields=["plan", "tier", "next_plan"])
        _open_trial(of, plan, at=at)
        noted(of, "upgrade", at=at, by=by, before=of.state)
        return of
    must_be_usable(of.method, by=of.viewer)
    present = _paid_period(of)
    credit = unused(_worth(present), starts_at=present.starts_at, ends_at=present.ends_at, at=at)
    if not of.renews or credit >= plan.product.amount:
        raise NotAnUpgrade("What is left of the present period is worth as much.")
    ends_at = following(at, interval=plan.interval, anchor=anchor_of(at, zone=tenants_zone()), zone=tenants_zone())
    span = {"kind": Period.Kind.UPGRADE, "starts_at": at, "ends_at": ends_at}
    period = Period(subscription=of, plan=plan, credited=present, credit=credit, **span)
    invoice([Due(of, period)], at=at)
    of.due_at = None
    of.save(update_fields=["due_at"])
    noted(of, "upgrade", at=at, by=by, before=of.state)
    enqueue(RENEWAL, key=RENEWAL)
    return of


@transaction.atomic
def downgrade_at_period_end(*, subscription: Subscription, by: Member, plan: Plan, at: datetime) -> Subscription:
    """Go on with another plan from the next period; the present plan takes an earlier wish back."""
    of = _mine(subscription, by, {State.ACTIVE, State.TRIALING, State.PAUSED}, at=at)
    if plan.pk != of.plan_id:
        _must_fit(of, plan, at=at)
    of.next_plan = None if plan.pk == of.plan_id else plan
    of.save(update_fields=["next_plan"])
    noted(of, "downgrade", at=at, by=by, before=of.state)
    return of


@transaction.atomic
def pause_subscription(*, subscription: Subscription, by: Member, at: datetime) -> Subscription:
    """Charge nothing until it is resumed; what was paid for can still be watched."""
    of = _mine(subscription, by, {State.ACTIVE}, at=at)
    if not of.renews:
        raise NotInThisState("It ends with this period.")
    return _changed(of, "pause", state=State.PAUSED, by=by, at=at)


@transaction.atomic
def resume_subscription(*, subscription: Subscription, by: Member, at: datetime) -> Subscription:
    """Go on: with the period that was paid for, or when that is over with a new one, charged at once."""
    of = _mine(subscription, by, {State.PAUSED}, at=at)
    if at < of.ends_at:
        return _changed(of, "resume", state=State.ACTIVE, by=by, at=at)
    must_be_usable(of.method, by=of.viewer)
    renew([of], at=at)
    noted(of, "resume", at=at, by=by, before=of.state)
    enqueue(RENEWAL, key=RENEWAL)
    return of


@transaction.atomic
def cancel_subscription(*, subscription: Subscription, by: Member, at: datetime) -> Subscription:
    """End it with the period that was paid for; at once where that is over."""
    of = _mine(subscription, by, {*State} - {*OVER}, at=at, may_be_charged=True)
    of.renews, of.next_plan = False, None
    of.save(update_fields=["renews", "next_plan"])
    if at >= of.ends_at and not _is_charged(of):
        move_access(of, ends_at=at)
        end(of, State.CANCELLED, at=at)
        return of
    return _changed(of, "cancel", state=State(of.state), by=by, at=at)


@transaction.atomic
def undo_cancel(*, subscription: Subscription, by: Member, at: datetime) -> Subscription:
    """Have it renewed after all. Raises NotInThisState for a gift and what is over, AlreadyMember beside another."""
    of = _mine(subscription, by, {State.ACTIVE, State.TRIALING, State.PAUSED}, at=at)
    others = Subscription.objects.filter(viewer=of.viewer_id, tier=of.tier_id, renews=True, ended_at=None)
    if others.exclude(pk=of.pk).exists():
        raise AlreadyMember("Another subscription of this tier is renewed already.")
    if of.periods.filter(kind=Period.Kind.GIFT).exists():
        raise NotInThisState("A gift is not renewed.")
    of.renews = True
    of.save(update_fields=["renews"])
    return _changed(of, "undo_cancel", state=State(of.state), by=by, at=at)


@transaction.atomic
def end_subscription(*, subscription: Subscription, by: Member, why: str, at: datetime) -> Subscription:
    """End it at once, and the access with it: for the tenant's staff, who say why. Money is given back by refunds."""
    of = held(subscription)
    if not by.runs_the_tenant:
        raise NotYourSubscription("Only the tenant's staff may do this.")
    if of.is_over:
        return of
    move_access(of, ends_at=at)
    before, of.state, of.ended_at, of.due_at, of.next_plan = of.state, State.CANCELLED, at, None, None
    of.save(update_fields=["state", "ended_at", "due_at", "next_plan"])
    noted(of, "cancel_now", at=at, by=by, before=before, why=why)
    return of


@transaction.atomic
def change_method(*, subscription: Subscription, by: Member, method: PaymentMethod, at: datetime) -> Subscription:
    """Charge another method from now on; what failed before is charged to it at once."""
    of = _mine(subscription, by, {*State} - {*OVER}, at=at, may_be_charged=True)
    of.method = must_be_usable(method, by=of.viewer)
    is_unpaid = of.state == State.PAST_DUE and not _is_charged(of)
    of.due_at = at if is_unpaid else of.due_at
    of.save(update_fields=["method", "due_at"])
    noted(of, "method", at=at, by=by, before=of.state)
    if is_unpaid:
        enqueue(RENEWAL, key=RENEWAL)
    return of


@transaction.atomic
def give_membership(*, viewer: Member, plan: Plan, to: Member, key: str, message: str = "", at: datetime) -> Order:
    """Order a period of the plan for another member: it is theirs when it is paid, and not renewed.

    The same key gives the same order. Raises NotOffered, AlreadyMember, and OrderKeyTaken.
    """
    if placed := Order.objects.filter(viewer=viewer, key=key).first():
        if not GiftMembership.objects.filter(order=placed, plan=plan, to=to).exists():
            raise OrderKeyTaken("An order of something else was placed under this key.")
        return placed
    if to.pk == viewer.pk:
        raise AlreadyMember("A gift is for somebody else.")
    check_plan(to, plan.product, at)
    [payment] = place_bills([bill_of(viewer, plan, key=key)], state=Payment.State.NEW, at=at)
    given = GiftMembership.objects.create(order=payment.order, plan=plan, to=to, message=message)
    order: Order = given.order
    return order


def _mine(
    subscription: Subscription, by: Member, states: set[State], *, at: datetime, may_be_charged: bool = False
) -> Subscription:
    of = held(subscription)
    if by.pk != of.viewer_id and not by.runs_the_tenant:
        raise NotYourSubscription("This is somebody else's.")
    if of.state not in states:
        raise NotInThisState(f"It is {of.state}.")
    is_late = of.state in {State.ACTIVE, State.TRIALING} and at >= of.ends_at
    if not may_be_charged and (is_late or _is_charged(of)):
        raise ChargeUnderWay("A charge is under way. Please try again in a moment.")
    return of


def _is_charged(of: Subscription) -> bool:
    return Charge.objects.filter(subscription=of, state=Charge.State.NEW).exists()


def _must_fit(of: Subscription, plan: Plan, *, at: datetime) -> None:
    """Raise unless the plan is another one that is sold, of the same creator's or of the tenant's."""
    if plan.pk == of.plan_id or plan.tier.creator_id != of.tier.creator_id:
        raise OtherMembership("One changes between the plans of one creator, or of the tenant.")
    if plan.tier_id != of.tier_id:
        must_not_be_member(of.viewer, plan)
    if not is_offered(plan, at=at):
        raise OtherMembership("Nobody can join this plan any longer.")


def _changed(of: Subscription, what: str, *, state: State, by: Member, at: datetime) -> Subscription:
    """Note a change that says whether the present period is followed by another, and how long access lasts."""
    before, of.state = of.state, state
    waits = state == State.PAUSED and of.renews
    of.due_at = None if waits or _is_charged(of) else of.ends_at
    of.save(update_fields=["state", "due_at"])
    move_access(of)
    noted(of, what, at=at, by=by, before=before)
    return of


def _open_trial(of: Subscription, plan: Plan, *, at: datetime) -> None:
    """Let the viewer in for the rest of the trial."""
    source = f"subscription:{of.pk}:{plan.pk}"
    span = {"starts_at": at, "ends_at": of.ends_at, "source": source}
    open_to_members([(of, of.periods.create(kind=Period.Kind.TRIAL, plan=plan, **span))], at=at)


def _paid_period(of: Subscription) -> Period:
    return of.periods.select_related("order", "plan").get(starts_at=of.starts_at)


def _worth(period: Period) -> int:
    """Return what was paid for the period: its order less what was given back, and what was counted in."""
    line = period.order.lines.get(product=period.plan.product_id) if period.order else None
    return (line.left if line else 0) + period.credit
