"""What is done with money: price, order, pay, capture, refund, and work through what providers say."""

from billing.operations.accounts import (
    AdminsOnly,
    BadCredential,
    MissingCredential,
    UnknownCredential,
    choose_checkout,
    connect_provider,
    reseal_credentials,
)
from billing.operations.coin_returns import NoCoins, return_coins
from billing.operations.coins import NoWholeCoins, offer_pack
from billing.operations.coupons import (
    BadCoupon,
    CodeTaken,
    CouponNotValid,
    CouponUnfit,
    CouponUsedUp,
    NoSuchCoupon,
    make_coupon,
    withdraw_coupon,
)
from billing.operations.events import apply_event, receive_event
from billing.operations.giving import (
    GiftGone,
    GiftKeyTaken,
    YourOwn,
    give_gift,
    make_gift,
    mature_gifts,
    take_back_gift,
    withdraw_gift,
)
from billing.operations.goods import AlreadyYours, NotForSale
from billing.operations.limits import EnoughForToday, NotForMinors
from billing.operations.maturity import mature, release_reserves
from billing.operations.orders import MixedOrder, TooLittle, order_all, place_order, quote
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
from billing.operations.said import Said
from billing.operations.verification import LedgerBroken, verify_ledger
from billing.operations.wanted import Quoted, Wanted

__all__ = [
    "AdminsOnly",
    "AlreadyPaid",
    "AlreadyYours",
    "BadContents",
    "BadCoupon",
    "BadCredential",
    "CodeTaken",
    "CouponNotValid",
    "CouponUnfit",
    "CouponUsedUp",
    "EnoughForToday",
    "Filling",
    "GiftGone",
    "GiftKeyTaken",
    "LedgerBroken",
    "MissingCredential",
    "MixedOrder",
    "MoreThanWasPaid",
    "NoCoins",
    "NoSuchCoupon",
    "NoSuchPrice",
    "NoWholeCoins",
    "NotForMinors",
    "NotForSale",
    "NotPaid",
    "NotYourOrder",
    "Quoted",
    "RefundWindowOver",
    "Said",
    "TooLittle",
    "UnknownCredential",
    "Wanted",
    "Withdrawn",
    "WrongCurrency",
    "YourOwn",
    "apply_event",
    "capture",
    "choose_checkout",
    "connect_provider",
    "decline",
    "fail_refund",
    "give_gift",
    "make_coupon",
    "make_gift",
    "make_product",
    "mature",
    "mature_gifts",
    "must_sell",
    "offer_pack",
    "order_all",
    "pay",
    "place_order",
    "quote",
    "receive_event",
    "refund",
    "release_reserves",
    "reseal_credentials",
    "resolve_payment",
    "return_coins",
    "revise_product",
    "send_refund",
    "set_price",
    "settle_refund",
    "take_back_gift",
    "verify_ledger",
    "withdraw_coupon",
    "withdraw_gift",
    "withdraw_product",
]
