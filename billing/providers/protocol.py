"""What every payment provider can do, in our words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.money import Money
from kpplatform.errors import Invalid, Refused


class ProviderUnavailable(Refused):
    """The provider did not answer, or not clearly: what was asked may have happened. Ask again under the same key."""

    code = "provider_unavailable"
    status = 503


class ProviderRefused(Refused):
    """The provider said no, for good."""

    code = "provider_refused"
    status = 502


class BadSignature(Invalid):
    code = "bad_signature"


class StaleMessage(Invalid):
    code = "stale_message"


class Replayed(Invalid):
    code = "replayed_message"


class Garbled(ValueError):
    """A signed message that cannot be read; its text is the reason."""


@dataclass(frozen=True)
class Checkout:
    """Where a buyer pays, and whether they have."""

    reference: str
    url: str
    order: str
    amount: Money
    is_paid: bool


@dataclass(frozen=True)
class Paid:
    """What was paid before: our key and the provider's reference, for which order, how much."""

    key: str
    reference: str
    order: str
    amount: Money


@dataclass(frozen=True)
class SentRefund:
    """Money that the provider gives back; not done: it has agreed, and will tell when the money has gone."""

    reference: str
    is_done: bool = True


@dataclass(frozen=True)
class Message:
    """What a provider tells by webhook: what happened, to which of our keys, for which order and amount.

    Of a refund, some tell the key of its payment instead of the order.
    """

    id: str
    kind: str
    account: str
    key: str
    reference: str
    order: str
    amount: Money
    reason: str
    paid_key: str = ""


class Provider(Protocol):
    """A payment provider, acting in one tenant's account.

    Whatever is written goes under a key that was stored before the call: sent again, it is not done again. Every
    call may raise ProviderUnavailable (the outcome is not known) and ProviderRefused (it is known: no).
    """

    def create_checkout(
        self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str
    ) -> Checkout: ...

    def query(self, *, key: str, reference: str, order: str) -> Checkout | None:
        """Return what became of the checkout under this key; None if there is none."""
        ...

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        """Give an amount of what was paid back; asked again, tell whether it has gone by now."""
        ...

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
        """Return the id of a message that the provider signed just now. Raises BadSignature and StaleMessage."""
        ...

    def read(self, body: bytes) -> Message:
        """Return what a message says. Raises Garbled."""
        ...
