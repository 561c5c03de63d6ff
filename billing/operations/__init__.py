"""What is done with money: price, order, pay, capture, refund, and work through what providers say."""

from billing.operations.events import apply_event, receive_event
from billing.operations.orders import AlreadyYours, NotForSale, place_order
from billing.operations.payments import AlreadyPaid, capture, decline, pay, resolve_payment
from billing.operations.prices import NoSuchPrice, set_price
from billing.operations.refunds import (
    MoreThanWasPaid,
    NotPaid,
    NotYourOrder,
    RefundWindowOver,
    fail_refund,
    refund,
    send_refund,
    settle_refund,
)
from billing.operations.verification import LedgerBroken, verify_ledger

__all__ = [
    "AlreadyPaid",
    "AlreadyYours",
    "LedgerBroken",
    "MoreThanWasPaid",
    "NoSuchPrice",
    "NotForSale",
    "NotPaid",
    "NotYourOrder",
    "RefundWindowOver",
    "apply_event",
    "capture",
    "decline",
    "fail_refund",
    "pay",
    "place_order",
    "receive_event",
    "refund",
    "resolve_payment",
    "send_refund",
    "set_price",
    "settle_refund",
    "verify_ledger",
]
