"""What Stripe's events mean in our words."""

from typing import Any

from billing.providers.protocol import DISPUTED, Garbled

SPLIT_PREFIX = "sp_"  # of the keys of what a creator is given of a payment; a payout's begins with po_
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


def told_of(kind: str, about: dict[str, Any]) -> tuple[str, Any]:
    """Return what an event means in our words, and the amount that it is about. Raises KeyError for other events."""
    if kind.startswith("charge.dispute."):
        return DISPUTED, about["amount"]
    if kind in REFUND_EVENTS:
        return REFUND_KINDS.get(about["status"], "noted"), about["amount"]
    if kind in TRANSFER_EVENTS and (about.get("metadata") or {}).get("key", "").startswith(SPLIT_PREFIX):
        return "split.reversed" if about["amount_reversed"] else "split.told", about["amount"]
    if kind in TRANSFER_EVENTS:
        if about["amount_reversed"] and not about["reversed"]:
            raise Garbled("partly_reversed")
        return "payout.reversed" if about["reversed"] else "payout.paid", about["amount"]
    if kind in OWN_BANK_EVENTS:
        raise Garbled("bank_of_the_connected_account")
    if kind not in KINDS:
        raise Garbled("unknown_kind")
    if about.get("mode") == "setup":
        return "method.saved" if kind == "checkout.session.completed" else "noted", 0
    is_paid = about["payment_status"] == "paid"
    return "payment.captured" if is_paid and KINDS[kind] != "payment.declined" else KINDS[kind], about["amount_total"]
