"""What every payment provider can do, in our words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from billing.money import Money
from kpplatform.errors import Conflict, Invalid, Refused


class ProviderUnavailable(Refused):
    """The provider did not answer, or not clearly: what was asked may have happened. Ask again under the same key."""

    code = "provider_unavailable"
    status = 503


class ProviderRefused(Refused):
    """The provider said no, for good."""

    code = "provider_refused"
    status = 502


class CannotCharge(Conflict):
    """The provider keeps nothing to be charged later."""

    code = "provider_cannot_charge"


class BadSignature(Invalid):
    code = "bad_signature"


class StaleMessage(Invalid):
    code = "stale_message"


class Replayed(Invalid):
    code = "replayed_message"


class Garbled(ValueError):
    """A signed message that cannot be read; its text is the reason."""


class BadWay(Invalid):
    code = "bad_way"


class Way(StrEnum):
    """How a buyer comes to the provider, where there are several ways."""

    PAGE = "page"
    QR = "qr"
    MOBILE = "mobile"
    APP = "app"


@dataclass(frozen=True)
class Buyer:
    """By which way a buyer comes, and what it needs: an address, or who they are in the provider's app."""

    way: Way
    ip: str = ""
    openid: str = ""


@dataclass(frozen=True)
class Checkout:
    """Where a buyer pays, and whether they have."""

    reference: str
    url: str
    order: str
    amount: Money
    is_paid: bool
    method: str = ""  # what was saved with it, to be charged later
    is_closed: bool = False  # nothing can be paid here any more
    way: str = ""  # where there are several
    handed: str = ""  # what a page hands to the provider's app, where it has no address


@dataclass(frozen=True)
class Charged:
    """What became of a charge: paid, or declined, and then whether for good."""

    reference: str
    order: str
    amount: Money
    is_paid: bool
    is_final: bool = False
    reason: str = ""


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


# A message that something has become of a dispute: what, the provider is asked.
DISPUTED = "dispute.told"


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
    method: str = ""


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


@runtime_checkable
class ChargingProvider(Provider, Protocol):
    """A provider that also keeps what members pay by, and charges it without them."""

    def create_checkout(
        self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str, saves: bool = False
    ) -> Checkout:
        """Let a buyer pay; with `saves`, what they pay by can be charged later."""
        ...

    def create_setup(self, *, key: str, member: str, currency: str, webhook_url: str, return_url: str) -> Checkout:
        """Let a member agree to be charged later, and pay nothing now."""
        ...

    def charge(self, *, key: str, method: str, order: str, amount: Money, webhook_url: str) -> Charged:
        """Collect from a saved method, at once and without the buyer."""
        ...

    def query_charge(self, *, key: str, method: str) -> Charged | None:
        """Return what became of the charge under this key; None if there is none."""
        ...

    def forget(self, *, method: str) -> None:
        """Let go of what was saved, so that nobody charges it; done before, nothing happens."""
        ...


@runtime_checkable
class ClosingProvider(Provider, Protocol):
    """A provider whose checkouts run out, and can be closed for good."""

    def lasts(self, way: str) -> timedelta:
        """Return for how long what was opened by this way can be paid at."""
        ...

    def close(self, *, key: str, reference: str, order: str) -> Checkout | None:
        """Let nothing more be paid under this key, if that can be, and return how it is now; None if nobody knows."""
        ...


@runtime_checkable
class ManyWaysProvider(ClosingProvider, Protocol):
    """A provider that buyers reach by several ways, the first of which is the usual one."""

    ways: ClassVar[tuple[Way, ...]]
    is_one_trade: ClassVar[bool]  # under one key, by whichever way; else each way needs a key of its own

    def create_checkout(
        self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str, buyer: Buyer | None = None
    ) -> Checkout: ...
