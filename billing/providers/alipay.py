"""Alipay: page payments, queries, refunds and signed messages, by the package `python-alipay-sdk`.

Numbers that we give are the idempotency keys: a trade or a refund asked for again under its number is the same one.
An application is known by a public key, or by certificates; Alipay moves money to people for the latter only.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.client import HTTPException
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import OpenSSL.crypto
from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from alipay.utils import AliPayConfig
from django.conf import settings

from billing.money import Money
from billing.providers.messages import fit, is_fit
from billing.providers.protocol import (
    BadSignature,
    Buyer,
    Checkout,
    Garbled,
    Message,
    Paid,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
    StaleMessage,
    Way,
)
from billing.providers.rails import Outcome

TIMEOUT_S = 10.0
BEIJING = timezone(timedelta(hours=8))
STAMP = "%Y-%m-%d %H:%M:%S"
# Alipay repeats a message for 25 hours, and does not say whether its time is the first sending's.
LATEST, AHEAD = timedelta(hours=25), timedelta(minutes=5)
AMOUNT = re.compile(r"(\d{1,12})\.(\d{2})")
DONE = "10000"
# Answered as a failure of the request, and none: Alipay is at it, or says to ask again under the same number.
AT_IT = ("ACQ.SYSTEM_ERROR", "SYSTEM_ERROR", "REQUEST_PROCESSING", "RESOURCE_LIMIT_EXCEED")
UNCLEAR = ("20000", *AT_IT, "aop.", "isp.")
PAID = {"TRADE_SUCCESS", "TRADE_FINISHED"}
# What a trade's state means; a message with a refund in it says nothing new, for refunds are answered at once.
KINDS = {"TRADE_CLOSED": "payment.declined", "WAIT_BUYER_PAY": "noted"} | dict.fromkeys(PAID, "payment.captured")
# What a transfer's state means; any other one: it is on its way.
TRANSFERRED = {"SUCCESS": Outcome.PAID, "FAIL": Outcome.FAILED, "CLOSED": Outcome.FAILED, "REFUND": Outcome.RETURNED}
TRANSFER_KINDS = {
    "SUCCESS": "payout.paid",
    "FAIL": "payout.failed",
    "CLOSED": "payout.failed",
    "REFUND": "payout.reversed",
}
TRANSFER_CHANGED = "alipay.fund.trans.order.changed"
PAGES = {
    Way.PAGE: ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
    Way.MOBILE: ("alipay.trade.wap.pay", "QUICK_WAP_WAY"),
}
CERTIFICATES = ("app_public_key_cert", "alipay_public_key_cert", "alipay_root_cert")


@dataclass(frozen=True)
class Alipay:
    """Alipay, in a tenant's own application there."""

    account: str
    appid: str
    seller_id: str
    private_key: str = field(repr=False)
    alipay_public_key: str = ""
    app_public_key_cert: str = ""
    alipay_public_key_cert: str = ""
    alipay_root_cert: str = ""

    def __post_init__(self) -> None:
        given = [bool(getattr(self, name)) for name in CERTIFICATES]
        if any(given) != all(given) or not (any(given) or self.alipay_public_key):
            raise ValueError("Alipay's public key is needed, or all three certificates.")
        try:
            self.client()
        except OpenSSL.crypto.Error as error:
            raise ValueError("A certificate cannot be read.") from error

    @property
    def has_certificates(self) -> bool:
        return bool(self.app_public_key_cert)

    ways: ClassVar[tuple[Way, ...]] = (Way.PAGE, Way.MOBILE, Way.QR)
    is_one_trade: ClassVar[bool] = True

    def create_checkout(
        self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str, buyer: Buyer | None = None
    ) -> Checkout:
        way = buyer.way if buyer else Way.PAGE
        asked = {"subject": f"Order {order}", "out_trade_no": key, "total_amount": written(amount)}
        asked["passback_params"] = order
        if way == Way.QR:
            url = self.said("alipay.trade.precreate", notify_url=webhook_url, **asked)["qr_code"]
        else:
            method, product = PAGES[way]
            query = self.client().client_api(
                method,
                asked | {"product_code": product},
                notify_url=webhook_url,
                return_url=return_url or None,
                **_now(),
            )
            url = f"{settings.ALIPAY_URL}?{query}"
        return Checkout(reference="", url=url, order=order, amount=amount, is_paid=False, way=way.value)

    def query(self, *, key: str, reference: str, order: str) -> Checkout | None:
        try:
            found = self.said("alipay.trade.query", out_trade_no=key)
        except ProviderRefused:
            return None
        if found["out_trade_no"] != key:
            raise ProviderUnavailable("Alipay answers about another trade.")
        return Checkout(
            reference=found["trade_no"],
            url="",
            order=order,  # which is not told here; the number is ours
            amount=read_amount(found["total_amount"]),
            is_paid=found["trade_status"] in PAID,
            is_closed=found["trade_status"] == "TRADE_CLOSED",
        )

    def lasts(self, way: str) -> timedelta:
        return timedelta(hours=2)  # a code's; a page is opened anew then as well, it is the same trade

    def close(self, *, key: str, reference: str, order: str) -> Checkout | None:
        # Nobody closes it here: of a page that was never opened Alipay knows nothing, and it can be opened later.
        return self.query(key=key, reference=reference, order=order)

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        about = {"out_trade_no": paid.key, "out_request_no": key}
        done = self.said("alipay.trade.refund", refund_amount=written(amount), **about)
        if done.get("fund_change") == "Y":
            return SentRefund(reference=key)
        # Done before, perhaps, by a request whose answer was lost.
        found = self.said("alipay.trade.fastpay.refund.query", **about)
        is_done = found.get("refund_status") == "REFUND_SUCCESS" and found["refund_amount"] == written(amount)
        return SentRefund(reference=key, is_done=is_done)

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
        try:
            said = _fields(body)
            signature = said.pop("sign")
            is_good = said["sign_type"] == "RSA2" and self.client().verify(dict(said), signature)
            sent_at = _sent_at(said)
            known = said["notify_id"]
        except (ValueError, KeyError, TypeError, OverflowError) as error:
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
            if said.get("msg_method") == TRANSFER_CHANGED:
                return fit(self._transfer(said))
            is_ours = (said["app_id"], said["seller_id"]) == (self.appid, self.seller_id)
            kind = "noted" if "refund_fee" in said else KINDS.get(said["trade_status"], "")
            message = Message(
                id=said["notify_id"],
                kind=kind,
                account=self.account if is_ours else f"{said['app_id']} {said['seller_id']}",
                key=said["out_trade_no"],
                reference=said["trade_no"],
                order=said["passback_params"],
                amount=read_amount(said["total_amount"]),
                reason=said["trade_status"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Garbled("garbled") from error
        return fit(message)

    def _transfer(self, said: Mapping[str, str]) -> Message:
        about = json.loads(said["biz_content"])
        return Message(
            id=said["notify_id"],
            kind=TRANSFER_KINDS.get(about["status"], "noted"),
            account=self.account if said["app_id"] == self.appid else said["app_id"],
            key=about["out_biz_no"],
            reference=about["order_id"],
            order="",
            amount=read_amount(about["trans_amount"]),
            reason=(about.get("fail_reason") or about["status"])[:100],
        )

    def said(self, method: str, *, notify_url: str = "", **asked: Any) -> Any:
        """Ask Alipay, and return what it says, if it is signed by it."""
        try:
            said = self.client().server_api(method, asked, notify_url=notify_url, **_now())
        except (OSError, HTTPException, ValueError, TypeError, AliPayException, AliPayValidationError) as error:
            raise ProviderUnavailable("Alipay does not answer. Please try again.") from error
        if said["code"] == DONE:
            return said
        why = said.get("sub_code", said["code"])
        if said["code"] == "40004" and not why.startswith(UNCLEAR):
            raise ProviderRefused(f"Alipay refuses: {why}.")
        raise ProviderUnavailable(f"Alipay cannot say what happened ({why}). Please try again.")

    def client(self) -> Any:
        named = {"appid": self.appid, "app_private_key_string": self.private_key, "sign_type": "RSA2"}
        if self.has_certificates:
            client = DCAliPay(**named, **{f"{name}_string": getattr(self, name) for name in CERTIFICATES})
        else:
            client = AliPay(**named, alipay_public_key_string=self.alipay_public_key)
        # The package knows two addresses only, and no timeout together with certificates.
        client._gateway, client._config = settings.ALIPAY_URL, AliPayConfig(timeout=TIMEOUT_S)  # noqa: SLF001
        return client


def _now() -> dict[str, str]:
    """Return the time as Alipay wants it; the package would say the machine's."""
    return {"timestamp": datetime.now(BEIJING).strftime(STAMP)}


def _sent_at(said: Mapping[str, str]) -> datetime:
    """Return when a message was sent; those about transfers count milliseconds."""
    if "notify_time" in said:
        return datetime.strptime(said["notify_time"], STAMP).replace(tzinfo=BEIJING).astimezone(UTC)
    return datetime.fromtimestamp(int(said["utc_timestamp"]) / 1000, UTC)


def _fields(body: bytes) -> dict[str, str]:
    pairs = parse_qsl(body.decode(), keep_blank_values=False, strict_parsing=True)
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field came twice")
    return dict(pairs)


def written(money: Money) -> str:
    if money.currency != "CNY":
        raise ProviderRefused(f"Alipay takes CNY, not {money.currency}.")
    return f"{money.minor // 100}.{money.minor % 100:02d}"


def read_amount(amount: str) -> Money:
    """Return an amount that was written with two decimals. Raises ValueError for anything else."""
    form = AMOUNT.fullmatch(amount)
    if form is None:
        raise ValueError(amount)
    return Money(int(form[1]) * 100 + int(form[2]), "CNY")
