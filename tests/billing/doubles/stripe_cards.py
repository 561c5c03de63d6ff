"""What Stripe keeps of a card that was paid by, and how it is charged again."""

from typing import Any


def paid(account: Any, session: str) -> Any:
    """Complete a page: with a customer and an intent of its own."""
    number, page = session.removeprefix("cs_test_"), account.sessions[session]
    page |= {"status": "complete"}
    if page["customer_creation"] == "always":
        page |= {"customer": f"cus_{number}"}
    intent = {"customer": page["customer"], "payment_method": f"pm_{number}", "status": "succeeded"}
    # A page's intent does not say under which key it was charged: the page does.
    intent |= {"metadata": page["metadata"], "last_payment_error": None}
    if page["mode"] == "setup":
        page |= {"setup_intent": f"seti_{number}"}
        account.setups[f"seti_{number}"] = intent | {"id": f"seti_{number}", "object": "setup_intent"}
    else:
        page |= {"payment_status": "paid", "payment_intent": f"pi_{number}"}
        priced = {"amount": page["amount_total"], "currency": page["currency"], "latest_charge": f"ch_{number}"}
        account.intents[f"pi_{number}"] = intent | priced | {"id": f"pi_{number}", "object": "payment_intent"}
    return page


def card(account: Any, number: str) -> Any:
    """Return a card, and whose it is; nothing for one that nobody has paid by."""
    saved = [*account.intents.values(), *account.setups.values()]
    first = next((intent for intent in saved if intent["payment_method"] == number), None)
    whose = None if first is None or first.get("is_detached") else first["customer"]
    return first and {"id": number, "object": "payment_method", "customer": whose}


def detached(account: Any, number: str) -> Any:
    """Take a card from its customer."""
    for intent in [*account.intents.values(), *account.setups.values()]:
        if intent["payment_method"] == number:
            intent["is_detached"] = True
    return card(account, number)


def charged(account: Any, asked: Any) -> Any:
    """Charge a saved card; nothing for one that is not this customer's."""
    whose = card(account, asked["payment_method"]) or {}
    if whose.get("customer") != asked["customer"] or asked["off_session"] != "true":
        return None
    decline = account.declines.pop(0) if account.declines else ""
    code = decline if decline == "authentication_required" else "card_declined"
    made = {
        "id": f"pi_charge_{len(account.intents)}",
        "object": "payment_intent",
        "amount": int(asked["amount"]),
        "currency": asked["currency"],
        "customer": asked["customer"],
        "metadata": asked["metadata"],
        "payment_method": None if decline else asked["payment_method"],
        "status": "requires_payment_method" if decline else "succeeded",
        "last_payment_error": {"type": "card_error", "code": code, "decline_code": decline} if decline else None,
    }
    account.intents[str(made["id"])] = made
    return dict(made)
