"""What the sandbox does: checkouts, charges, refunds, and a message about each. It knows no HTTP."""

import hashlib
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

from billing.providers.sandbox import disputes, splits
from billing.providers.sandbox.book import Book, Row
from billing.providers.sandbox.words import Answer, No, amount, event, public, refusal, text

Made = tuple[Row, dict[str, list[Row]]]


class Bank:
    """All accounts of the sandbox. Everything happens under one lock, and is in the book before it is answered."""

    def __init__(self, path: Path) -> None:
        self.book, self.lock = Book(path), threading.RLock()
        self.told = threading.Event()  # there is something for the courier

    def write(
        self, *, account: str, path: str, asked: Row, key: str, fails_after: bool = False, declines: str = ""
    ) -> Answer:
        """Do what is asked, once per key: the same request again gets the saved answer, another one is refused.

        With `fails_after` it is done and answered with a 500, which is saved as well: the fault of a server that
        loses its head after the commit. With `declines` a charge is declined: "soft" for now, "hard" for good.
        """
        digest = hashlib.sha256(json.dumps([path, asked], sort_keys=True).encode()).hexdigest()
        with self.lock:
            if not key:
                return refusal(HTTPStatus.BAD_REQUEST, "idempotency_key_missing")
            if saved := self.book.tables["answers"].get(f"{account}:{key}"):
                if saved["digest"] != digest:
                    return refusal(HTTPStatus.BAD_REQUEST, "idempotency_key_reused")
                return saved["status"], saved["body"]
            try:
                done, changes = self._doing(path)(account, key, asked | {"declines": declines})
                status, body = (500, {"error": {"code": "lost_its_head"}}) if fails_after else (200, done)
            except No as no:
                (status, body), changes = refusal(no.status, no.code), {}
            answer = {"id": f"{account}:{key}", "digest": digest, "status": status, "body": body}
            self._put(changes | {"answers": [answer]})
            return status, body

    def find(self, *, account: str, table: str, key: str) -> list[Row]:
        """Return what was made under the key."""
        with self.lock:
            rows = self.book.tables[table].values()
            return [public(row) for row in rows if row["account"] == account and row["key"] == key]

    def get(self, reference: str) -> Row | None:
        """Return a checkout."""
        with self.lock:
            row = self.book.tables["checkouts"].get(reference)
            return dict(row) if row else None

    def press(self, reference: str, *, pays: bool) -> Row:
        """Let the buyer press Pay or Decline. What has been paid stays paid. Raises No."""
        with self.lock:
            checkout = self._checkout(reference)
            if checkout["status"] in {"captured", "authorised", "saved"}:
                return checkout
            if not pays:
                status, kind = "declined", "payment.declined"
            elif checkout.get("mode") == "setup":
                status, kind = "saved", "method.saved"
            elif checkout["capture"] == "manual":
                status, kind = "authorised", "payment.authorised"
            else:
                status, kind = "captured", "payment.captured"
            paid, methods = checkout | {"status": status}, []
            if pays and checkout.get("saves"):
                methods = [{"id": f"pm_{uuid4().hex}", "account": checkout["account"], "key": checkout["key"]}]
                methods[0] |= {"status": "good"}
                paid |= {"method": methods[0]["id"]}
            told = event(kind, paid, paid["webhook_url"])
            self._put({"checkouts": [paid], "methods": methods, "events": [told]})
            return paid

    def dispute(self, reference: str, account: str = "") -> Row | None:
        """Return a dispute."""
        with self.lock:
            row = self.book.tables["disputes"].get(reference)
            return public(row) if row and account in {"", row["account"]} else None

    def disputes_of(self, reference: str) -> list[Row]:
        """Return the disputes of a checkout, oldest first."""
        with self.lock:
            return [dict(row) for row in self.book.tables["disputes"].values() if row["checkout"] == reference]

    def press_dispute(self, reference: str, press: str, minor: int | None = None) -> Row:
        """Let the buyer, or the buyer's bank, press a button about a payment. Raises No."""
        with self.lock:
            table = "charges" if reference.startswith("ch_") else "checkouts"
            checkout, before = self._checkout(reference, table=table), self.disputes_of(reference)
            changes = disputes.pressed(press, checkout, before[-1] if before else None, minor)
            self._put(changes)
            return public(changes["disputes"][0])

    def events(self) -> list[Row]:
        """Return all messages, oldest first."""
        with self.lock:
            return list(self.book.tables["events"].values())

    def undelivered(self) -> list[Row]:
        """Return the messages that nobody has received, oldest first."""
        with self.lock:
            return [row for row in self.book.tables["events"].values() if not row["delivered"]]

    def delivered(self, row: Row) -> None:
        """Note that a message arrived."""
        with self.lock:
            self.book.put({"events": [row | {"delivered": True}]})

    def _put(self, changes: dict[str, list[Row]]) -> None:
        self.book.put(changes)
        if not all(row["delivered"] for row in changes.get("events", [])):
            self.told.set()

    def _doing(self, path: str) -> Callable[[str, str, Row], Made]:
        parts = path.strip("/").split("/")
        plain = {
            "checkouts": self._open,
            "charges": self._charge,
            "forgotten": self._forget,
            "refunds": self._refund,
            "splits": self._split,
            "returns": self._take_back,
            "payouts": _pay_out,
        }
        if parts[0] == "v1" and len(parts) == 2 and parts[1] in plain:
            return plain[parts[1]]
        if parts[:2] == ["v1", "disputes"] and len(parts) == 4:
            return lambda account, key, asked: self._answer(account, parts[2], parts[3], key, asked)
        if parts[:2] == ["v1", "checkouts"] and parts[3:] == ["capture"]:
            return lambda account, _key, _asked: self._capture(account, parts[2])
        raise No(HTTPStatus.NOT_FOUND, "no_such_path")

    def _open(self, account: str, key: str, asked: Row) -> Made:
        reference, mode = f"co_{uuid4().hex}", "setup" if asked.get("mode") == "setup" else "payment"
        checkout = {
            "id": reference,
            "account": account,
            "key": key,
            "order": text(asked, "order"),
            **amount(asked, least=0 if mode == "setup" else 1),
            "mode": mode,
            "saves": mode == "setup" or asked.get("saves") is True,
            "status": "open",
            "capture": "manual" if asked.get("capture") == "manual" else "automatic",
            "refunded": 0,
            "webhook_url": text(asked, "webhook_url"),
            "return_url": str(asked.get("return_url", "")),
        }
        return public(checkout), {"checkouts": [checkout]}

    def _capture(self, account: str, reference: str) -> Made:
        checkout = self._checkout(reference, account)
        if checkout["status"] != "authorised":
            raise No(HTTPStatus.CONFLICT, "not_authorised")
        paid = checkout | {"status": "captured"}
        return public(paid), {
            "checkouts": [paid],
            "events": [event("payment.captured", paid, paid["webhook_url"])],
        }

    def _charge(self, account: str, key: str, asked: Row) -> Made:
        """Charge a saved method. What was declined for good is declined again."""
        method = self._method(account, asked)
        if method["status"] == "forgotten":
            raise No(HTTPStatus.NOT_FOUND, "no_such_method")
        decline = "hard" if method["status"] == "refused" else asked["declines"]
        made = {"id": f"ch_{uuid4().hex}", "account": account, "key": key, "order": text(asked, "order")}
        made |= amount(asked) | {"method": method["id"], "refunded": 0, "decline": decline}
        made |= {"status": "declined" if decline else "captured", "webhook_url": text(asked, "webhook_url")}
        refused = [method | {"status": "refused"}] if decline == "hard" else []
        # Who asked has the answer, so that no message is sent; the report tells of it.
        told = [] if decline else [event("charge.captured", made, made["webhook_url"]) | {"delivered": True}]
        return public(made), {"charges": [made], "methods": refused, "events": told}

    def _forget(self, account: str, _key: str, asked: Row) -> Made:
        gone = self._method(account, asked) | {"status": "forgotten"}
        return public(gone), {"methods": [gone]}

    def _method(self, account: str, asked: Row) -> Row:
        method = self.book.tables["methods"].get(text(asked, "method"))
        if method is None or method["account"] != account:
            raise No(HTTPStatus.NOT_FOUND, "no_such_method")
        return method

    def _refund(self, account: str, key: str, asked: Row) -> Made:
        reference, back = text(asked, "checkout"), amount(asked)
        table = "charges" if reference.startswith("ch_") else "checkouts"
        checkout = self._checkout(reference, account, table)
        if checkout["status"] != "captured" or checkout["currency"] != back["currency"]:
            raise No(HTTPStatus.BAD_REQUEST, "not_captured")
        lost = sum(row["amount"] for row in self.disputes_of(reference) if row["withdrawn"] and not row["reinstated"])
        if checkout["refunded"] + lost + back["amount"] > checkout["amount"]:
            raise No(HTTPStatus.BAD_REQUEST, "refund_exceeds_payment")
        made = {"id": f"rf_{uuid4().hex}", "account": account, "key": key, "order": checkout["order"], **back}
        made |= {"checkout": checkout["id"], "status": "succeeded"}
        less = checkout | {"refunded": checkout["refunded"] + back["amount"]}
        told = event("refund.succeeded", made, checkout["webhook_url"])
        return public(made), {"refunds": [made], table: [less], "events": [told]}

    def _answer(self, account: str, reference: str, verb: str, key: str, asked: Row) -> Made:
        dispute = self.book.tables["disputes"].get(reference)
        ours = dispute if dispute and dispute["account"] == account else None
        answered, changes = disputes.written(verb, ours, key, asked)
        return public(answered), changes

    def _split(self, account: str, key: str, asked: Row) -> Made:
        reference = text(asked, "checkout")
        table = "charges" if reference.startswith("ch_") else "checkouts"
        before = list(self.book.tables["splits"].values())
        return splits.divided(account, key, self._checkout(reference, account, table), before, asked)

    def _take_back(self, account: str, key: str, asked: Row) -> Made:
        made = self.book.tables["splits"].values()
        split = next((row for row in made if (row["account"], row["key"]) == (account, asked.get("split"))), None)
        return splits.taken_back(account, key, split, list(self.book.tables["returns"].values()), asked)

    def _checkout(self, reference: str, account: str = "", table: str = "checkouts") -> Row:
        checkout = self.book.tables[table].get(reference)
        if checkout is None or account not in {"", checkout["account"]}:
            raise No(HTTPStatus.NOT_FOUND, "no_such_checkout")
        return checkout


def _pay_out(account: str, key: str, asked: Row) -> Made:
    made = {"id": f"po_{uuid4().hex}", "account": account, "key": key, "destination": text(asked, "destination")}
    made |= {**amount(asked), "status": "paid"}
    # Who asked has the answer, so that no message is sent; the report tells of it.
    return public(made), {"payouts": [made], "events": [event("payout.paid", made, "") | {"delivered": True}]}
