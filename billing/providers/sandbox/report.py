"""What the sandbox reports of a span of time: captures and refunds with its fee, payouts, and what may be wrong."""

from datetime import datetime
from typing import Any

from billing.providers.sandbox.book import Row
from billing.providers.sandbox.faults import Kind

FEE_BPS = 60
KINDS = {
    "payment.captured": "payment",
    "charge.captured": "payment",
    "refund.succeeded": "refund",
    "payout.paid": "payout",
    "dispute.funds_withdrawn": "dispute",
    "dispute.funds_reinstated": "reinstated",
    "split.paid": "split",
    "split.returned": "split_back",
}


def rows(events: list[Row], *, account: str, since: str, until: str) -> list[Row]:
    """Return the report's rows, oldest first. Raises ValueError for what is no moment."""
    start, end = datetime.fromisoformat(since), datetime.fromisoformat(until)
    return [
        _row(event)
        for event in events
        if event["account"] == account
        and event["type"] in KINDS
        and start <= datetime.fromisoformat(event["created"]) < end
    ]


def _row(event: Row) -> Row:
    about = event["data"]
    names: dict[str, Any] = {"kind": KINDS[event["type"]], "reference": about["id"], "key": about["key"]}
    # Of a payment and of what is given back of it the fee is a share.
    own = dict.fromkeys(("payout", "split", "split_back"), 0)
    own |= {"dispute": about.get("fee"), "reinstated": about.get("fee_back")}
    known = own.get(names["kind"])
    fee = known if known is not None else (about["amount"] * FEE_BPS + 5_000) // 10_000
    return names | {"amount": about["amount"], "fee": fee, "currency": about["currency"], "at": event["created"]}


def spoilt(told: list[Row], fault: Kind) -> list[Row]:
    """Let the first row be wrong, missing, or there once more under another name."""
    first, *others = told
    if fault is Kind.WRONG_FEE:
        return [first | {"fee": first["fee"] + 7}, *others]
    if fault is Kind.WRONG_AMOUNT:
        return [first | {"amount": first["amount"] + 7}, *others]
    if fault is Kind.MISSING_ROW:
        return others
    if fault is Kind.TWICE_ROW:
        return [first, *told]
    return [first | {"reference": "co_extra", "key": "pay_extra"}, *told] if fault is Kind.EXTRA_ROW else told
