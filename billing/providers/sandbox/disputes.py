"""How a payment is disputed at the sandbox: by a button, as a buyer does at a bank. Each step is rows and messages."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from billing.providers.sandbox.book import Row
from billing.providers.sandbox.words import No, event

FEE = 1_500  # given back with the money
DAYS = 7
OPEN = {"warning", "needs_response", "under_review"}
PRESSES = {"inquire", "dispute", "win", "lose", "close"}
Changes = dict[str, list[Row]]


def pressed(press: str, checkout: Row, dispute: Row | None, minor: int | None) -> Changes:
    """Return what becomes of the dispute of a checkout. Raises No."""
    if press in {"inquire", "dispute"}:
        if dispute and dispute["status"] in OPEN - {"warning"}:
            raise No(HTTPStatus.CONFLICT, "disputed_already")
        return _opened(checkout, dispute, minor, is_enquiry=press == "inquire")
    if dispute is None or dispute["status"] not in OPEN:
        raise No(HTTPStatus.CONFLICT, "not_disputed")
    return _decided(dispute, {"win": "won", "lose": "lost", "close": "closed"}[press])


def written(verb: str, dispute: Row | None, key: str, asked: Row) -> tuple[Row, Changes]:
    """Take evidence, or the merchant's yes. Raises No."""
    if dispute is None:
        raise No(HTTPStatus.NOT_FOUND, "no_such_dispute")
    if dispute["status"] not in OPEN:
        raise No(HTTPStatus.BAD_REQUEST, "decided_already")
    if verb == "accept":
        changes = _decided(dispute | {"answer": key}, "closed" if dispute["status"] == "warning" else "lost")
    elif verb == "evidence":
        status = "warning" if dispute["status"] == "warning" else "under_review"
        answered = dispute | {"status": status, "answer": key, "evidence": asked}
        changes = {"disputes": [answered], "events": [event("dispute.updated", answered, answered["webhook_url"])]}
    else:
        raise No(HTTPStatus.NOT_FOUND, "no_such_path")
    return changes["disputes"][0], changes


def _opened(checkout: Row, dispute: Row | None, minor: int | None, *, is_enquiry: bool) -> Changes:
    if checkout["status"] != "captured":
        raise No(HTTPStatus.CONFLICT, "not_captured")
    amount = checkout["amount"] - checkout["refunded"] if minor is None else minor
    if not 0 < amount <= checkout["amount"]:
        raise No(HTTPStatus.BAD_REQUEST, "bad_amount")
    names = ("account", "key", "order", "currency", "webhook_url")
    escalates = dispute is not None and dispute["status"] == "warning"
    made: dict[str, Any] = {name: checkout[name] for name in names} | {
        "id": dispute["id"] if dispute and escalates else f"dp_{uuid4().hex}",
        "checkout": checkout["id"],
        "amount": dispute["amount"] if dispute and escalates else amount,
        "status": "warning" if is_enquiry else "needs_response",
        "reason": "fraudulent",
        "due_at": (datetime.now(UTC) + timedelta(days=DAYS)).isoformat(),
        "answer": "",
        "withdrawn": not is_enquiry,
        "reinstated": False,
        "fee": 0 if is_enquiry else FEE,
        "fee_back": 0,
    }
    kinds = ["dispute.updated" if escalates else "dispute.created"]
    kinds += [] if is_enquiry else ["dispute.funds_withdrawn"]
    return {"disputes": [made], "events": [event(kind, made, made["webhook_url"]) for kind in kinds]}


def _decided(dispute: Row, status: str) -> Changes:
    gives_back = status == "won" and dispute["withdrawn"]
    decided = dispute | {"status": status, "reinstated": gives_back, "fee_back": dispute["fee"] if gives_back else 0}
    kinds = ["dispute.closed"] + (["dispute.funds_reinstated"] if gives_back else [])
    return {"disputes": [decided], "events": [event(kind, decided, decided["webhook_url"]) for kind in kinds]}
