"""What a period of a membership gives: delivered when it is booked, taken back when it is given back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from billing.models import (
    Charge,
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
    TierItem,
)
from billing.periods import anchor_of, following
from billing.queries import tenants_zone
from catalog.models import Pass
from catalog.operations import grant_access, grant_passes, move_ends, revoke_source
from kpplatform.errors import Conflict
from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.models import Member

# So long a member goes on watching when a renewal fails, or comes late.
GRACE = timedelta(days=7)
State = Subscription.State
OVER = (State.CANCELLED, State.EXPIRED)


class AlreadyMember(Conflict):
    code = "already_a_member"


class NotOffered(Conflict):
    code = "not_for_sale"


def held(subscription: Subscription) -> Subscription:
    """Return the subscription as it is now; nobody else changes it before the transaction ends."""
    related = ("viewer", "tier__creator", "plan__product", "next_plan__product", "method")
    return held_all([subscription.pk], *related)[subscription.pk]


def held_all(pks: Iterable[int], *related: str) -> dict[int, Subscription]:
    """Return subscriptions by id, each as it is now; nobody else changes them before the transaction ends."""
    rows = Subscription.objects.select_for_update(no_key=True, of=("self",)).select_related(*related)
    return {of.pk: of for of in rows.filter(pk__in=set(pks)).order_by("pk")}


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
    """Tell whether what the buyer pays by is to be charged again: for a membership of their own, or in parts."""
    kinds = [OrderLine.Kind.MEMBERSHIP, OrderLine.Kind.INSTALMENT]
    goes_on = OrderLine.objects.filter(order=order, kind__in=kinds).exists()
    return goes_on and not GiftMembership.objects.filter(order=order).exists()


def may_be_paid_by_hand(order: Order) -> bool:
    """Tell whether the order can be paid at the provider's page: of periods that are charged, a declined renewal only.

    Its subscription is held; it is not over, and no charge is under way.
    """
    period = Period.objects.filter(order=order).first()
    if period is None or period.kind != Period.Kind.RENEWAL:
        return period is None
    is_past_due = held_all([period.subscription_id])[period.subscription_id].state == State.PAST_DUE
    return is_past_due and not Charge.objects.filter(payment__order=order, state=Charge.State.NEW).exists()


def open_periods(lines: Sequence[OrderLine], at: datetime) -> None:
    """Let members in for the periods that were paid, and have those renewed in turn."""
    invoiced = Period.objects.select_related("plan__tier__creator").filter(order__in=[of.order_id for of in lines])
    source_of = {of.order_id: of.source for of in lines}
    periods = [period for period in invoiced.order_by("pk") if not period.source]
    subscriptions = held_all(period.subscription_id for period in periods)
    paid = [(subscriptions[period.subscription_id], period) for period in periods]
    saved = saved_with(lines)
    for of, period in paid:
        if period.order_id in saved:
            of.method = saved[period.order_id]
        period.source = source_of[period.order_id or 0]
        if period.kind == Period.Kind.RENEWAL and period.ends_at <= at and not of.is_over:
            _begin_now(period, at)
    update_all(periods, ["source", "starts_at", "ends_at"])
    _move_on(paid)
    open_to_members(paid, at=at)
    known = {period.order_id for period in invoiced}
    for line in lines:
        if line.order_id not in known:
            _begin(line, at)


def saved_with(lines: Sequence[OrderLine]) -> dict[int, PaymentMethod]:
    """Return what buyers paid by at the provider's page and have saved there, by order."""
    orders = Payment.objects.filter(order__in=[of.order_id for of in lines]).exclude(checkout_url="")
    keys = dict(orders.values_list("key", "order_id"))
    return {keys[method.key]: method for method in PaymentMethod.objects.filter(key__in=keys)}


def open_again(line: OrderLine, source: str, at: datetime) -> None:
    """Let the member in once more after a refund that failed; nothing is changed of the subscription."""
    period = Period.objects.select_related("plan__tier__creator", "subscription__viewer").get(order=line.order_id)
    if period.ends_at > at:
        period.source = source
        period.save(update_fields=["source"])
        open_to_members([(period.subscription, period)], at=at)


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


def open_to_members(paid: Sequence[tuple[Subscription, Period]], *, at: datetime) -> None:
    """Grant what each period's tier opens: to its end, and a grace beyond while it will be renewed."""
    until = {period.pk: period.ends_at + _grace(of, period) for of, period in paid}
    lasting = [(of, period) for of, period in paid if until[period.pk] > at]
    grant_passes([
        Pass(
            viewer_id=of.viewer_id,
            creator=period.plan.tier.creator,
            source=period.source,
            starts_at=at,
            ends_at=until[period.pk],
        )
        for of, period in lasting
        if period.plan.tier.opens_all
    ])  # fmt: skip
    tiers = {period.plan.tier_id for _, period in lasting}
    listed = list(TierItem.objects.filter(tier__in=tiers).select_related("item").order_by("pk"))
    for of, period in lasting:
        span: dict[str, Any] = {"source": period.source, "starts_at": at, "ends_at": until[period.pk]}
        for each in listed:
            if each.tier_id == period.plan.tier_id:
                grant_access(viewer=of.viewer, item=each.item, **span)


def _grace(of: Subscription, period: Period) -> timedelta:
    return GRACE if will_renew(of) and period.starts_at >= of.starts_at else timedelta()


def will_renew(subscription: Subscription) -> bool:
    """Tell whether the present period is to be followed by another."""
    return subscription.renews and subscription.state not in {*OVER, State.PAUSED}


def move_access(subscription: Subscription, *, ends_at: datetime | None = None) -> None:
    """Let what was granted for the present period end when it should by now, or at the time given."""
    until = ends_at or subscription.ends_at + (GRACE if will_renew(subscription) else timedelta())
    _end_access({subscription.pk: until})


def _end_access(until: Mapping[int, datetime]) -> None:
    """Let what was granted for the present periods of subscriptions end at these moments."""
    present = Period.objects.filter(subscription__in=until, starts_at__gte=F("subscription__starts_at"))
    whose = present.exclude(source="").values_list("subscription_id", "subscription__viewer_id", "source")
    move_ends({(viewer, source): until[pk] for pk, viewer, source in whose})


def _begin(line: OrderLine, at: datetime) -> None:
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
    span = {"starts_at": begun.starts_at, "ends_at": begun.ends_at, "source": line.source}
    period = begun.periods.create(kind=kind, plan=plan, order=line.order, **span)
    open_to_members([(begun, period)], at=at)


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


def _move_on(paid: Sequence[tuple[Subscription, Period]]) -> None:
    """Note which periods were paid. What was granted for those before ends with them, without their grace."""
    _end_access({of.pk: of.ends_at for of, _ in paid})
    zone = tenants_zone()
    for of, period in paid:
        if period.starts_at != of.ends_at:
            of.anchor = anchor_of(period.starts_at, zone=zone)
        of.plan, of.tier, of.next_plan = period.plan, period.plan.tier, None
        of.starts_at, of.ends_at, of.failures = period.starts_at, period.ends_at, 0
        if not of.is_over:
            of.state, of.due_at = State.ACTIVE, period.ends_at
    _renew_one_each([of for of, _ in paid if of.renews and not of.is_over])
    moved = [
        "plan",
        "tier",
        "next_plan",
        "starts_at",
        "ends_at",
        "failures",
        "state",
        "due_at",
        "anchor",
        "renews",
        "method",
    ]
    update_all([of for of, _ in paid], moved)


def _renew_one_each(subscriptions: Sequence[Subscription]) -> None:
    """Let none be renewed whose tier another one of the same member is renewed for, or was a moment ago."""
    viewers, tiers = {of.viewer_id for of in subscriptions}, {of.tier_id for of in subscriptions}
    renewed = Subscription.objects.filter(viewer__in=viewers, tier__in=tiers, renews=True, ended_at=None)
    whose = {(viewer, tier, pk) for viewer, tier, pk in renewed.values_list("viewer", "tier", "pk")}
    for of in subscriptions:
        of.renews = not any((viewer, tier) == (of.viewer_id, of.tier_id) for viewer, tier, pk in whose if pk != of.pk)
        if of.renews:
            whose.add((of.viewer_id, of.tier_id, of.pk))
