"""Refunds: booked at once, sent by a job, confirmed by the provider or taken back."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Sum

from billing import ledger, providers
from billing.models import Journal, Order, OrderLine, Payment, Refund
from billing.models.sales import PARTS
from billing.money import Money
from billing.operations.crash import crash_here
from billing.operations.orders import held
from billing.operations.payments import shared
from catalog.operations import grant_access, revoke_access
from kpplatform.errors import Conflict, Forbidden
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

WINDOW = timedelta(days=7)
FIRST_RETRY, LATEST_RETRY = timedelta(seconds=10), timedelta(hours=1)


class NotPaid(Conflict):
    code = "not_paid"


class NotYourOrder(Forbidden):
    code = "not_your_order"


class RefundWindowOver(Forbidden):
    code = "refund_window_over"


class MoreThanWasPaid(Conflict):
    code = "more_than_was_paid"


class RefundKeyTaken(Conflict):
    code = "refund_key_taken"


@transaction.atomic
def refund(*, line: OrderLine, by: Member, amount: Money | None, key: str, at: datetime) -> Refund:
    """Give back an amount of what was paid for an item, or all that is left of it; all of it ends the access.

    The same key gives the same refund. Buyers may ask for it within the window, the tenant's staff at any time.
    Raises NotYourOrder, NotPaid, RefundWindowOver, MoreThanWasPaid and RefundKeyTaken.
    """
    order = held(line.order)
    if asked := Refund.objects.filter(line=line, asked_by=by, asked_key=key).first():
        if amount is not None and amount != asked.money:
            raise RefundKeyTaken("Another amount was asked for under this key.")
        return asked
    line = OrderLine.objects.select_related("item", "creator").get(pk=line.pk)
    amount = _refundable(order, line, by=by, amount=amount, at=at)
    parts = _parts(line, amount)
    made = Refund(line=line, asked_by=by, asked_key=key, key=f"re_{uuid4().hex}", asked_at=at, amount=amount.minor)
    made.currency = order.currency
    for part, money in zip(PARTS, parts, strict=True):
        setattr(made, part, money.minor)
    clearing = ledger.refund_clearing(order.currency)
    made.journal = ledger.post(
        kind=Journal.Kind.REFUND,
        key=f"refund:{made.key}",
        transfers=[(name, clearing, part) for (name, _), part in zip(shared(line, order.currency), parts, strict=True)],
        at=at,
    )
    made.save()
    _count(order, line, refunded=line.refunded + amount.minor, at=at)
    enqueue("billing.tasks.send_refund", refund_id=made.pk)
    return made


def _refundable(order: Order, line: OrderLine, *, by: Member, amount: Money | None, at: datetime) -> Money:
    if by.pk != order.viewer_id and not by.runs_the_tenant:
        raise NotYourOrder("Only the buyer and the tenant's staff may ask for this.")
    if order.paid_at is None:
        raise NotPaid("This order has not been paid.")
    if not by.runs_the_tenant and at > order.paid_at + WINDOW:
        raise RefundWindowOver(f"Refunds can be asked for within {WINDOW.days} days.")
    left = Money(line.amount - line.refunded, order.currency)
    amount = left if amount is None else amount
    if amount.currency != left.currency or not 0 < amount.minor <= left.minor:
        raise MoreThanWasPaid(f"{left} can be given back, not {amount}.")
    return amount


def _parts(line: OrderLine, amount: Money) -> tuple[Money, ...]:
    """Take the amount out of the line's parts, so that all refunds together stay pro rata and end at the parts.

    What has been given back in all is apportioned, and what earlier refunds took is left out. Only after a failed
    refund may those have taken a unit more of a part than would now be theirs; the others then make up for it.
    """
    standing = Refund.objects.filter(line=line).exclude(state=Refund.State.FAILED)
    taken = standing.aggregate(**{part: Sum(part, default=0) for part in PARTS})
    due = Money(line.refunded + amount.minor, amount.currency).apportion(line.parts(amount.currency))
    open_parts = [max(money.minor - taken[part], 0) for part, money in zip(PARTS, due, strict=True)]
    return amount.apportion([Money(minor, amount.currency) for minor in open_parts])


def _count(order: Order, line: OrderLine, *, refunded: int, at: datetime) -> None:
    """Note how much of the line was given back, end the access with the last of it, or open it again."""
    was, line.refunded = line.refunded, refunded
    line.save(update_fields=["refunded"])
    if refunded == line.amount:
        for source in _sources(line):
            revoke_access(viewer=order.viewer, item=line.item, source=source, at=at)
    elif was == line.amount:
        # What was revoked stays revoked, so this is a new grant.
        grant_access(viewer=order.viewer, item=line.item, source=_sources(line)[-1], starts_at=at)
    some_left = order.lines.filter(refunded__lt=F("amount")).exists()
    order.state = Order.State.PAID if some_left else Order.State.REFUNDED
    order.save(update_fields=["state"])


def _sources(line: OrderLine) -> list[str]:
    """Return what granted access for this line: its sale, and each refund that failed."""
    failed = Refund.objects.filter(line=line, state=Refund.State.FAILED).order_by("done_at", "pk")
    return [line.source, *(f"{line.source}:{pk}" for pk in failed.values_list("pk", flat=True))]


@transaction.atomic
def send_refund(*, refund: Refund, at: datetime) -> None:
    """Tell the provider to give the money back. While its answer is not known, ask again later, under the same key."""
    order = held(refund.line.order)
    if Refund.objects.get(pk=refund.pk).state != Refund.State.ASKED:
        return
    payment = Payment.objects.get(order=order)
    provider = providers.provider_of(current_tenant())
    crash_here("before_refund_call")
    try:
        sent = provider.refund(key=refund.key, reference=payment.reference, order=str(order.pk), amount=refund.money)
    except providers.ProviderUnavailable:
        later = at + min(max(at - refund.asked_at, FIRST_RETRY), LATEST_RETRY)
        enqueue("billing.tasks.send_refund", due_at=later, refund_id=refund.pk)
        return
    except providers.ProviderRefused as error:
        fail_refund(refund=refund, reason=error.detail, at=at)
        return
    crash_here("after_refund_call")
    settle_refund(refund=refund, reference=sent.reference, at=at)


@transaction.atomic
def settle_refund(*, refund: Refund, reference: str, at: datetime) -> bool:
    """Book that the provider has given the money back. False if that is known."""
    held(refund.line.order)
    refund = Refund.objects.get(pk=refund.pk)
    if refund.state != Refund.State.ASKED:
        return False
    names = (ledger.refund_clearing(refund.currency), ledger.clearing(refund.currency))
    ledger.post(
        kind=Journal.Kind.REFUND_SENT, key=f"refund-sent:{refund.key}", transfers=[(*names, refund.money)], at=at
    )
    refund.state, refund.reference, refund.done_at = Refund.State.SENT, reference, at
    refund.save(update_fields=["state", "reference", "done_at"])
    return True


@transaction.atomic
def fail_refund(*, refund: Refund, reason: str, at: datetime) -> bool:
    """Take a refund back that the provider refused: the money returns to where it was, and so does the access."""
    order = held(refund.line.order)
    refund = Refund.objects.select_related("line__creator", "line__item").get(pk=refund.pk)
    if refund.state != Refund.State.ASKED:
        return False
    names = [name for name, _ in shared(refund.line, refund.currency)]
    clearing = ledger.refund_clearing(refund.currency)
    ledger.post(
        kind=Journal.Kind.REFUND_FAILED,
        key=f"refund-failed:{refund.key}",
        transfers=[(clearing, name, part) for name, part in zip(names, refund.parts(refund.currency), strict=True)],
        at=at,
    )
    refund.state, refund.reason, refund.done_at = Refund.State.FAILED, reason[:200], at
    refund.save(update_fields=["state", "reason", "done_at"])
    _count(order, refund.line, refunded=refund.line.refunded - refund.amount, at=at)
    return True
