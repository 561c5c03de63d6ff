"""Speaking to the sandbox."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

from django.conf import settings

from billing.money import Money
from billing.providers.messages import event_id, fit
from billing.providers.protocol import (
    DISPUTED,
    Charged,
    Checkout,
    Garbled,
    Message,
    Paid,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
)
from billing.providers.rails import Destination, Outcome, SentPayout
from billing.providers.reports import Reported
from billing.providers.sandbox import signing

SANDBOX = "sandbox"
TIMEOUT_S = 5.0
# What the sandbox refuses for good. A wrong key, a proxy on the way or too many requests say nothing about it.
FINAL = {400, 402, 404}


@dataclass(frozen=True)
class Sandbox:
    """The sandbox, in the account of one tenant."""

    account: str

    def create_checkout(
        self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str, saves: bool = False
    ) -> Checkout:
        asked = {"order": order, "webhook_url": webhook_url, "return_url": return_url, **_amount(amount)}
        return _checkout(self._write("/v1/checkouts", asked | ({"saves": True} if saves else {}), key=key))

    def create_setup(self, *, key: str, member: str, currency: str, webhook_url: str, return_url: str) -> Checkout:
        asked = {"mode": "setup", "order": member, "webhook_url": webhook_url, "return_url": return_url}
        return _checkout(self._write("/v1/checkouts", asked | _amount(Money(0, currency)), key=key))

    def charge(self, *, key: str, method: str, order: str, amount: Money, webhook_url: str) -> Charged:
        asked = {"method": method, "order": order, "webhook_url": webhook_url, **_amount(amount)}
        return _charged(self._write("/v1/charges", asked, key=key))

    def query_charge(self, *, key: str, method: str) -> Charged | None:
        found = self._find("/v1/charges", key)
        return _charged(found) if found else None

    def forget(self, *, method: str) -> None:
        # Done twice it is done once, so each request has a key of its own: a lost answer is not saved for the next one.
        self.speak("POST", "/v1/forgotten", {"method": method}, key=f"forget_{uuid4().hex}")

    def query(self, *, key: str, reference: str, order: str) -> Checkout | None:
        found = self._find("/v1/checkouts", key)
        return _checkout(found) if found else None

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        asked = {"checkout": paid.reference, "order": paid.order, **_amount(amount)}
        return SentRefund(reference=self._write("/v1/refunds", asked, key=key)["id"])

    def payout(self, *, key: str, amount: Money, to: Destination, webhook_url: str) -> SentPayout:
        # A lost answer is not looked up here: that it is not known is a state of the payout.
        asked = {"destination": f"{to.bank} {to.number} {to.holder}", **_amount(amount)}
        return _payout(self.speak("POST", "/v1/payouts", asked, key=key))

    def query_payout(self, *, key: str) -> SentPayout | None:
        found = self._find("/v1/payouts", key)
        return _payout(found) if found else None

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
        secret = signing.secret_of(self.account, key=settings.SANDBOX_KEY)
        signing.verify(headers.get(signing.HEADER, ""), body, secret=secret, at=at)
        return event_id(body)

    def read(self, body: bytes) -> Message:
        try:
            said = json.loads(body)
            data = said["data"]
            message = Message(
                id=said["id"],
                kind=DISPUTED if said["type"].startswith("dispute.") else said["type"],
                account=said["account"],
                key=data["key"],
                reference=data["id"],
                order=data["order"],
                amount=Money(data["amount"], data["currency"]),
                reason=data.get("reason", ""),
                method=data.get("method", ""),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Garbled("garbled") from error
        return fit(message)

    zone: ClassVar[tzinfo] = UTC
    ready_after: ClassVar[timedelta] = timedelta()
    may_be_late: ClassVar[timedelta] = timedelta()

    def fetch_report(self, *, since: datetime, until: datetime) -> Iterator[Reported]:
        span = urlencode({"since": since.isoformat(), "until": until.isoformat()})
        try:
            for row in self.speak("GET", f"/v1/report?{span}")["data"]:
                yield Reported(
                    kind=row["kind"],
                    reference=row["reference"],
                    key=row["key"],
                    amount=Money(row["amount"], row["currency"]),
                    fee=row["fee"],
                    at=datetime.fromisoformat(row["at"]),
                )
        except (TypeError, ValueError, KeyError) as error:
            raise ProviderUnavailable("The payment provider's report cannot be read.") from error

    def _write(self, path: str, asked: dict[str, Any], *, key: str) -> Any:
        """Ask for something; when the answer is lost, unclear or no, look whether it was done before.

        A no can be about this request only: its key is known, with another page to return to.
        """
        try:
            return self.speak("POST", path, asked, key=key)
        except (ProviderUnavailable, ProviderRefused):
            if done := self._find(path, key):
                return done
            raise

    def _find(self, path: str, key: str) -> Any:
        found = self.speak("GET", f"{path}?key={quote(key)}")["data"]
        return found[0] if found else None

    def speak(self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Any:
        """Ask the sandbox, and return what it says. Raises ProviderUnavailable and ProviderRefused."""
        to = urlsplit(settings.SANDBOX_URL)
        connect = HTTPSConnection if to.scheme == "https" else HTTPConnection
        connection = connect(to.netloc, timeout=TIMEOUT_S)
        headers = {"Authorization": f"Bearer {settings.SANDBOX_KEY}", "Account": self.account}
        headers |= {"Idempotency-Key": key, "Content-Type": "application/json"} if key else {}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            status, said = answer.status, json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise ProviderUnavailable("The payment provider does not answer. Please try again.") from error
        finally:
            connection.close()
        if status == HTTPStatus.OK:
            return said
        if status in FINAL and isinstance(said, dict) and "error" in said:
            raise ProviderRefused(f"The payment provider refuses: {said['error']['code']}.")
        raise ProviderUnavailable("The payment provider cannot say what happened. Please try again.")


def _amount(money: Money) -> dict[str, Any]:
    return {"amount": money.minor, "currency": money.currency}


def _checkout(said: dict[str, Any]) -> Checkout:
    return Checkout(
        reference=said["id"],
        url=said["url"],
        order=said["order"],
        amount=Money(said["amount"], said["currency"]),
        is_paid=said["status"] == "captured",
        method=said.get("method", ""),
    )


def _charged(said: dict[str, Any]) -> Charged:
    return Charged(
        reference=said["id"],
        order=said["order"],
        amount=Money(said["amount"], said["currency"]),
        is_paid=said["status"] == "captured",
        is_final=said["decline"] == "hard",
        reason=said["decline"],
    )


def _payout(said: dict[str, Any]) -> SentPayout:
    return SentPayout(said["id"], Outcome(said["status"]), Money(said["amount"], said["currency"]))
