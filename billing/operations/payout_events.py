"""What providers tell about payouts, besides being asked."""

from datetime import datetime

from billing.models import Payout
from billing.operations.payouts import State, held, settle_failed, settle_paid, settle_reversed
from billing.providers import Message

SENT = (State.SUBMITTED, State.UNKNOWN, State.APPROVED)


class Doubted(Exception):
    """A message that is signed, but says what cannot be; its name is the reason."""


def payout_paid(message: Message, provider: str, at: datetime) -> bool:
    """Book that a payout has left. False if that was known. Raises Doubted."""
    payout = payout_told_of(message, provider)
    if payout.state in {State.PAID, State.REVERSED}:
        return False
    _must_be_sent(payout)
    settle_paid(payout, reference=message.reference, by=None, at=at)
    return True


def payout_failed(message: Message, provider: str, at: datetime) -> bool:
    """Book that a payout will not leave. False if that was known. Raises Doubted."""
    payout = payout_told_of(message, provider)
    if payout.state == State.FAILED:
        return False
    _must_be_sent(payout)
    settle_failed(payout, by=None, why=message.reason or "refused", at=at)
    return True


def payout_reversed(message: Message, provider: str, at: datetime) -> bool:
    """Book that a payout came back; that it had left, too, if we did not know. False if that was known.

    Raises Doubted.
    """
    payout = payout_told_of(message, provider)
    if payout.state == State.REVERSED:
        return False
    if payout.state != State.PAID:
        _must_be_sent(payout)
        settle_paid(payout, reference=message.reference, by=None, at=at)
    settle_reversed(payout, by=None, why=message.reason or "reversed by the provider", at=at)
    return True


def payout_told_of(message: Message, provider: str) -> Payout:
    """Return the payout that a message is about, held. Raises Doubted unless it agrees with ours."""
    payout = Payout.objects.filter(key=message.key, account__rail=provider).first()
    if payout is None:
        raise Doubted("unknown_payout")
    payout = held(payout)
    if message.amount.currency != payout.currency:
        raise Doubted("wrong_currency")
    if message.amount != payout.money:
        raise Doubted("wrong_amount")
    if payout.reference not in {"", message.reference}:
        raise Doubted("wrong_reference")
    return payout


def _must_be_sent(payout: Payout) -> None:
    """Raise Doubted unless the provider was told, and it is not known what became of it."""
    if payout.state not in SENT or payout.submitted_at is None:
        raise Doubted(f"payout_is_{payout.state}")
