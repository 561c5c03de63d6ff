"""What the sandbox's rows, messages and refusals are made of."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from billing.providers.sandbox.book import Row

Answer = tuple[int, Row]
MOST = 10**15
TOLD = ("id", "key", "order", "amount", "currency", "method", "fee", "fee_back")


class No(Exception):
    """The sandbox refuses: a status and a code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


def refusal(status: int, code: str) -> Answer:
    """Return the answer that says no."""
    return int(status), {"error": {"code": code}}


def public(row: Row) -> Row:
    """Return what of a thing is told to others."""
    told = {name: value for name, value in row.items() if name not in {"webhook_url", "return_url"}}
    return told | ({"url": f"/pay/{row['id']}"} if row["id"].startswith("co_") else {})


def event(kind: str, about: Row, url: str) -> Row:
    """Return a message that tells what happened to a thing."""
    data = {name: about[name] for name in TOLD if name in about}
    told = {"type": kind, "account": about["account"], "created": datetime.now(UTC).isoformat(), "data": data}
    return {"id": f"evt_{uuid4().hex}", **told, "url": url, "delivered": False}


def text(asked: Row, name: str) -> str:
    """Return a word that must have been sent. Raises No."""
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise No(HTTPStatus.BAD_REQUEST, f"{name}_missing")
    return value


def amount(asked: Row, *, least: int = 1) -> dict[str, Any]:
    """Return amount and currency, which must have been sent. Raises No."""
    minor = asked.get("amount")
    if type(minor) is not int or not least <= minor <= MOST:
        raise No(HTTPStatus.BAD_REQUEST, "bad_amount")
    return {"amount": minor, "currency": text(asked, "currency")}
