"""Payments by bank: nobody is called. The buyer is told where to send the money, and staff say that it has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from billing.money import Money
from billing.providers.protocol import BadSignature, Checkout, Garbled, Message, Paid, SentRefund


@dataclass(frozen=True)
class Offline:
    """The tenant's own bank account."""

    account: str
    instructions: str  # where to send the money; shown to the buyer
    four_eyes_above: str  # in minor units: more than this takes two of the staff

    def __post_init__(self) -> None:
        if not self.four_eyes_above.isdecimal():
            raise ValueError("The limit is a whole number of minor units.")

    def create_checkout(self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str) -> Checkout:
        return Checkout(reference="", url="", order=order, amount=amount, is_paid=False)

    def query(self, *, key: str, reference: str, order: str) -> Checkout | None:
        return None

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        return SentRefund(reference="", is_done=False)

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
        raise BadSignature("Banks send no messages.")

    def read(self, body: bytes) -> Message:
        raise Garbled("garbled")

    def needed(self, amount: Money) -> int:
        """Return how many of the staff have to approve an amount."""
        return 2 if amount.minor > int(self.four_eyes_above) else 1
