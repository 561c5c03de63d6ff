"""Stripe over HTTP, as far as the driver speaks to it: forms with nested names, idempotency, errors, signed events.

What it takes is written down in ACCEPTED, which a test compares with the types in the `stripe` package.
"""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.billing.doubles import stripe_cards, stripe_disputes
from tests.billing.doubles.forms import No, from_parts, must_be_taken, nested
from tests.billing.doubles.http import Double
from tests.billing.doubles.stripe_disputes import DISPUTES

SESSIONS, REFUNDS = "/v1/checkout/sessions", "/v1/refunds"
TRANSFERS, REVERSALS = "/v1/transfers", "/v1/transfers/{id}/reversals"
BALANCE = "/v1/balance_transactions"
INTENTS, SETUPS = "/v1/payment_intents", "/v1/setup_intents"
FILES, CARDS = "/v1/files", "/v1/payment_methods"
METADATA = "any words"
# path → the parameters that are taken, nested as they are sent
ACCEPTED: dict[str, Any] = {
    SESSIONS: {
        "mode": None,
        "client_reference_id": None,
        "line_items": [
            {
                "price_data": {"currency": None, "unit_amount": None, "product_data": {"name": None}},
                "quantity": None,
            }
        ],
        "metadata": METADATA,
        "payment_intent_data": {"metadata": METADATA, "setup_future_usage": None},
        "setup_intent_data": {"metadata": METADATA},
        "customer_creation": None,
        "currency": None,
        "success_url": None,
        "cancel_url": None,
    },
    REFUNDS: {"payment_intent": None, "amount": None, "metadata": METADATA},
    TRANSFERS: {
        **dict.fromkeys(("amount", "currency", "destination", "transfer_group", "source_transaction")),
        "metadata": METADATA,
    },
    REVERSALS: {"amount": None, "metadata": METADATA},
    INTENTS: {
        "amount": None,
        "currency": None,
        "customer": None,
        "payment_method": None,
        "off_session": None,
        "confirm": None,
        "automatic_payment_methods": {"enabled": None, "allow_redirects": None},
        "metadata": METADATA,
    },
    DISPUTES: {
        "evidence": {"access_activity_log": None, "uncategorized_text": None, "uncategorized_file": None},
        "submit": None,
        "metadata": METADATA,
    },
    f"{DISPUTES}/close": {},
    FILES: {"purpose": None, "file": None},
}
LISTED: dict[str, set[str]] = {
    SESSIONS: {"limit", "starting_after", "payment_intent"},
    REFUNDS: {"limit", "starting_after", "payment_intent"},
    TRANSFERS: {"limit", "starting_after", "transfer_group"},
    BALANCE: {"limit", "starting_after", "created[gte]", "created[lt]", "expand[0]"},
    INTENTS: {"limit", "starting_after", "customer"},
}


@dataclass
class StripeDouble(Double):
    """One account at Stripe."""

    key: str = "sk_test_double"
    secret: str = "whsec_double"
    refunds_are: str = "succeeded"
    sessions: dict[str, Any] = field(default_factory=dict)
    refunds: dict[str, Any] = field(default_factory=dict)
    transfers: dict[str, Any] = field(default_factory=dict)
    reversals: list[Any] = field(default_factory=list)
    connected: set[str] = field(default_factory=set)
    balance: int = 1_000_000
    transactions: dict[str, Any] = field(default_factory=dict)
    intents: dict[str, Any] = field(default_factory=dict)
    setups: dict[str, Any] = field(default_factory=dict)
    declines: list[str] = field(default_factory=list)  # why the next charges are declined
    disputes: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    saved: dict[str, tuple[str, int, Any]] = field(default_factory=dict)

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        to = urlsplit(path)
        try:
            if headers.get("Authorization") != f"Bearer {self.key}":
                status, said = 401, No(401, "invalid_request_error").said
            elif method == "POST":
                kind = headers.get("Content-Type", "")
                form = from_parts(kind, body) if kind.startswith("multipart/") else body.decode()
                status, said = self._write(to.path, form, headers.get("Idempotency-Key", ""))
            else:
                status, said = 200, self._read(to.path, dict(parse_qsl(to.query)))
        except No as no:
            status, said = no.status, no.said
        return status, json.dumps(said).encode(), {"Content-Type": "application/json", "Request-Id": "req_1"}

    def _write(self, path: str, form: str, key: str) -> tuple[int, Any]:
        """Do it once per key; the same key again is answered the same, also with a 500."""
        fault = self.fault(path)
        if fault == "429":
            raise No(429, "invalid_request_error", code="rate_limit")
        if key in self.saved:
            before, status, said = self.saved[key]
            if before != path + form:
                raise No(400, "idempotency_error")
            return status, said
        try:
            status, said = 200, self._done(path, nested(form))
        except No as no:
            status, said = no.status, no.said
        if fault == "500_after":
            status, said = 500, {"error": {"type": "api_error", "message": "Lost."}}
        self.saved[key] = (path + form, status, said)
        return status, said

    def _done(self, path: str, asked: Any) -> Any:
        if path.startswith(f"{INTENTS}/") and path.endswith("/cancel"):
            intent = self.intents[path.split("/")[3]]
            return intent | {"status": "canceled"} if intent["status"] == "requires_payment_method" else intent
        if path.startswith(f"{CARDS}/") and path.endswith("/detach"):
            return stripe_cards.detached(self, path.split("/")[3])
        if path.endswith("/expire"):
            return self._expired(path.removeprefix(f"{SESSIONS}/").removesuffix("/expire"))
        number = path.removeprefix(f"{TRANSFERS}/").removesuffix("/reversals") if path.endswith("/reversals") else ""
        must_be_taken(asked, ACCEPTED.get(REVERSALS if number else stripe_disputes.made_of(path)) or {}, "")
        if number:
            return self._reversal(number, asked)
        if path.startswith(DISPUTES):
            return stripe_disputes.answered(self, path, asked)
        done = {SESSIONS: self._session, REFUNDS: self._refund, TRANSFERS: self._transfer, INTENTS: self._charge}
        done |= {FILES: self._file}
        return done[path](asked)

    def _file(self, asked: Any) -> Any:
        self.files[f"file_{len(self.files) + 1}"] = asked["file"].encode("latin-1")
        return {"id": f"file_{len(self.files)}", "object": "file", "purpose": asked["purpose"]}

    def _expired(self, session: str) -> Any:
        if self.sessions[session]["status"] != "open":
            raise No(400, "invalid_request_error", code="resource_already_expired")
        self.sessions[session]["status"] = "expired"
        return dict(self.sessions[session])

    def _transfer(self, asked: Any) -> Any:
        if int(asked["amount"]) > self.balance:
            raise No(400, "invalid_request_error", code="balance_insufficient")
        self.balance -= int(asked["amount"])
        number = f"tr_{len(self.transfers) + 1}"
        made = asked | {"id": number, "object": "transfer", "amount": int(asked["amount"])}
        self.transfers[number] = made | {"reversed": False, "amount_reversed": 0, "created": int(time.time())}
        return dict(self.transfers[number])

    def _reversal(self, number: str, asked: Any) -> Any:
        transfer = self.transfers.get(number)
        if transfer is None or transfer["amount_reversed"] + int(asked["amount"]) > transfer["amount"]:
            raise No(400, "invalid_request_error", code="transfer_reversal_amount_invalid")
        transfer["amount_reversed"] += int(asked["amount"])
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        made: dict[str, Any] = {
            "id": f"trr_{number}_{transfer['amount_reversed']}",
            "object": "transfer_reversal",
            "transfer": number,
        }
        made |= {"amount": int(asked["amount"]), "currency": transfer["currency"], "metadata": asked["metadata"]}
        self.reversals.append(made)
        return made

    def _session(self, asked: Any) -> Any:
        number, mode = len(self.sessions) + 1, asked["mode"]
        (line,) = asked.get("line_items", [{"price_data": {"unit_amount": 0, "currency": asked.get("currency")}}])
        price = line["price_data"]
        made = {
            "id": f"cs_test_{number}",
            "object": "checkout.session",
            "mode": mode,
            "customer": None,
            "customer_creation": asked.get("customer_creation"),
            "setup_intent": None,
            "amount_total": None if mode == "setup" else int(price["unit_amount"]) * int(line["quantity"]),
            "currency": price["currency"],
            "client_reference_id": asked["client_reference_id"],
            "metadata": asked["metadata"],
            "payment_intent": None,
            "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
            "status": "open",
            "url": f"https://checkout.stripe.com/c/pay/cs_test_{number}#{'f' * 600}",
        }
        self.sessions[str(made["id"])] = made
        return made

    def _refund(self, asked: Any) -> Any:
        paid = self.intents.get(asked["payment_intent"])
        if paid is None:
            raise No(404, "invalid_request_error", code="resource_missing")
        before = sum(r["amount"] for r in self.refunds.values() if r["payment_intent"] == asked["payment_intent"])
        if before + int(asked["amount"]) > paid["amount"]:
            raise No(400, "invalid_request_error", code="charge_already_refunded")
        made = {
            "id": f"re_stripe_{len(self.refunds) + 1}",
            "object": "refund",
            "amount": int(asked["amount"]),
            "currency": paid["currency"],
            "metadata": asked["metadata"],
            "payment_intent": asked["payment_intent"],
            "status": self.refunds_are,
        }
        self.refunds[str(made["id"])] = made
        return dict(made)

    def _read(self, path: str, query: dict[str, str]) -> Any:
        made = {SESSIONS: self.sessions, REFUNDS: self.refunds, TRANSFERS: self.transfers, BALANCE: self.transactions}
        made |= {INTENTS: self.intents, SETUPS: self.setups, DISPUTES: self.disputes}
        for place, rows in made.items():
            if path == place and place in LISTED:
                if unknown := query.keys() - LISTED[place]:
                    raise No(400, "invalid_request_error", code="parameter_unknown", param=min(unknown))
                return self._page(rows, query)
            if path.startswith(f"{place}/") and (row := rows.get(path.removeprefix(f"{place}/"))):
                return row
        return self._looked_up(path)

    def _looked_up(self, path: str) -> Any:
        """Return what is read by its number only, and what was reversed of a transfer."""
        kind, number, *more = path.removeprefix("/v1/").split("/")
        if (kind, more) == ("transfers", ["reversals"]):
            rows = [row for row in self.reversals if row["transfer"] == number]
            return {"object": "list", "url": path, "data": rows, "has_more": False}
        if kind == "payment_methods" and (card := stripe_cards.card(self, number)):
            return card
        if kind == "accounts" and number in self.connected:
            return {"id": number, "object": "account"}
        raise No(404, "invalid_request_error", code="resource_missing")

    def _page(self, rows: dict[str, Any], query: dict[str, str]) -> Any:
        like = {name: query[name] for name in ("payment_intent", "transfer_group", "customer") if name in query}
        newest = [row for row in reversed(rows.values()) if like.items() <= row.items() and _is_within(row, query)]
        if after := query.get("starting_after"):
            newest = newest[[row["id"] for row in newest].index(after) + 1 :]
        most = int(query.get("limit", 10))
        return {"object": "list", "url": "/", "data": newest[:most], "has_more": len(newest) > most}

    def moved(self, kind: str, source: Any, *, at: int, fee: int = 0, category: str = "") -> None:
        """Let the account's balance have changed."""
        number = f"txn_{len(self.transactions) + 1}"
        made = {"id": number, "object": "balance_transaction", "type": kind, "fee": fee, "created": at}
        made |= {"amount": source["amount"], "currency": source["currency"], "source": source}
        made["reporting_category"] = category or kind
        self.transactions[number] = made

    def pay(self, session: str) -> Any:
        """Let the buyer pay, and return the session."""
        assert self.sessions[session]["status"] == "open", "Nobody pays what has run out."
        return stripe_cards.paid(self, session)

    def _charge(self, asked: Any) -> Any:
        """Charge a saved card off session: a decline is an error, and leaves an intent behind."""
        made = stripe_cards.charged(self, asked)
        if made is None:
            raise No(400, "invalid_request_error", code="payment_method_unexpected_state")
        if error := made["last_payment_error"]:
            raise No(402, "card_error", code=error["code"], decline_code=error["decline_code"])
        return made

    def dispute(self, number: str, **told: Any) -> Any:
        """Let a bank open or change a dispute, and return it; `moved` and `fee` are what Stripe took or gave."""
        return stripe_disputes.changed(self, number, **told)

    def event(self, kind: str, about: Any, **changed: Any) -> bytes:
        """Return the event's body."""
        self.events = getattr(self, "events", 0) + 1
        told = {"id": f"evt_{self.events}", "object": "event", "type": kind, "livemode": False, "created": 1}
        return json.dumps(told | {"data": {"object": about | changed}}).encode()

    def signed(self, body: bytes, at: float | None = None, secret: str | None = None) -> str:
        """Return the header's value."""
        stamp = int(at or time.time())
        content = f"{stamp}.".encode() + body
        return f"t={stamp},v1={hmac.new((secret or self.secret).encode(), content, hashlib.sha256).hexdigest()}"


def _is_within(row: dict[str, Any], query: dict[str, str]) -> bool:
    if "created[gte]" not in query:
        return True
    return int(query["created[gte]"]) <= int(row["created"]) < int(query["created[lt]"])
