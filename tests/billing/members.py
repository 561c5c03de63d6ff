"""Memberships with the least said, and a clock that jumps from one thing that is due to the next. Call in a scope."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min

from billing import operations
from billing.models import Charge, InstalmentPlan, Order, Payment, PaymentMethod, Period, Plan, Subscription, Tier
from billing.operations import Wanted, due_parts
from billing.providers.sandbox.faults import Fault, Kind
from billing.providers.sandbox.server import Server
from catalog.models import Item
from catalog.queries import watchable_by
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.shop import yuan
from tests.conftest import NOON

CHARGES = "/v1/charges"
DAY = timedelta(days=1)


def plan(
    creator: Creator | None,
    minor: int = 3_000,
    *,
    interval: str = "month",
    trial_days: int = 0,
    items: tuple[Item, ...] = (),
    opens_all: bool = True,
) -> Plan:
    """Return a tier's plan; without a creator it is the tenant's own."""
    by = creator.member if creator else make.member(Member.Role.STAFF)
    tier = operations.make_tier(by=by, creator=creator, title="Club", items=items, opens_all=opens_all, at=NOON)
    return _sold(tier, minor, interval, trial_days)


def other_plan(of: Plan, minor: int = 9_000, interval: str = "month") -> Plan:
    """Return another plan of the same tier."""
    return _sold(of.tier, minor, interval)


def _sold(tier: Tier, minor: int, interval: str, trial_days: int = 0) -> Plan:
    by = tier.creator.member if tier.creator else make.member(Member.Role.STAFF)
    made = operations.add_plan(tier=tier, by=by, interval=interval, amount=yuan(minor), trial_days=trial_days, at=NOON)
    return Plan.objects.select_related("tier__creator", "product").get(pk=made.pk)


def saved_method(sandbox: Server, viewer: Member, *, at: datetime = NOON) -> PaymentMethod:
    """Return what the viewer has agreed to at the provider's."""
    method = operations.open_method(method=operations.ask_method(viewer=viewer, at=at), at=at)
    said = sandbox.bank.press(method.checkout_url.rpartition("/")[2], pays=True)
    operations.save_method(method=method, reference=said["method"])
    method.refresh_from_db()
    return method


def joined(sandbox: Server, viewer: Member, of: Plan, *, coupon: str = "", at: datetime = NOON) -> Subscription:
    """Return the subscription of somebody who paid for the first period at the provider's page."""
    told: dict[str, Any] = {
        "wanted": [Wanted(product=of.product)],
        "coupon": coupon,
        "key": f"join {of.pk} {at}{coupon}",
    }
    order = operations.order_all(viewer=viewer, **told, at=at)
    paid_at_the_page(sandbox, order, at=at)
    return Subscription.objects.get(periods__order=order)


def paid_at_the_page(sandbox: Server, order: Order, *, at: datetime) -> None:
    payment = operations.pay(order=order, at=at)
    said = sandbox.bank.press(payment.reference, pays=True)
    payment = Payment.objects.select_related("order__viewer").get(order=order)
    operations.capture(payment=payment, reference=said["id"], method=said.get("method", ""), at=at)


def tick(at: datetime) -> None:
    """Do what is due, as the job does."""
    while operations.renew_some(at=at):
        pass
    while due_parts.charge_parts(at=at):
        pass
    while operations.collect_next(at=at):
        pass


def travel(until: datetime) -> None:
    """Let time pass: whatever becomes due on the way is done when it does."""
    while (due := next_due()) is not None and due <= until:
        tick(due)


def next_due() -> datetime | None:
    charges = Charge.objects.filter(state=Charge.State.NEW)
    waiting = (Subscription.objects.all(), InstalmentPlan.objects.all(), charges)
    found = [rows.aggregate(due=Min("due_at"))["due"] for rows in waiting]
    return min((due for due in found if due is not None), default=None)


def now(of: Subscription) -> Subscription:
    """Return the subscription as it is now."""
    return Subscription.objects.select_related("viewer", "plan", "tier").get(pk=of.pk)


def may_watch(viewer: Member, item: Item, at: datetime) -> bool:
    return watchable_by(viewer, at=at).filter(pk=item.pk).exists()


def periods(of: Subscription) -> list[Period]:
    return list(of.periods.select_related("order").order_by("starts_at"))


def decline(sandbox: Server, kind: str = "soft", times: int = 1) -> None:
    sandbox.faults.planned.clear()
    sandbox.faults.plan(Fault(on=CHARGES, kind=Kind(f"decline_{kind}"), times=times))


def of_(subscription: Subscription) -> dict[str, Any]:
    """Return whose it is, for what the member does to it."""
    return {"subscription": subscription, "by": subscription.viewer}
