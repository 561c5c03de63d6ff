"""How money leaves for creators, in our words.

A provider that answers is a rail. The bank's file is none: staff tell what became of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from billing.money import Money


class Outcome(StrEnum):
    """What a provider says of a payout."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    RETURNED = "returned"  # it had left, and came back


@dataclass(frozen=True)
class Destination:
    """Whom to pay, and where: a number at a bank, or a name that the provider has given them."""

    holder: str
    number: str
    bank: str = ""


@dataclass(frozen=True)
class SentPayout:
    """A payout, as the provider knows it."""

    reference: str
    outcome: Outcome
    amount: Money
    reason: str = ""
    confirmation: str = ""  # what the creator's app needs to let them say yes, where the provider asks them


class Rail(Protocol):
    """A way to pay creators, acting in one tenant's account.

    `payout` goes under a key that was stored before the call: sent again, it is not done again. Both may raise
    ProviderUnavailable (the outcome is not known: only `query_payout` resolves it) and ProviderRefused (it is: no).
    """

    def payout(self, *, key: str, amount: Money, to: Destination, webhook_url: str) -> SentPayout: ...

    def query_payout(self, *, key: str) -> SentPayout | None:
        """Return what became of the payout under this key; None if there is none."""
        ...


@runtime_checkable
class ReversingRail(Rail, Protocol):
    """A rail that also takes back what it has paid."""

    def reverse_payout(self, *, key: str, reference: str, amount: Money) -> None:
        """Take all of a payout back. Asked again under its key, it is not done again."""
        ...
