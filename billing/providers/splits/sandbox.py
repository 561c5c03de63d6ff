"""Dividing payments at the sandbox. A receiver whose account begins with `closed` gets nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from billing.money import Money
from billing.providers.protocol import Paid
from billing.providers.rails import Outcome
from billing.providers.sandbox.driver import Sandbox
from billing.providers.splits.protocol import Given, GivenBack, Receiver, Share


@dataclass(frozen=True)
class SandboxSplits:
    """The sandbox, as far as it divides payments."""

    driver: Sandbox

    most_receivers: ClassVar[int] = 50
    within: ClassVar[timedelta] = timedelta(days=30)
    has_ceiling: ClassVar[bool] = False
    freezes: ClassVar[bool] = True

    def add_receiver(self, *, receiver: Receiver) -> None:
        """Everybody is known there."""

    def split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given]:
        receivers = [
            {"account": share.receiver.account, "amount": share.amount.minor, "key": share.key} for share in shares
        ]
        asked = {"checkout": paid.reference, "currency": paid.amount.currency, "receivers": receivers}
        return _given(self.driver.speak("POST", "/v1/splits", asked, key=key))

    def query_split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given] | None:
        found = self.driver.speak("GET", f"/v1/splits?key={quote(key)}")["data"]
        return _given(found[0]) if found else None

    def take_back(self, *, key: str, split: str, given: Given, amount: Money, is_person: bool) -> GivenBack:
        asked = {"split": split, "account": given.account, "amount": amount.minor, "currency": amount.currency}
        return _back(self.driver.speak("POST", "/v1/returns", asked | {"is_person": is_person}, key=key))

    def query_return(self, *, key: str, split: str, given: Given) -> GivenBack | None:
        found = self.driver.speak("GET", f"/v1/returns?key={quote(key)}")["data"]
        return _back(found[0]) if found else None


def _given(said: dict[str, Any]) -> list[Given]:
    return [
        Given(
            account=row["account"],
            amount=Money(row["amount"], said["currency"]),
            outcome=Outcome(row["status"]),
            reference=said["id"],
            reason=row["reason"],
        )
        for row in said["receivers"]
    ]


def _back(said: dict[str, Any]) -> GivenBack:
    return GivenBack(said["id"], Outcome(said["status"]))
