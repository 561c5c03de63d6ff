"""What providers say: stored first, worked through by a job. Each message ends applied, duplicate or quarantined."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from billing import providers
from billing.models import Payment, Refund, WebhookEvent
from billing.operations.orders import held
from billing.operations.payments import capture, decline
from billing.operations.refunds import fail_refund, settle_refund
from billing.providers import Message
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import current_tenant

State = WebhookEvent.State


class Doubted(Exception):
    """A message that is signed, but says what cannot be; its name is the reason."""


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
    """Do what the message says, if it is true of this tenant's rows; else put it into quarantine with the reason."""
    event = WebhookEvent.objects.select_for_update(no_key=True).get(pk=event.pk)
    if event.state != State.RECEIVED:
        return event
    try:
        message = providers.provider_of(current_tenant()).read(bytes(event.body))
        is_news = _obey(message, at=at)
        event.state = State.APPLIED if is_news else State.DUPLICATE
    except (Doubted, providers.Garbled) as doubt:
        event.state, event.reason = State.QUARANTINED, str(doubt)
    event.done_at = at
    event.save(update_fields=["state", "reason", "done_at"])
    return event


def _obey(message: Message, *, at: datetime) -> bool:
    if message.account != current_tenant().slug:
        raise Doubted("wrong_account")
    obey = OBEYED.get(message.kind)
    if obey is None:
        raise Doubted("unknown_kind")
    return obey(message, at)


def _captured(message: Message, at: datetime) -> bool:
    return capture(payment=_payment(message), reference=message.reference, at=at)


def _declined(message: Message, _at: datetime) -> bool:
    return decline(payment=_payment(message))


def _refunded(message: Message, at: datetime) -> bool:
    refund = _refund(message)
    if refund.state == Refund.State.FAILED:
        raise Doubted("refund_had_failed")
    return settle_refund(refund=refund, reference=message.reference, at=at)


def _refund_failed(message: Message, at: datetime) -> bool:
    refund = _refund(message)
    if refund.state == Refund.State.SENT:
        raise Doubted("refund_was_sent")
    return fail_refund(refund=refund, reason=message.reason or "refused", at=at)


OBEYED: dict[str, Callable[[Message, datetime], bool]] = {
    "payment.captured": _captured,
    "payment.declined": _declined,
    "refund.succeeded": _refunded,
    "refund.failed": _refund_failed,
}


def _payment(message: Message) -> Payment:
    payment = Payment.objects.select_related("order__viewer").filter(key=message.key).first()
    if payment is None:
        raise Doubted("unknown_payment")
    held(payment.order)
    payment.refresh_from_db()  # as it is now that nobody else changes it
    _must_agree(message, payment, str(payment.order_id))
    if Payment.objects.filter(provider=payment.provider, reference=message.reference).exclude(pk=payment.pk).exists():
        raise Doubted("wrong_reference")
    return payment


def _refund(message: Message) -> Refund:
    refund = Refund.objects.select_related("line__order__viewer").filter(key=message.key).first()
    if refund is None:
        raise Doubted("unknown_refund")
    held(refund.line.order)
    refund.refresh_from_db()
    _must_agree(message, refund, str(refund.line.order_id))
    return refund


def _must_agree(message: Message, ours: Payment | Refund, order: str) -> None:
    """Raise Doubted unless currency, amount, order and, once we know it, the provider's reference are ours."""
    if message.amount.currency != ours.currency:
        raise Doubted("wrong_currency")
    if message.amount != ours.money:
        raise Doubted("wrong_amount")
    if message.order != order:
        raise Doubted("wrong_order")
    if ours.reference not in {"", message.reference}:
        raise Doubted("wrong_reference")
