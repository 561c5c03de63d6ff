"""Stripe: Checkout Sessions, refunds and events, by its official package.

Stripe saves the answer to an idempotency key, also a 500: asked again it says 500 again, though it may have been done.
So whatever was lost, unclear or refused is looked up by our key, which stands in everything that we make.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

import stripe
from django.conf import settings
from stripe.checkout import Session

from billing.money import Money
from billing.providers.messages import event_id, fit
from billing.providers.protocol import (
    BadSignature,
    Checkout,
    Garbled,
    Message,
    Paid,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
    StaleMessage,
)

HEADER = "Stripe-Signature"
TOLERANCE = timedelta(minutes=5)
TIMEOUT_S = 10.0
PAGE, MOST_LOOKED_THROUGH = 100, 300
# What is refused for good. A wrong key, a lock or too many requests say nothing about the request itself.
FINAL = {400, 402, 404}
# Currencies without decimals that Stripe counts in hundredths all the same (docs.stripe.com/currencies).
HUNDREDFOLD = {"ISK", "UGX"}
THREE_DECIMALS = {"BHD", "JOD", "KWD", "OMR", "TND"}  # the last digit must be 0
KINDS = {
    "checkout.session.completed": "noted",
    "checkout.session.async_payment_succeeded": "payment.captured",
    "checkout.session.async_payment_failed": "payment.declined",
    "checkout.session.expired": "payment.declined",
}
REFUND_EVENTS = {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
TRANSFER_EVENTS = {"transfer.created", "transfer.updated", "transfer.reversed"}
# A connected account's own bank: its money stays with Stripe, and nothing of ours changes.
OWN_BANK_EVENTS = {"payout.failed", "payout.canceled", "payout.paid"}
REFUND_KINDS = {"succeeded": "refund.succeeded", "failed": "refund.failed", "canceled": "refund.failed"}


@dataclass(frozen=True)
class Stripe:
    """Stripe, in a tenant's own account there."""

    account: str
    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.api_key.startswith(("sk_", "rk_")) or not self.webhook_secret.startswith("whsec_"):
            raise ValueError("A secret key begins with sk_ or rk_, a webhook's with whsec_.")

    def create_checkout(self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str) -> Checkout:
        site, said = urlsplit(webhook_url), {"tenant": self.account, "key": key, "order": order}
        back = return_url or f"{site.scheme}://{site.netloc}/"
        price: Any = {"currency": amount.currency.lower(), "unit_amount": to_stripe(amount)}
        price["product_data"] = {"name": f"Order {order}"}
        asked: Any = {
            "mode": "payment",
            "client_reference_id": key,
            "line_items": [{"price_data": price, "quantity": 1}],
            "metadata": said,
            "payment_intent_data": {"metadata": said},
            "success_url": back,
            "cancel_url": back,
        }
        try:
            return _checkout(self.client.v1.checkout.sessions.create(asked, {"idempotency_key": key}))
        except stripe.StripeError as error:
            if found := self._find(key):
                return found
            raise refusal(error) from error

    def query(self, *, key: str, reference: str, order: str) -> Checkout | None:
        if not reference:
            return self._find(key)
        try:
            return _checkout(self.client.v1.checkout.sessions.retrieve(reference))
        except stripe.StripeError as error:
            if error.http_status == 404:
                return None
            raise refusal(error) from error

    closes_after: ClassVar[timedelta] = timedelta(hours=24)

    def close(self, *, key: str, reference: str, order: str) -> Checkout | None:
        sessions = self.client.v1.checkout.sessions
        try:
            session = sessions.retrieve(reference)
            if session.status == "open":
                try:
                    session = sessions.expire(reference)
                except stripe.StripeError:
                    session = sessions.retrieve(reference)  # paid at this moment, perhaps
        except stripe.StripeError as error:
            raise refusal(error) from error
        return _checkout(session)

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        try:
            session = self.client.v1.checkout.sessions.retrieve(paid.reference)
        except stripe.StripeError as error:
            raise refusal(error) from error
        said = {"tenant": self.account, "key": key, "order": paid.order}
        asked: Any = {"payment_intent": session.payment_intent, "amount": to_stripe(amount), "metadata": said}
        # Stripe forgets an idempotency key after a day, and a refund can take longer: so it is looked for first.
        made = self._find_refund(key, str(session.payment_intent))
        try:
            made = made or self.client.v1.refunds.create(asked, {"idempotency_key": key})
        except stripe.StripeError as error:
            if (found := self._find_refund(key, str(session.payment_intent))) is None:
                raise refusal(error) from error
            made = found
        if made.status in {"failed", "canceled"}:
            raise ProviderRefused(f"Stripe could not give it back: {made.failure_reason or made.status}.")
        return SentRefund(reference=made.id, is_done=made.status == "succeeded")

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
        signed, secret = headers.get(HEADER, ""), self.webhook_secret
        try:
            stripe.WebhookSignature.verify_header(body.decode(), signed, secret, tolerance=None)
            stamps = [item.partition("=") for item in signed.split(",")]
            signed_at = datetime.fromtimestamp(int(next(value for name, _, value in stamps if name == "t")), UTC)
        except (stripe.SignatureVerificationError, ValueError, OverflowError, OSError, StopIteration) as error:
            raise BadSignature("The message is not signed as it must be.") from error
        # The package looks into the past only; a clock that jumped can be ahead as well.
        if abs(at - signed_at) > TOLERANCE:
            raise StaleMessage("The message was not signed within the last five minutes.")
        return event_id(body)

    def read(self, body: bytes) -> Message:
        try:
            said = json.loads(body)
            about = said["data"]["object"]
            kind, minor = _told(said["type"], about)
            known = about.get("metadata") or {}
            is_live = said["livemode"]
            message = Message(
                id=said["id"],
                kind=kind,
                account=known.get("tenant", ""),
                key=known.get("key", ""),
                reference=about["id"],
                order=known.get("order", ""),
                amount=from_stripe(minor, about["currency"]),
                reason=about.get("failure_reason") or "",
            )
        except Garbled:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Garbled("garbled") from error
        if is_live != ("_live_" in self.api_key):
            raise Garbled("wrong_mode")
        return fit(message)

    @property
    def client(self) -> stripe.StripeClient:
        http = stripe.RequestsClient(timeout=TIMEOUT_S)
        base: Any = {"api": settings.STRIPE_URL}
        return stripe.StripeClient(self.api_key, base_addresses=base, http_client=http, max_network_retries=0)

    def _find(self, key: str) -> Checkout | None:
        """Look among the newest sessions for the one that was made under this key."""
        try:
            newest = self.client.v1.checkout.sessions.list({"limit": PAGE}).auto_paging_iter()
            sessions = islice(newest, MOST_LOOKED_THROUGH)
            return next((_checkout(made) for made in sessions if made.client_reference_id == key), None)
        except stripe.StripeError as error:
            raise refusal(error) from error

    def _find_refund(self, key: str, intent: str) -> stripe.Refund | None:
        try:
            made = self.client.v1.refunds.list({"payment_intent": intent, "limit": PAGE}).auto_paging_iter()
            return next((refund for refund in made if metadata_of(refund).get("key") == key), None)
        except stripe.StripeError as error:
            raise refusal(error) from error


def to_stripe(money: Money) -> int:
    """Return the amount as Stripe counts it. Raises ProviderRefused for what it cannot count."""
    if money.currency in THREE_DECIMALS and money.minor % 10:
        raise ProviderRefused(f"Stripe takes no third decimal: {money}.")
    return money.minor * (100 if money.currency in HUNDREDFOLD else 1)


def from_stripe(minor: Any, currency: str) -> Money:
    """Return what Stripe has counted, in our minor units. Raises ValueError and TypeError for what is no amount."""
    code = currency.upper()
    whole, rest = divmod(minor, 100 if code in HUNDREDFOLD else 1)
    if rest:
        raise ValueError(f"{minor} {code} is no amount.")
    return Money(whole, code)


def _told(kind: str, about: dict[str, Any]) -> tuple[str, Any]:
    """Return what an event means in our words, and the amount that it is about. Raises KeyError for other events."""
    if kind in REFUND_EVENTS:
        return REFUND_KINDS.get(about["status"], "noted"), about["amount"]
    if kind in TRANSFER_EVENTS:
        if about["amount_reversed"] and not about["reversed"]:
            raise Garbled("partly_reversed")
        return "payout.reversed" if about["reversed"] else "payout.paid", about["amount"]
    if kind in OWN_BANK_EVENTS:
        raise Garbled("bank_of_the_connected_account")
    if kind not in KINDS:
        raise Garbled("unknown_kind")
    is_paid = about["payment_status"] == "paid"
    return "payment.captured" if is_paid and KINDS[kind] != "payment.declined" else KINDS[kind], about["amount_total"]


def _checkout(session: Session) -> Checkout:
    return Checkout(
        reference=session.id,
        url=session.url or "",
        order=metadata_of(session).get("order", ""),
        amount=from_stripe(session.amount_total, str(session.currency)),
        is_paid=session.payment_status == "paid",
        is_closed=session.status == "expired",
    )


def metadata_of(made: Any) -> dict[str, str]:
    return cast("dict[str, str]", made.metadata.to_dict()) if made.metadata else {}


def refusal(error: stripe.StripeError) -> ProviderRefused | ProviderUnavailable:
    if error.http_status in FINAL:
        return ProviderRefused(f"Stripe refuses: {error.code or type(error).__name__}.")
    return ProviderUnavailable("Stripe cannot say what happened. Please try again.")
