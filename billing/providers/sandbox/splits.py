"""How the sandbox divides a payment, once, and takes back what it gave."""

from http import HTTPStatus
from uuid import uuid4

from billing.providers.sandbox.book import Row
from billing.providers.sandbox.words import No, amount, event, public, text

MOST = 50
Changes = dict[str, list[Row]]


def divided(account: str, key: str, checkout: Row, before: list[Row], asked: Row) -> tuple[Row, Changes]:
    """Give each receiver their amount, but those whose account is closed. Raises No."""
    receivers = asked.get("receivers")
    if not isinstance(receivers, list) or len(receivers) > MOST:
        raise No(HTTPStatus.BAD_REQUEST, "bad_receivers")
    is_divided = any(row["checkout"] == checkout["id"] for row in before)
    if checkout["status"] != "captured" or is_divided:
        raise No(HTTPStatus.BAD_REQUEST, "cannot_be_divided")
    given = [_given(asked | receiver) for receiver in receivers]
    if sum(row["amount"] for row in given) > checkout["amount"] - checkout["refunded"]:
        raise No(HTTPStatus.BAD_REQUEST, "more_than_is_left")
    made = {"id": f"sp_{uuid4().hex}", "account": account, "key": key, "checkout": checkout["id"]}
    made |= {"currency": checkout["currency"], "receivers": given}
    # Who asked has the answer, so that no message is sent; the report tells of each receiver.
    told = [made | row | {"account": account} for row in given if row["status"] == "paid"]
    return public(made), {"splits": [made], "events": [_unsent("split.paid", row) for row in told]}


def taken_back(account: str, key: str, split: Row | None, before: list[Row], asked: Row) -> tuple[Row, Changes]:
    """Take an amount back from a receiver. Raises No."""
    back, name = amount(asked), text(asked, "account")
    given = next((row for row in (split["receivers"] if split else []) if row["account"] == name), None)
    if split is None or given is None or given["status"] != "paid":
        raise No(HTTPStatus.NOT_FOUND, "nothing_was_given")
    if asked.get("is_person"):
        raise No(HTTPStatus.BAD_REQUEST, "not_from_a_person")
    of_it = (row["amount"] for row in before if row["split"] == split["key"] and row["receiver"] == name)
    if sum(of_it) + back["amount"] > given["amount"]:
        raise No(HTTPStatus.BAD_REQUEST, "more_than_was_given")
    made = {"id": f"sr_{uuid4().hex}", "account": account, "key": key, "split": split["key"], "receiver": name}
    made |= {**back, "status": "paid"}
    return public(made), {"returns": [made], "events": [_unsent("split.returned", made)]}


def _unsent(kind: str, about: Row) -> Row:
    return event(kind, about, "") | {"delivered": True}


def _given(asked: Row) -> Row:
    name = text(asked, "account")
    is_closed = name.startswith("closed")
    told = {"status": "failed" if is_closed else "paid", "reason": "account_closed" if is_closed else ""}
    told["key"] = str(asked.get("key", ""))
    return {"account": name, "amount": amount(asked)["amount"], **told}
