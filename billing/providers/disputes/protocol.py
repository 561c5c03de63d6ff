"""Disputes, in our words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from billing.money import Money
from billing.providers.protocol import Garbled


class Stand(StrEnum):
    """How a dispute stands, for the provider."""

    WARNING = "warning"
    CLOSED = "closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True)
class Disputed:
    """A dispute of one of our payments, as the provider knows it now: whole, whatever was missed before.

    `answers` are our keys of what it was told, as far as it keeps them. Without our key of the payment, it tells its
    own name of it (`paid`).
    """

    reference: str
    key: str
    amount: Money
    stand: Stand
    reason: str = ""
    due_at: datetime | None = None
    answers: tuple[str, ...] = ()
    paid: str = ""
    is_withdrawn: bool = False
    is_reinstated: bool = False
    fee: Money | None = None
    fee_back: Money | None = None


@dataclass(frozen=True)
class Evidence:
    """What speaks against a dispute."""

    words: str = ""
    receipt: str = ""
    access_log: str = ""
    file: bytes = b""
    file_type: str = ""


def stand_of(word: str, stands: Mapping[str, Stand]) -> Stand:
    """Return what a provider's word for how it stands means. Raises Garbled for a word that is new."""
    stand = stands.get(word)
    if stand is None:
        raise Garbled("unknown_state")
    return stand


class Disputing(Protocol):
    """A provider at which payments are disputed, in one tenant's account.

    Both writes go under a key that was stored before the call. They may raise ProviderUnavailable (whether it was done
    is not known: only `query_disputes` tells) and ProviderRefused (it is known: no).
    """

    def query_disputes(self, *, reference: str) -> list[Disputed]:
        """Return what is disputed under this reference, payment by payment; nothing, if there is no such dispute.

        Raises Garbled for what cannot be understood.
        """
        ...

    def answer_dispute(self, *, key: str, reference: str, evidence: Evidence) -> None: ...

    def accept_dispute(self, *, key: str, reference: str) -> None:
        """Let the buyer have it."""
        ...
