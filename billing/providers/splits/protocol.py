"""Dividing a payment at the provider, in our words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

from billing.money import Money
from billing.providers.protocol import Paid
from billing.providers.rails import Outcome


@dataclass(frozen=True)
class Receiver:
    """Who gets something, as the provider knows them."""

    account: str
    name: str
    is_person: bool = False


@dataclass(frozen=True)
class Share:
    """How much a receiver gets of a payment; the key is our own for it."""

    key: str
    receiver: Receiver
    amount: Money


@dataclass(frozen=True)
class Given:
    """What became of a receiver's share."""

    account: str
    amount: Money
    outcome: Outcome
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True)
class GivenBack:
    """What became of a return."""

    reference: str
    outcome: Outcome
    reason: str = ""


class Splitting(Protocol):
    """A provider that divides payments, in one tenant's account.

    What is written goes under a key that was stored before the call, and is not done again under it. Every call may
    raise ProviderUnavailable (whether it was done is not known: only the queries tell) and ProviderRefused (no).
    """

    most_receivers: ClassVar[int]  # of one payment
    within: ClassVar[timedelta]  # so long after it was paid
    has_ceiling: ClassVar[bool]  # only so much of it, as the tenant has agreed with the provider
    freezes: ClassVar[bool]  # it keeps the rest until it is told that no more is divided

    def add_receiver(self, *, receiver: Receiver) -> None: ...

    def split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given]:
        """Give each receiver their share, and the rest to the merchant."""
        ...

    def query_split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given] | None:
        """Return what became of it; None if it was not asked for, or only in part."""
        ...

    def take_back(self, *, key: str, split: str, given: Given, amount: Money, is_person: bool) -> GivenBack:
        """Take an amount of what was given under the key `split` back from its receiver."""
        ...

    def query_return(self, *, key: str, split: str, given: Given) -> GivenBack | None: ...
