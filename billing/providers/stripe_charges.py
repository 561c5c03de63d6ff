"""Charging what a customer of Stripe's has saved, without them: PaymentIntents that are confirmed at once.

A saved method is known to us by its customer and the intent with which it was saved: cus_1/pi_1 or cus_1/seti_1. Each
page makes a customer of its own, so that the charges of a customer are few, and all are of one method.
"""

from collections.abc import Mapping
from typing import Any

import stripe

PAGE = 100
# Asked for again, these would be declined again (docs.stripe.com/declines/codes); what else is declined may go better.
FINAL = {
    *("card_not_supported", "currency_not_supported", "expired_card", "incorrect_number", "invalid_account"),
    *("invalid_number", "lost_card", "pickup_card", "restricted_card", "revocation_of_all_authorizations"),
    *("revocation_of_authorization", "security_violation", "stolen_card", "stop_payment_order"),
}


def saving(said: dict[str, str], *, mode: str) -> dict[str, Any]:
    """Return what a page is asked for, besides, that keeps what the buyer pays by."""
    kept = {"customer_creation": "always", "metadata": said | {"saves": "yes"}}
    if mode == "setup":
        return kept | {"setup_intent_data": {"metadata": said}}
    return kept | {"payment_intent_data": {"metadata": said, "setup_future_usage": "off_session"}}


def method_of(session: Mapping[str, Any]) -> str:
    """Return what a completed page has saved; nothing, when it was to save nothing or is not completed."""
    saves = (session.get("metadata") or {}).get("saves") == "yes" and session.get("status") == "complete"
    intent = session.get("setup_intent") or session.get("payment_intent")
    return f"{session['customer']}/{intent}" if saves and session.get("customer") and intent else ""


def find(client: stripe.StripeClient, *, method: str, key: str) -> stripe.PaymentIntent | None:
    """Return the charge that was made under this key. Raises StripeError."""
    customer = method.partition("/")[0]
    made = client.v1.payment_intents.list({"customer": customer, "limit": PAGE}).auto_paging_iter()
    return next((intent for intent in made if (intent.to_dict().get("metadata") or {}).get("key") == key), None)


def make(client: stripe.StripeClient, asked: dict[str, Any], *, method: str, key: str) -> stripe.PaymentIntent:
    """Charge the saved method now. Raises StripeError, for a card that is declined too."""
    whole: Any = asked | {
        "customer": method.partition("/")[0],
        "payment_method": str(_card(client, method)),
        "off_session": True,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }
    return client.v1.payment_intents.create(whole, {"idempotency_key": key})


def forget(client: stripe.StripeClient, *, method: str) -> None:
    """Take what was saved from its customer, if that was not done before. Raises StripeError."""
    card = _card(client, method)
    try:
        if card and client.v1.payment_methods.retrieve(str(card)).customer:
            client.v1.payment_methods.detach(str(card))
    except stripe.StripeError as error:
        if error.http_status != 404:  # Stripe knows it no more
            raise


def _card(client: stripe.StripeClient, method: str) -> Any:
    """Return what the intent was paid by, or agreed to, with which the method was saved."""
    saved = method.partition("/")[2]
    intents: Any = client.v1.setup_intents if saved.startswith("seti_") else client.v1.payment_intents
    return intents.retrieve(saved).payment_method


def why_declined(intent: stripe.PaymentIntent) -> str:
    """Return why it was not paid, in Stripe's words."""
    error = _error(intent)
    return str(error.get("decline_code") or error.get("code") or intent.status)


def is_final(intent: stripe.PaymentIntent) -> bool:
    """Tell whether the method was declined for good."""
    return why_declined(intent) in FINAL or _error(intent).get("advice_code") == "do_not_try_again"


def _error(intent: stripe.PaymentIntent) -> dict[str, Any]:
    """Return what went wrong; what Stripe does not tell of it is missing."""
    return dict(intent.to_dict().get("last_payment_error") or {})
