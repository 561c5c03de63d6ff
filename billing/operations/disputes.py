"""Disputes: heard of from the provider, and followed until they are decided.

A lost one is like a refund; after a won one everything is as if it had not been.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from billing import providers
from billing.models import Dispute, Order, OrderLine, Payment, StateChange
from billing.operations.crash import crash_here
from billing.operations.dispute_money import hold_missing, reinstate, release, withdraw
from billing.operations.documents import credit_lost
from billing.operations.orders import held
from billing.operations.refunds import ends_or_opens, hold_goods, lost_of
from billing.providers import Disputed, ProviderUnavailable
from kpplatform.errors import Conflict
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

State = Dispute.State
# It moves on only: an enquiry can become a dispute, also after it was closed; what was decided stays decided.
RANK = {
    State.WARNING: 0,
    State.CLOSED: 0,  # at WeChat Pay a buyer can go on with a complaint that was closed
    State.NEEDS_RESPONSE: 1,
    State.UNDER_REVIEW: 2,
    State.WON: 3,
    State.LOST: 3,
}
AGAIN, SOON = timedelta(days=1), timedelta(hours=1)


class CannotBe(Conflict):
    """A provider says of a dispute what does not agree with our rows."""

    code = "dispute_cannot_be"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This cannot be said of a dispute here: {reason}.")
        self.reason = reason


@transaction.atomic
def hear_of_dispute(*, provider: str, reference: str, at: datetime) -> bool:
    """Do the same as `ask_about_dispute`; while the provider does not answer, ask again within the hour.

    A job that fails is given up after some minutes, and nobody else would ask. Raises CannotBe.
    """
    try:
        return ask_about_dispute(provider=provider, reference=reference, at=at)
    except ProviderUnavailable:
        _ask_again(provider, reference, at + SOON)
        return False


@transaction.atomic
def ask_about_dispute(*, provider: str, reference: str, at: datetime) -> bool:
    """Ask the provider how a dispute stands, and obey; tell whether that was news. Until it is decided, ask each day.

    A complaint may be about other things as well, sold elsewhere.
    Raises ProviderUnavailable, and CannotBe for what does not agree with our rows.
    """
    said = providers.disputes_at(current_tenant(), provider).query_disputes(reference=reference)
    if not said:
        raise CannotBe("unknown_dispute")
    ours = [each for each in said if _payments(provider, each).exists()] or said[:1]
    # Their orders before the ledger, each in its turn.
    orders = {payment.order_id for each in ours for payment in _payments(provider, each)}
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=orders).order_by("pk").values_list("pk"))
    heard = [note_dispute(provider=provider, said=each, at=at) for each in ours]
    if not all(is_settled(dispute) for dispute, _ in heard):
        _ask_again(provider, reference, at + AGAIN)
    return any(is_news for _, is_news in heard)


def _ask_again(provider: str, reference: str, due_at: datetime) -> None:
    about = {"provider": provider, "reference": reference}
    enqueue("billing.tasks.hear_of_dispute", key=f"dispute:{provider}:{reference}", due_at=due_at, **about)


@transaction.atomic
def note_dispute(
    *, provider: str, said: Disputed, at: datetime, by: Member | None = None, why: str = ""
) -> tuple[Dispute, bool]:
    """Bring our row and the books to what the provider says of a dispute, and tell whether that changed anything.

    What it said earlier, and comes later, changes nothing. Raises CannotBe.
    """
    payment = _payments(provider, said).select_related("order__viewer").first()
    if payment is None:
        raise CannotBe("unknown_payment")
    order = held(payment.order)
    hold_goods(order)
    payment.refresh_from_db()
    if payment.state != Payment.State.CAPTURED:
        enqueue("billing.tasks.resolve_payment", payment_id=payment.pk)  # who can be disputed has been paid
    dispute = _row(payment, said, at)
    before, gone = _shown(dispute), _gone(order)
    _move(dispute, said, by=by, why=why or said.reason, at=at)
    _book(dispute, order, said, at)
    dispute.save()
    crash_here("after_dispute")
    _end_access(order, gone, at)
    for lost in payment.disputes.filter(state=State.LOST).select_related("payment").order_by("pk"):
        credit_lost(dispute=lost, at=at)  # what another one gave back may be lost by this one
    return dispute, _shown(dispute) != before


def _payments(provider: str, said: Disputed) -> QuerySet[Payment]:
    """Return the payment that is disputed, if it is one of ours."""
    named = {"key": said.key} if said.key else {"reference": said.paid or "none"}
    return Payment.objects.filter(**named, provider=provider).order_by("pk")


def _row(payment: Payment, said: Disputed, at: datetime) -> Dispute:
    """Return what we know of it, or a new row. Raises CannotBe."""
    if said.amount.currency != payment.currency:
        raise CannotBe("wrong_currency")
    known = Dispute.objects.filter(payment=payment, reference=said.reference).first()
    is_enquiry = known is not None and known.state in {State.WARNING, State.CLOSED}
    if (known is None or is_enquiry) and not 0 < said.amount.minor <= payment.amount:
        raise CannotBe("wrong_amount")
    if known is None:
        told = {"reference": said.reference, "amount": said.amount.minor, "currency": payment.currency}
        return Dispute(payment=payment, state="", opened_at=at, **told)
    if is_enquiry:
        known.amount = said.amount.minor  # nothing was held for it, so that it can still be about more or less
    elif known.money != said.amount:
        raise CannotBe("wrong_amount")
    if {known.state, said.stand} == {State.WON, State.LOST}:
        raise CannotBe(f"was_{known.state}")
    return known


def _move(dispute: Dispute, said: Disputed, *, by: Member | None, why: str, at: datetime) -> None:
    """Move the dispute on, if it does, and note who did it, when and why."""
    before, state = dispute.state, State(said.stand.value)
    if before and RANK[state] < RANK[State(before)]:
        return
    dispute.due_at, dispute.reason = said.due_at, said.reason[:100]
    if before == state:
        return
    dispute.state, dispute.decided_at = state, at if state in Dispute.OVER else None
    dispute.save()
    change = {"before": before, "after": state, "by": by, "why": why[:200], "changed_at": at}
    StateChange.objects.create(of=StateChange.Of.DISPUTE, row=dispute.pk, **change)


def _book(dispute: Dispute, order: Order, said: Disputed, at: datetime) -> None:
    """Book what has not been booked. Raises CannotBe for what was given back and never taken."""
    if dispute.state in Dispute.HELD:
        hold_missing(dispute, order, at)
    if said.is_withdrawn and dispute.withdrawn is None:
        withdraw(dispute, said, at)
    if said.is_reinstated and dispute.reinstated is None:
        if dispute.withdrawn is None:
            raise CannotBe("given_back_before_taken")
        reinstate(dispute, said, at)
    if dispute.state in {State.WON, State.CLOSED}:
        release(dispute, at)
        _hold_for_others(dispute, order, at)


def _hold_for_others(dispute: Dispute, order: Order, at: datetime) -> None:
    """Take what came back for other disputes of the order, which found too little left."""
    others = Dispute.objects.filter(payment=dispute.payment, state__in=Dispute.HELD, held__lt=F("amount"))
    for other in others.exclude(pk=dispute.pk).order_by("pk"):
        hold_missing(other, order, at)
        other.save(update_fields=["held"])


def _gone(order: Order) -> dict[int, int]:
    """Return how much of each line the buyer has back for good."""
    return {line.pk: line.refunded + lost_of(line) for line in order.lines.order_by("pk")}


def _end_access(order: Order, before: dict[int, int], at: datetime) -> None:
    """End what was bought with the last unit of its price, as a refund does."""
    lines = OrderLine.objects.filter(order=order).select_related("order__viewer", "item", "product", "creator")
    for line in lines.order_by("pk"):
        now = line.refunded + lost_of(line)
        if now != before[line.pk]:
            ends_or_opens(line, was=before[line.pk], now=now, at=at)


def _shown(dispute: Dispute) -> tuple[object, ...]:
    return dispute.state, dispute.held, dispute.withdrawn_id, dispute.reinstated_id


def is_settled(dispute: Dispute) -> bool:
    """Tell whether nothing more is to come of a dispute; of one that is heard of before its payment, there is."""
    if dispute.payment.state != Payment.State.CAPTURED:
        return False
    if dispute.state == State.LOST:
        return dispute.withdrawn_id is not None
    return dispute.state in Dispute.OVER and (dispute.withdrawn_id is None) == (dispute.reinstated_id is None)
