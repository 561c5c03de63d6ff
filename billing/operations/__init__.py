"""What is done with money: price, order, pay, capture, refund, and work through what providers say."""

from billing.operations.events import apply_event, receive_event
from billing.operations.goods import AlreadyYours, NotForSale
from billing.operations.maturity import mature, release_reserves
from billing.operations.orders import MixedOrder, TooLittle, Wanted, order_all, place_order
from billing.operations.payments import AlreadyPaid, capture, decline, pay, resolve_payment
from billing.operations.prices import NoSuchPrice, set_price
from billing.operations.products import (
    BadContents,
    Filling,
    Withdrawn,
    WrongCurrency,
    make_product,
    must_sell,
    revise_product,
    withdraw_product,
)
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
    "BadContents",
    "Filling",
    "LedgerBroken",
    "MixedOrder",
    "MoreThanWasPaid",
    "NoSuchPrice",
    "NotForSale",
    "NotPaid",
    "NotYourOrder",
    "RefundWindowOver",
    "TooLittle",
    "Wanted",
    "Withdrawn",
    "WrongCurrency",
    "apply_event",
    "capture",
    "decline",
    "fail_refund",
    "make_product",
    "mature",
    "must_sell",
    "order_all",
    "pay",
    "place_order",
    "receive_event",
    "refund",
    "release_reserves",
    "resolve_payment",
    "revise_product",
    "send_refund",
    "set_price",
    "settle_refund",
    "verify_ledger",
    "withdraw_product",
]
