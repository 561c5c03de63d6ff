"""What providers say: stored first, worked through by a job. Each message ends applied, duplicate or quarantined."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from billing import providers
from billing.models import Payment, PaymentMethod, Refund, Split, SplitOrder, WebhookEvent
from billing.models.splits import SplitState
from billing.operations.backoff import again
from billing.operations.disputes import CannotBe, ask_about_dispute
from billing.operations.methods import save_method
from billing.operations.orders import held
from billing.operations.payments import capture, decline
from billing.operations.payout_events import Doubted, payout_failed, payout_paid, payout_reversed, payout_told_of
from billing.operations.refunds import fail_refund, settle_refund
from billing.operations.reopening import is_closed
from billing.providers import Message
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import current_tenant

State = WebhookEvent.State
SOON, LATE = timedelta(minutes=1), timedelta(hours=1)


@transaction.atomic
def receive_event(*, provider: str, event_id: str, body: bytes, at: datetime) -> WebhookEvent:
    """Store a message whose signature was found good, once, and have it worked through."""
    columns = {"deliveries": 1, "state": State.RECEIVED, "reason": "", "received_at": at}
    is_new = insert_once(WebhookEvent, provider=provider, event_id=event_id, body=body, **columns)
    event = WebhookEvent.objects.get(provider=provider, event_id=event_id)
    if is_new:
        enqueue("billing.tasks.apply_event", event_id=event.pk)
    else:
        WebhookEvent.objects.filter(pk=event.pk).update(deliveries=F("deliveries") + 1)
    return event


@transaction.atomic
def apply_event(*, event: WebhookEvent, at: datetime) -> WebhookEvent:
    """Do what the message says, if it is true of this tenant's rows; else put it into quarantine with the reason.

    If the provider has to be asked about it, and does not answer, or the tenant has lost its account there for a while,
    the message waits.
    """
    event = WebhookEvent.objects.select_for_update(no_key=True).get(pk=event.pk)
    if event.state != State.RECEIVED:
        return event
    try:
        message = providers.provider_for(current_tenant(), event.provider).read(bytes(event.body))
        is_news = _obey(message, event.provider, at=at)
        event.state = State.APPLIED if is_news else State.DUPLICATE
    except (providers.ProviderUnavailable, providers.NotConnected):
        later = again(at=at, since=event.received_at, first=SOON, latest=LATE)
        enqueue("billing.tasks.apply_event", due_at=later, event_id=event.pk)
        return event
    except (Doubted, providers.Garbled) as doubt:
        event.state, event.reason = State.QUARANTINED, str(doubt)
    event.done_at = at
    event.save(update_fields=["state", "reason", "done_at"])
    return event


def _obey(message: Message, provider: str, *, at: datetime) -> bool:
    if message.account != current_tenant().slug:
        raise Doubted("wrong_account")
    obey = OBEYED.get(message.kind)
    if obey is None:
        raise Doubted("unknown_kind")
    return obey(message, provider, at)


def _captured(message: Message, provider: str, at: datetime) -> bool:
    payment = _payment(message, provider)
    return capture(payment=payment, reference=message.reference, method=message.method, at=at)


def _declined(message: Message, provider: str, _at: datetime) -> bool:
    if is_closed(message.key, provider):
        return False
    return decline(payment=_payment(message, provider))


def _refunded(message: Message, provider: str, at: datetime) -> bool:
    refund = _refund(message, provider)
    if refund.state == Refund.State.FAILED:
        raise Doubted("refund_had_failed")
    return settle_refund(refund=refund, reference=message.reference, at=at)


def _refund_failed(message: Message, provider: str, at: datetime) -> bool:
    refund = _refund(message, provider)
    if refund.state == Refund.State.SENT:
        raise Doubted("refund_was_sent")
    return fail_refund(refund=refund, reason=message.reason or "refused", at=at)


def _noted(message: Message, provider: str, _at: datetime) -> bool:
    """Take what is only on its way for what it is: nothing new, if it is about a row of ours."""
    if is_closed(message.key, provider):
        return False
    if message.key.startswith("re_"):
        _refund(message, provider)
    elif message.key.startswith("po_"):
        payout_told_of(message, provider)
    else:
        _payment(message, provider)
    return False


def _method_saved(message: Message, provider: str, _at: datetime) -> bool:
    method = PaymentMethod.objects.filter(key=message.key, provider=provider).first()
    if method is None or not message.method:
        raise Doubted("unknown_method")
    if message.order != str(method.member_id):
        raise Doubted("wrong_member")
    return save_method(method=method, reference=message.method)


def _disputed(message: Message, provider: str, at: datetime) -> bool:
    """Ask how the dispute stands: what a message says may be old by now, and some say nothing."""
    try:
        return ask_about_dispute(provider=provider, reference=message.reference, at=at)
    except CannotBe as no:
        raise Doubted(no.reason) from no
    except (providers.NoDisputes, providers.ProviderRefused) as no:
        raise Doubted(no.code) from no


def _split_told(message: Message, provider: str, at: datetime) -> bool:
    """Ask what became of a division while that is open; else it is known."""
    order = _split(message, provider).order
    if order.state not in SplitOrder.OPEN:
        return False
    enqueue("billing.tasks.resolve_split", due_at=at, order_id=order.pk)
    return True


def _split_reversed(message: Message, provider: str, _at: datetime) -> bool:
    if not _split(message, provider).returns.exclude(state=SplitState.FAILED).exists():
        raise Doubted("split_came_back")  # nobody here has asked for it
    return False


def _split(message: Message, provider: str) -> Split:
    key, _, number = message.key.rpartition("-")
    ours = Split.objects.filter(order__key=key, order__payment__provider=provider).select_related("order")
    for split in ours.order_by("pk"):
        if str(split.pk) == number:
            return split
    raise Doubted("unknown_split")


OBEYED: dict[str, Callable[[Message, str, datetime], bool]] = {
    providers.DISPUTED: _disputed,
    "noted": _noted,
    "method.saved": _method_saved,
    "payment.captured": _captured,
    "payment.declined": _declined,
    "refund.succeeded": _refunded,
    "refund.failed": _refund_failed,
    "payout.paid": payout_paid,
    "payout.failed": payout_failed,
    "payout.reversed": payout_reversed,
    "split.told": _split_told,
    "split.reversed": _split_reversed,
}


def _payment(message: Message, provider: str) -> Payment:
    ours = Payment.objects.select_related("order__viewer")
    payment = ours.filter(key=message.key, provider=provider).first()
    if payment is None:
        raise Doubted("closed_checkout" if is_closed(message.key, provider) else "unknown_payment")
    held(payment.order)
    payment.refresh_from_db()  # as it is now that nobody else changes it
    _must_agree(message, payment, str(payment.order_id))
    if Payment.objects.filter(provider=payment.provider, reference=message.reference).exclude(pk=payment.pk).exists():
        raise Doubted("wrong_reference")
    return payment


def _refund(message: Message, provider: str) -> Refund:
    refund = Refund.objects.select_related("line__order__viewer").filter(key=message.key).first()
    if refund is None or not refund.line.order.payments.filter(provider=provider).exists():
        raise Doubted("unknown_refund")
    held(refund.line.order)
    refund.refresh_from_db()
    payment = refund.line.order.payments.get()
    _must_agree(message, refund, str(refund.line.order_id), paid_key=payment.key)
    return refund


def _must_agree(message: Message, ours: Payment | Refund, order: str, *, paid_key: str = "") -> None:
    """Raise Doubted unless currency, amount, order and, once we know it, the provider's reference are ours."""
    if message.amount.currency != ours.currency:
        raise Doubted("wrong_currency")
    if message.amount != ours.money:
        raise Doubted("wrong_amount")
    if (message.paid_key or message.order) != (paid_key if message.paid_key else order):
        raise Doubted("wrong_order")
    if ours.reference not in {"", message.reference}:
        raise Doubted("wrong_reference")
