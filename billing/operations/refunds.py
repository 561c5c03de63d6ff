"""Refunds: booked at once, sent by a job, confirmed by the provider or taken back."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Sum

from billing import ledger, providers
from billing.models import Account, Dispute, DisputePart, Journal, Order, OrderLine, Payment, Refund, Split
from billing.money import Money
from billing.operations import coins
from billing.operations.backoff import again
from billing.operations.crash import crash_here
from billing.operations.documents import issue_credit_note
from billing.operations.earnings import (
    handed_back,
    places,
    recovered,
    recovered_from_pool,
    taken_before,
    unmatured,
)
from billing.operations.goods import goods_of
from billing.operations.orders import held
from billing.operations.payments import shared, webhook_url
from billing.operations.terms import WINDOW
from kpplatform.errors import Conflict, Forbidden
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

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
    lines = OrderLine.objects.select_related("order__viewer", "item", "product", "creator")
    line = lines.prefetch_related("shares__creator").get(pk=line.pk)
    amount = _refundable(order, line, by=by, amount=amount, at=at)
    taken = taken_of(line, amount)
    tax, processor, platform, *shares = (sum(money.minor for _, money in parts) for parts in taken)
    made = Refund(line=line, asked_by=by, asked_key=key, key=f"re_{uuid4().hex}", asked_at=at, amount=amount.minor)
    made.currency = order.currency
    made.tax, made.processor, made.platform, made.share = tax, processor, platform, sum(shares)
    clearing = ledger.refund_clearing(order.currency)
    made.cost = _cost_back(line, amount)
    made.journal = ledger.post(
        kind=Journal.Kind.REFUND,
        key=f"refund:{made.key}",
        transfers=[(name, clearing, money) for parts in taken for name, money in parts],
        at=at,
    )
    made.save()
    coins.book_cost_back(made, at)
    _count(line, refunded=line.refunded + amount.minor, at=at)
    enqueue("billing.tasks.send_refund", refund_id=made.pk)
    ask_receivers(order)
    return made


def hold_goods(order: Order) -> None:
    """Hold what else is locked of what an order's lines deliver, before the ledger: a subscription, a plan of parts."""
    for line in order.lines.order_by("pk"):
        goods_of(line.kind).spent(line)


def ask_receivers(order: Order) -> None:
    """Have those asked to give back to whom the provider has given a part of what was just taken."""
    for split in Split.objects.filter(order__payment__order=order, state=Split.State.DONE).order_by("pk"):
        enqueue("billing.tasks.ask_back", split_id=split.pk)


def _refundable(order: Order, line: OrderLine, *, by: Member, amount: Money | None, at: datetime) -> Money:
    if by.pk != order.viewer_id and not by.runs_the_tenant:
        raise NotYourOrder("Only the buyer and the tenant's staff may ask for this.")
    if order.paid_at is None:
        raise NotPaid("This order has not been paid.")
    may_return = goods_of(line.kind).may_return(line)
    if not by.runs_the_tenant and not (at <= order.paid_at + WINDOW if may_return is None else may_return):
        raise RefundWindowOver(f"Refunds can be asked for within {WINDOW.days} days.")
    left = Money(max(line.left - goods_of(line.kind).spent(line), 0), order.currency)
    amount = left if amount is None else amount
    if amount.currency != left.currency or not 0 < amount.minor <= left.minor:
        raise MoreThanWasPaid(f"{left} can be given back, not {amount}.")
    return amount


def taken_of(line: OrderLine, amount: Money) -> list[list[tuple[ledger.Name, Money]]]:
    """Take the amount out of the line's parts, so that all that is taken stays pro rata and ends at the parts.

    What has been given back or is disputed in all is apportioned, and what was taken before is left out. Only after
    something came back may that have been a unit more of a part than would now be taken; the others then make up for
    it. Returned is for each part from which accounts it comes.
    """
    names, parts = zip(*shared(line, amount.currency), strict=True)
    before = taken_before([line.pk])
    due = Money(line.refunded + line.disputed + amount.minor, amount.currency).apportion(parts)
    left = [max(money.minor - _before(line, name, before), 0) for name, money in zip(names, due, strict=True)]
    taken = amount.apportion([Money(minor, amount.currency) for minor in left])
    return [_out_of(line, *of, before) for of in zip(names, parts, taken, strict=True)]


def _out_of(
    line: OrderLine, name: ledger.Name, part: Money, money: Money, before: dict[tuple[int, str], int]
) -> list[tuple[ledger.Name, Money]]:
    """Return where an amount of a part is now, given the account that it went to."""
    if name.creator_id:
        return recovered(name, money, unmatured=unmatured(line, name, part, before))
    return recovered_from_pool(name, money) if name.kind == Account.Kind.POOL else [(name, money)]


def _cost_back(line: OrderLine, amount: Money) -> int:
    """Return how much of the line's cost the provider hands back: pro rata, and all of it with the last unit."""
    standing = Refund.objects.filter(line=line).exclude(state=Refund.State.FAILED)
    before: int = standing.aggregate(sum=Sum("cost", default=0))["sum"]
    return max(line.cost * (line.refunded + amount.minor) // line.amount - before, 0)


def _before(line: OrderLine, owner: ledger.Name, before: dict[tuple[int, str], int]) -> int:
    """Return what was taken before from whose part it is, out of any of their accounts."""
    return sum(before.get((line.pk, str(name)), 0) for name in places(owner))


def _count(line: OrderLine, *, refunded: int, at: datetime) -> None:
    """Note how much of the line was given back, end the access with the last of it, or open it again."""
    was, line.refunded = line.refunded, refunded
    line.save(update_fields=["refunded"])
    lost = lost_of(line)
    ends_or_opens(line, was=was + lost, now=refunded + lost, at=at)


def ends_or_opens(line: OrderLine, *, was: int, now: int, at: datetime) -> None:
    """End the access when the buyer has all of a line's price back, or open it again when that is no longer so."""
    order, goods = line.order, goods_of(line.kind)
    if now == line.amount:
        for source in _sources(line):
            goods.take_back(line, source, at)
    elif was == line.amount:
        # What was taken back stays so, so this is delivered anew.
        goods.deliver(line, _sources(line)[-1], at)
    given = order.lines.filter(amount=0, revocations=None).exists()
    some_left = given or any(each.refunded + lost_of(each) < each.amount for each in order.lines.order_by("pk"))
    order.state = Order.State.PAID if some_left else Order.State.REFUNDED
    order.save(update_fields=["state"])


def lost_of(line: OrderLine) -> int:
    """Return how much of the line was lost in disputes."""
    lost = DisputePart.objects.filter(line=line, dispute__state=Dispute.State.LOST, released=None)
    return lost.aggregate(lost=Sum("amount"))["lost"] or 0


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
    if payment.provider == providers.OFFLINE:
        return  # staff send it, and say so
    provider = providers.provider_for(current_tenant(), payment.provider)
    paid = providers.Paid(payment.key, payment.reference, str(order.pk), payment.money)
    crash_here("before_refund_call")
    try:
        sent = provider.refund(
            key=refund.key, amount=refund.money, paid=paid, webhook_url=webhook_url(payment.provider)
        )
    except providers.ProviderUnavailable:
        sent = None
    except providers.ProviderRefused as error:
        fail_refund(refund=refund, reason=error.detail, at=at)
        return
    crash_here("after_refund_call")
    if sent and sent.is_done:
        settle_refund(refund=refund, reference=sent.reference, at=at)
        return
    later = again(at=at, since=refund.asked_at, first=FIRST_RETRY, latest=LATEST_RETRY)
    enqueue("billing.tasks.send_refund", due_at=later, refund_id=refund.pk)


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
    issue_credit_note(refund=refund, at=at)
    return True


@transaction.atomic
def fail_refund(*, refund: Refund, reason: str, at: datetime) -> bool:
    """Take a refund back that the provider refused: the money returns to where it was, and so does the access."""
    hold_goods(held(refund.line.order))
    related = ("line__order__viewer", "line__creator", "line__item", "line__product", "journal")
    refund = Refund.objects.select_related(*related).get(pk=refund.pk)
    if refund.state != Refund.State.ASKED:
        return False
    ledger.post(
        kind=Journal.Kind.REFUND_FAILED,
        key=f"refund-failed:{refund.key}",
        transfers=handed_back(ledger.reversal(refund.journal)),
        at=at,
    )
    coins.book_cost_again(refund, at)
    matures_again(refund.line, at)
    refund.state, refund.reason, refund.done_at = Refund.State.FAILED, reason[:200], at
    refund.save(update_fields=["state", "reason", "done_at"])
    _count(refund.line, refunded=refund.line.refunded - refund.amount, at=at)
    _hold_what_came_back(refund.line.order)
    return True


def _hold_what_came_back(order: Order) -> None:
    """Have the disputes of an order looked at that took less than is disputed, because it was on its way back."""
    for dispute in Dispute.objects.filter(payment__order=order, held__lt=F("amount"), state__in=Dispute.HELD):
        about = {"provider": dispute.payment.provider, "reference": dispute.reference}
        enqueue("billing.tasks.hear_of_dispute", **about)


def matures_again(line: OrderLine, at: datetime) -> None:
    """Let what came back of a line mature with the next ones, if the rest of it has; not what is to be earned."""
    if line.matures_at is None and goods_of(line.kind).is_earned(line):
        line.matures_at = at
        line.save(update_fields=["matures_at"])
