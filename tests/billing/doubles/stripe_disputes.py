"""Disputes at Stripe."""

from typing import Any

from tests.billing.doubles.forms import No

DISPUTES = "/v1/disputes"


def answered(account: Any, path: str, asked: Any) -> Any:
    """Take evidence, or that the merchant gives it up."""
    dispute = account.disputes.get(path.removeprefix(f"{DISPUTES}/").partition("/")[0])
    if dispute is None:
        raise No(404, "invalid_request_error", code="resource_missing")
    if dispute["status"] not in {"needs_response", "warning_needs_response"}:
        raise No(400, "invalid_request_error", code="dispute_not_open")
    if path.endswith("/close"):
        return changed(account, dispute["id"], status="lost")
    if (file := asked["evidence"].get("uncategorized_file")) and file not in account.files:
        raise No(400, "invalid_request_error", code="resource_missing", param="uncategorized_file")
    dispute["evidence"] |= asked["evidence"]
    dispute["metadata"] |= asked["metadata"]
    status = "under_review" if asked.get("submit") == "true" else dispute["status"]
    return changed(account, dispute["id"], status=status)


def changed(account: Any, number: str, **told: Any) -> Any:
    """Let a bank open or change a dispute, and return it; `moved` and `fee` are what Stripe took or gave."""
    known = account.disputes.get(number, {"balance_transactions": [], "evidence": {}, "metadata": {}})
    moved, fee = told.pop("moved", 0), told.pop("fee", 0)
    if moved:
        row = {"object": "balance_transaction", "amount": moved, "fee": fee, "currency": "cny", "net": moved - fee}
        known["balance_transactions"] = [*known["balance_transactions"], row]
    plain = {"id": number, "object": "dispute", "currency": "cny", "reason": "fraudulent", "livemode": False}
    due = {"evidence_details": {"due_by": 4_102_444_800, "has_evidence": bool(known["evidence"])}}
    account.disputes[number] = plain | due | known | told
    return account.disputes[number]


def made_of(path: str) -> str:
    """Return what is written under a path, without the number of the dispute in it."""
    if not path.startswith(f"{DISPUTES}/"):
        return path
    return f"{DISPUTES}/close" if path.endswith("/close") else DISPUTES
