"""What a period of a membership gives: delivered when it is booked, taken back when it is given back."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.models import (
    GiftMembership,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    Period,
    Plan,
    Product,
    Subscription,
    SubscriptionChange,
)
from billing.periods import anchor_of, following
from catalog.operations import grant_access, grant_pass, move_end, revoke_source
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

# So long a member goes on watching when a renewal fails, or comes late.
GRACE = timedelta(days=7)
State = Subscription.State
OVER = (State.CANCELLED, State.EXPIRED)


class AlreadyMember(Conflict):
    code = "already_a_member"


class NotOffered(Conflict):
    code = "not_for_sale"


def tenants_zone() -> ZoneInfo:
    """Return where the scope's tenant is: its days are counted there."""
    return ZoneInfo(current_tenant().time_zone)


def held(subscription: Subscription) -> Subscription:
    """Return the subscription as it is now; nobody else changes it before the transaction ends."""
    related = ("viewer", "tier__creator", "plan__product", "next_plan__product", "method")
    rows = Subscription.objects.select_for_update(no_key=True, of=("self",)).select_related(*related)
    return rows.get(pk=subscription.pk)


def noted(
    subscription: Subscription, what: str, *, at: datetime, by: Member | None = None, before: str = "", why: str = ""
) -> SubscriptionChange:
    """Write down what was done to a subscription."""
    said = {"what": what, "before": before, "after": subscription.state, "why": why[:200], "changed_at": at}
    return SubscriptionChange.objects.create(subscription=subscription, by=by, **said)


def check_plan(viewer: Member, product: Product, at: datetime) -> None:
    """Raise NotOffered for a plan that nobody can join, AlreadyMember for one whose tier the member has."""
    plan = Plan.objects.select_related("tier__creator", "product").filter(product=product).first()
    if plan is None or not is_offered(plan, at=at):
        raise NotOffered(f"Nobody can join {product} now.")
    must_not_be_member(viewer, plan)


def is_offered(plan: Plan, *, at: datetime) -> bool:
    """Tell whether one can join the plan: neither it nor its tier was withdrawn."""
    withdrawn = (plan.tier.withdrawn_at, plan.product.withdrawn_at)
    return all(since is None or since > at for since in withdrawn)


def must_not_be_member(viewer: Member, plan: Plan) -> None:
    """Raise AlreadyMember when the viewer has the plan's tier, or it is their own."""
    if plan.tier.creator and plan.tier.creator.member_id == viewer.pk:
        raise AlreadyMember("This is your own.")
    if Subscription.objects.filter(viewer=viewer, tier=plan.tier_id, ended_at=None).exists():
        raise AlreadyMember(f"{viewer} is a member of {plan.tier} already.")


def saves_method(order: Order) -> bool:
    """Tell whether what the buyer pays by is to be charged again: for a membership of their own."""
    is_membership = OrderLine.objects.filter(order=order, kind=OrderLine.Kind.MEMBERSHIP).exists()
    return is_membership and not GiftMembership.objects.filter(order=order).exists()


def open_period(line: OrderLine, source: str, at: datetime) -> None:
    """Let the member in for the period that was paid, and have it renewed; after a failed refund, only let them in."""
    period = Period.objects.select_related("plan__tier__creator").filter(order=line.order_id).first()
    period = period or _first_period(line, at)
    is_new = period.source == ""
    if not is_new and period.ends_at <= at:
        return
    # After a failed refund the ledger is held, and nothing is changed of the subscription.
    subscription = held(period.subscription) if is_new else Subscription.objects.get(pk=period.subscription_id)
    if period.kind == Period.Kind.RENEWAL and period.ends_at <= at and not subscription.is_over:
        _begin_now(period, at)
    period.source = source
    period.save(update_fields=["source", "starts_at", "ends_at"])
    if is_new and period.kind in {Period.Kind.RENEWAL, Period.Kind.UPGRADE}:
        _move_on(subscription, period)
    open_to_member(subscription, period, at=at)


def close_period(line: OrderLine, source: str, at: datetime) -> None:
    """Take back what was granted for the period that the line paid for; other periods stay."""
    period = Period.objects.select_related("subscription__viewer").get(order=line.order_id)
    revoke_source(viewer=period.subscription.viewer, source=source, at=at)


def credited(line: OrderLine) -> int:
    """Return how much of the line was counted in for a later period that was not given back: it is spent.

    The subscription is held, so that nothing is counted in while the line is given back.
    """
    of = Subscription.objects.select_for_update(no_key=True, of=("self",))
    list(of.filter(periods__order=line.order_id))
    later = Period.objects.filter(credited__order=line.order_id).exclude(order__state=Order.State.REFUNDED)
    return sum(later.values_list("credit", flat=True))


def open_to_member(subscription: Subscription, period: Period, *, at: datetime) -> None:
    """Grant what the period's tier opens: to its end, and a grace beyond while it will be renewed."""
    tier, has_grace = period.plan.tier, will_renew(subscription) and period.starts_at >= subscription.starts_at
    until = period.ends_at + (GRACE if has_grace else timedelta())
    if until <= at:
        return
    if tier.opens_all:
        whose = {"viewer": subscription.viewer, "creator": tier.creator}
        grant_pass(**whose, source=period.source, starts_at=at, ends_at=until)
    for listed in tier.items.select_related("item").order_by("pk"):
        grant_access(viewer=subscription.viewer, item=listed.item, source=period.source, starts_at=at, ends_at=until)


def will_renew(subscription: Subscription) -> bool:
    """Tell whether the present period is to be followed by another."""
    return subscription.renews and subscription.state not in {*OVER, State.PAUSED}


def move_access(subscription: Subscription, *, ends_at: datetime | None = None) -> None:
    """Let what was granted for the present period end when it should by now, or at the time given."""
    until = ends_at or subscription.ends_at + (GRACE if will_renew(subscription) else timedelta())
    present = subscription.periods.filter(starts_at__gte=subscription.starts_at).exclude(source="")
    for source in present.values_list("source", flat=True):
        move_end(source=source, ends_at=until)


def _first_period(line: OrderLine, at: datetime) -> Period:
    """Begin the subscription that a first order or a gift pays for. A second one of a tier is not renewed."""
    plan = Plan.objects.select_related("tier__creator").get(product=line.product_id)
    gift = GiftMembership.objects.select_related("to").filter(order=line.order_id).first()
    viewer = Member.objects.select_for_update(no_key=True).get(pk=gift.to_id if gift else line.order.viewer_id)
    renewed = Subscription.objects.filter(viewer=viewer, tier=plan.tier_id, renews=True, ended_at=None)
    key = Payment.objects.filter(order=line.order_id).values_list("key", flat=True).first()  # none: a coupon paid
    begun = begin(
        viewer=viewer,
        plan=plan,
        state=State.ACTIVE,
        renews=gift is None and not renewed.exists(),
        method=PaymentMethod.objects.filter(key=key).first(),
        at=at,
    )
    kind = Period.Kind.GIFT if gift else Period.Kind.FIRST
    noted(begun, kind, at=at, by=line.order.viewer)
    return begun.periods.create(
        kind=kind, plan=plan, starts_at=begun.starts_at, ends_at=begun.ends_at, order=line.order
    )


def begin(
    *,
    viewer: Member,
    plan: Plan,
    state: State,
    renews: bool,
    method: PaymentMethod | None,
    at: datetime,
    days: int = 0,
) -> Subscription:
    """Write a subscription whose first period is the plan's, or so many days for trial."""
    zone, ends_at = tenants_zone(), at + timedelta(days=days)
    anchor = anchor_of(ends_at, zone=zone)
    if not days:
        ends_at = following(at, interval=plan.interval, anchor=anchor, zone=zone)
    times = {"starts_at": at, "ends_at": ends_at, "due_at": ends_at, "began_at": at}
    return Subscription.objects.create(
        viewer=viewer, tier=plan.tier, plan=plan, state=state, renews=renews, method=method, anchor=anchor, **times
    )


def _begin_now(period: Period, at: datetime) -> None:
    """Let a period that is paid when it would be over begin with the payment: nobody pays for what is past."""
    zone = tenants_zone()
    anchor = anchor_of(at, zone=zone)
    period.starts_at, period.ends_at = at, following(at, interval=period.plan.interval, anchor=anchor, zone=zone)


def _move_on(subscription: Subscription, period: Period) -> None:
    """Note that the period was paid. What was granted for the one before ends with that, without its grace."""
    if period.starts_at != subscription.ends_at:
        subscription.anchor = anchor_of(period.starts_at, zone=tenants_zone())
    move_access(subscription, ends_at=subscription.ends_at)
    subscription.plan, subscription.tier, subscription.next_plan = period.plan, period.plan.tier, None
    subscription.starts_at, subscription.ends_at, subscription.failures = period.starts_at, period.ends_at, 0
    if not subscription.is_over:
        subscription.state, subscription.due_at = State.ACTIVE, period.ends_at
        others = Subscription.objects.filter(viewer=subscription.viewer_id, tier=subscription.tier_id, renews=True)
        if others.filter(ended_at=None).exclude(pk=subscription.pk).exists():
            subscription.renews = False
    subscription.save()
