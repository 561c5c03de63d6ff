"""Disputes at the sandbox."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from billing.money import Money
from billing.providers.disputes.protocol import Disputed, Evidence, Stand
from billing.providers.protocol import ProviderRefused
from billing.providers.sandbox.driver import Sandbox


@dataclass(frozen=True)
class SandboxDisputes:
    """The sandbox, where a button on its page disputes a payment."""

    driver: Sandbox

    def query_disputes(self, *, reference: str) -> list[Disputed]:
        try:
            return [_disputed(self.driver.speak("GET", f"/v1/disputes/{quote(reference, safe='')}"))]
        except ProviderRefused:
            return []

    def answer_dispute(self, *, key: str, reference: str, evidence: Evidence) -> None:
        told = {"words": evidence.words, "receipt": evidence.receipt, "access_log": evidence.access_log}
        told |= {"file": b64encode(evidence.file).decode(), "file_type": evidence.file_type}
        self.driver.speak("POST", f"/v1/disputes/{quote(reference, safe='')}/evidence", told, key=key)

    def accept_dispute(self, *, key: str, reference: str) -> None:
        self.driver.speak("POST", f"/v1/disputes/{quote(reference, safe='')}/accept", {"accept": True}, key=key)


def _disputed(said: dict[str, Any]) -> Disputed:
    currency = said["currency"]
    return Disputed(
        reference=said["id"],
        key=said["key"],
        amount=Money(said["amount"], currency),
        stand=Stand(said["status"]),
        reason=said["reason"],
        due_at=datetime.fromisoformat(said["due_at"]),
        answers=(said["answer"],),
        is_withdrawn=said["withdrawn"],
        is_reinstated=said["reinstated"],
        fee=Money(said["fee"], currency) if said["withdrawn"] else None,
        fee_back=Money(said["fee_back"], currency) if said["reinstated"] else None,
    )
