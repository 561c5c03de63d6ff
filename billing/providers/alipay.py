"""Alipay: page payments, queries, refunds and signed messages, by the package `python-alipay-sdk`.

Numbers that we give are the idempotency keys: a trade or a refund asked for again under its number is the same one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qsl

from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from alipay.utils import AliPayConfig
from django.conf import settings

from billing.money import Money
from billing.providers.messages import fit, is_fit
from billing.providers.protocol import (
    BadSignature,
    Checkout,
    Garbled,
    Message,
    Paid,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
    StaleMessage,
)

TIMEOUT_S = 10.0
BEIJING = timezone(timedelta(hours=8))
STAMP = "%Y-%m-%d %H:%M:%S"
# Alipay repeats a message for 25 hours, and does not say whether its time is the first sending's.
LATEST, AHEAD = timedelta(hours=25), timedelta(minutes=5)
AMOUNT = re.compile(r"(\d{1,12})\.(\d{2})")
DONE, UNCLEAR = "10000", ("20000", "ACQ.SYSTEM_ERROR", "aop.", "isp.")
PAID = {"TRADE_SUCCESS", "TRADE_FINISHED"}
# What a trade's state means; a message with a refund in it says nothing new, for refunds are answered at once.
KINDS = {"TRADE_CLOSED": "payment.declined", "WAIT_BUYER_PAY": "noted"} | dict.fromkeys(PAID, "payment.captured")


@dataclass(frozen=True)
class Alipay:
    """Alipay, in a tenant's own application there."""

    account: str
    appid: str
    seller_id: str
    alipay_public_key: str
    private_key: str = field(repr=False)

    def __post_init__(self) -> None:
        self._client()  # raises ValueError for a key that cannot be read

    def create_checkout(self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str) -> Checkout:
        asked = {"subject": f"Order {order}", "out_trade_no": key, "total_amount": _written(amount)}
        asked |= {"product_code": "FAST_INSTANT_TRADE_PAY", "passback_params": order}
        query = self._client().client_api(
            "alipay.trade.page.pay", asked, notify_url=webhook_url, return_url=return_url or None, **_now()
        )
        url = f"{settings.ALIPAY_URL}?{query}"
        return Checkout(reference="", url=url, order=order, amount=amount, is_paid=False)

    def query(self, *, key: str, reference: str, order: str) -> Checkout | None:
        try:
            found = self._said("alipay.trade.query", out_trade_no=key)
        except ProviderRefused:
            return None
        if found["out_trade_no"] != key:
            raise ProviderUnavailable("Alipay answers about another trade.")
        return Checkout(
            reference=found["trade_no"],
            url="",
            order=order,  # which is not told here; the number is ours
            amount=_read(found["total_amount"]),
            is_paid=found["trade_status"] in PAID,
        )

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        about = {"out_trade_no": paid.key, "out_request_no": key}
        done = self._said("alipay.trade.refund", refund_amount=_written(amount), **about)
        if done.get("fund_change") == "Y":
            return SentRefund(reference=key)
        # Done before, perhaps, by a request whose answer was lost.
        found = self._said("alipay.trade.fastpay.refund.query", **about)
        is_done = found.get("refund_status") == "REFUND_SUCCESS" and found["refund_amount"] == _written(amount)
        return SentRefund(reference=key, is_done=is_done)

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
        try:
            said = _fields(body)
            signature = said.pop("sign")
            is_good = said["sign_type"] == "RSA2" and self._client().verify(dict(said), signature)
            sent_at = datetime.strptime(said["notify_time"], STAMP).replace(tzinfo=BEIJING).astimezone(UTC)
            known = said["notify_id"]
        except (ValueError, KeyError, TypeError) as error:
            raise BadSignature("The message is not signed as it must be.") from error
        if not is_good:
            raise BadSignature("The signature is not Alipay's.")
        if not at - LATEST <= sent_at <= at + AHEAD:
            raise StaleMessage("The message was not sent within the last 25 hours.")
        if not known or not is_fit(known):
            raise BadSignature("The message has no number.")
        return known

    def read(self, body: bytes) -> Message:
        try:
            said = _fields(body)
            is_ours = (said["app_id"], said["seller_id"]) == (self.appid, self.seller_id)
            kind = "noted" if "refund_fee" in said else KINDS.get(said["trade_status"], "")
            message = Message(
                id=said["notify_id"],
                kind=kind,
                account=self.account if is_ours else f"{said['app_id']} {said['seller_id']}",
                key=said["out_trade_no"],
                reference=said["trade_no"],
                order=said["passback_params"],
                amount=_read(said["total_amount"]),
                reason=said["trade_status"],
            )
        except (ValueError, KeyError) as error:
            raise Garbled("garbled") from error
        return fit(message)

    def _said(self, method: str, **asked: str) -> Any:
        """Ask Alipay, and return what it says, if it is signed by it."""
        try:
            said = self._client().server_api(method, asked, **_now())
        except (OSError, HTTPException, ValueError, TypeError, AliPayException, AliPayValidationError) as error:
            raise ProviderUnavailable("Alipay does not answer. Please try again.") from error
        if said["code"] == DONE:
            return said
        why = said.get("sub_code", said["code"])
        if said["code"] == "40004" and not why.startswith(UNCLEAR):
            raise ProviderRefused(f"Alipay refuses: {why}.")
        raise ProviderUnavailable("Alipay cannot say what happened. Please try again.")

    def _client(self) -> Any:
        client = AliPay(
            appid=self.appid,
            app_private_key_string=self.private_key,
            alipay_public_key_string=self.alipay_public_key,
            sign_type="RSA2",
            config=AliPayConfig(timeout=TIMEOUT_S),
        )
        client._gateway = settings.ALIPAY_URL  # noqa: SLF001  the package knows two addresses only
        return client


def _now() -> dict[str, str]:
    """Return the time as Alipay wants it; the package would say the machine's."""
    return {"timestamp": datetime.now(BEIJING).strftime(STAMP)}


def _fields(body: bytes) -> dict[str, str]:
    pairs = parse_qsl(body.decode(), keep_blank_values=False, strict_parsing=True)
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field came twice")
    return dict(pairs)


def _written(money: Money) -> str:
    if money.currency != "CNY":
        raise ProviderRefused(f"Alipay takes CNY, not {money.currency}.")
    return f"{money.minor // 100}.{money.minor % 100:02d}"


def _read(amount: str) -> Money:
    """Return an amount that was written with two decimals. Raises ValueError for anything else."""
    form = AMOUNT.fullmatch(amount)
    if form is None:
        raise ValueError(amount)
    return Money(int(form[1]) * 100 + int(form[2]), "CNY")
