"""Stripe: Checkout Sessions, refunds and events, by its official package.

Stripe saves the answer to an idempotency key, also a 500: asked again it says 500 again, though it may have been done.
So whatever was lost, unclear or refused is looked up by our key, which stands in everything that we make.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, cast
from urllib.parse import urlsplit

import stripe
from django.conf import settings
from stripe.checkout import Session

from billing.money import Money
from billing.providers import stripe_charges as charges
from billing.providers.messages import event_id, fit
from billing.providers.protocol import (
    DISPUTED,
    BadSignature,
    Charged,
    Checkout,
    Garbled,
    Message,
    Paid,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
    StaleMessage,
)
from billing.providers.stripe_amounts import from_stripe, to_stripe
from billing.providers.stripe_events import told_of

HEADER = "Stripe-Signature"
TOLERANCE, TIMEOUT_S = timedelta(minutes=5), 10.0
PAGE, MOST_LOOKED_THROUGH = 100, 300
# What is refused for good. A wrong key, a lock or too many requests say nothing about the request itself.
FINAL = {400, 402, 404}


@dataclass(frozen=True)
class Stripe:
    """Stripe, in a tenant's own account there."""

    account: str
    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.api_key.startswith(("sk_", "rk_")) or not self.webhook_secret.startswith("whsec_"):
            raise ValueError("A secret key begins with sk_ or rk_, a webhook's with whsec_.")

    def create_checkout(
        self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str, saves: bool = False
    ) -> Checkout:
        said = {"tenant": self.account, "key": key, "order": order}
        price: Any = {"currency": amount.currency.lower(), "unit_amount": to_stripe(amount)}
        price["product_data"] = {"name": f"Order {order}"}
        asked: dict[str, Any] = {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "metadata": said,
            "payment_intent_data": {"metadata": said},
        }
        return self._page(asked | (charges.saving(said, mode="payment") if saves else {}), key, webhook_url, return_url)

    def create_setup(self, *, key: str, member: str, currency: str, webhook_url: str, return_url: str) -> Checkout:
        said = {"tenant": self.account, "key": key, "order": member}
        asked = {"mode": "setup", "currency": currency.lower(), **charges.saving(said, mode="setup")}
        return self._page(asked, key, webhook_url, return_url)

    def charge(self, *, key: str, method: str, order: str, amount: Money, webhook_url: str) -> Charged:
        said = {"tenant": self.account, "key": key, "order": order}
        asked = {"amount": to_stripe(amount), "currency": amount.currency.lower(), "metadata": said}
        made = self.query_charge(key=key, method=method)  # Stripe forgets an idempotency key after a day
        if made:
            return made
        try:
            return _charged(charges.make(self.client, asked, method=method, key=key))
        except stripe.StripeError as error:
            if made := self.query_charge(key=key, method=method):  # a declined one is an error, and is there
                return made
            raise refusal(error) from error

    def query_charge(self, *, key: str, method: str) -> Charged | None:
        try:
            found = charges.find(self.client, method=method, key=key)
        except stripe.StripeError as error:
            raise refusal(error) from error
        return _charged(found) if found else None

    def forget(self, *, method: str) -> None:
        try:
            charges.forget(self.client, method=method)
        except stripe.StripeError as error:
            raise refusal(error) from error

    def _page(self, asked: dict[str, Any], key: str, webhook_url: str, return_url: str) -> Checkout:
        site = urlsplit(webhook_url)
        back = return_url or f"{site.scheme}://{site.netloc}/"
        whole: Any = asked | {"client_reference_id": key, "success_url": back, "cancel_url": back}
        try:
            return _checkout(self.client.v1.checkout.sessions.create(whole, {"idempotency_key": key}))
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

    def lasts(self, way: str) -> timedelta:
        return timedelta(hours=24)

    def close(self, *, key: str, reference: str, order: str) -> Checkout | None:
        sessions = self.client.v1.checkout.sessions
        try:
            session = sessions.retrieve(reference)
            if session.status == "open":
                try:
                    session = sessions.expire(reference)
                except stripe.StripeError:
                    session = sessions.retrieve(reference)  # paid at this moment, perhaps
            ended = _checkout(session)
            if session.status == "complete" and not ended.is_paid:
                return replace(ended, is_closed=self._has_failed(str(session.payment_intent)))
        except stripe.StripeError as error:
            raise refusal(error) from error
        return ended

    def _has_failed(self, intent: str) -> bool:
        """Tell whether a payment that takes days has failed; then it is cancelled, so that it is not tried again."""
        intents = self.client.v1.payment_intents
        made = intents.retrieve(intent)
        if made.status == "requires_payment_method":
            made = intents.cancel(intent)
        return made.status == "canceled"

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        intent, said = self.intent_of(paid.reference), {"tenant": self.account, "key": key, "order": paid.order}
        asked: Any = {"payment_intent": intent, "amount": to_stripe(amount), "metadata": said}
        # Stripe forgets an idempotency key after a day, and a refund can take longer: so it is looked for first.
        made = self._find_refund(key, intent)
        try:
            made = made or self.client.v1.refunds.create(asked, {"idempotency_key": key})
        except stripe.StripeError as error:
            if (found := self._find_refund(key, intent)) is None:
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
            kind, minor = told_of(said["type"], about)
            known = {"tenant": self.account} if kind == DISPUTED else about.get("metadata") or {}
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
                method=charges.method_of(about),
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
        base: Any = {"api": settings.STRIPE_URL, "files": settings.STRIPE_URL.replace("api.stripe.", "files.stripe.")}
        return stripe.StripeClient(self.api_key, base_addresses=base, http_client=http, max_network_retries=0)

    def intent_of(self, reference: str) -> str:
        """Return with which intent the money came: of a charge, its reference; of a page, the page's."""
        if reference.startswith("pi_"):
            return reference
        try:
            return str(self.client.v1.checkout.sessions.retrieve(reference).payment_intent)
        except stripe.StripeError as error:
            raise refusal(error) from error

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


def _checkout(session: Session) -> Checkout:
    return Checkout(
        reference=session.id,
        url=session.url or "",
        order=metadata_of(session).get("order", ""),
        amount=from_stripe(session.amount_total or 0, str(session.currency)),
        is_paid=session.payment_status == "paid",
        is_closed=session.status == "expired",
        method=charges.method_of(session.to_dict()),
    )


def _charged(intent: stripe.PaymentIntent) -> Charged:
    """Return what became of a charge. Raises ProviderUnavailable while that is open."""
    if intent.status == "processing":
        raise ProviderUnavailable("Stripe cannot say yet whether it was paid.")
    is_paid = intent.status == "succeeded"
    return Charged(
        reference=intent.id,
        order=metadata_of(intent).get("order", ""),
        amount=from_stripe(intent.amount, intent.currency),
        is_paid=is_paid,
        is_final=not is_paid and charges.is_final(intent),
        reason="" if is_paid else charges.why_declined(intent),
    )


def metadata_of(made: Any) -> dict[str, str]:
    return cast("dict[str, str]", made.metadata.to_dict()) if made.metadata else {}


def refusal(error: stripe.StripeError) -> ProviderRefused | ProviderUnavailable:
    if error.http_status in FINAL:
        return ProviderRefused(f"Stripe refuses: {error.code or type(error).__name__}.")
    return ProviderUnavailable("Stripe cannot say what happened. Please try again.")
