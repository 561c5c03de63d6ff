"""WeChat Pay v3 (Native): orders, refunds and encrypted messages, by the package `wechatpayv3`.

Numbers that we give are the idempotency keys: an order or a refund asked for again under its number is the same one.
The package lets a day-old message in, and reads certificates from the network for a serial number it does not know;
so time, nonce and serial number are checked here, before it sees the message.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, ClassVar
from urllib.parse import quote

from django.conf import settings
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.utils import aes_decrypt

from billing.money import Money
from billing.providers.messages import event_id, fit, is_fit
from billing.providers.protocol import (
    DISPUTED,
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
from billing.providers.replays import must_be_new

SIGNED = ("Signature", "Timestamp", "Nonce", "Serial", "Signature-Type")
HEADERS = tuple(f"Wechatpay-{name}" for name in SIGNED)
TOLERANCE = timedelta(minutes=5)
TIMEOUT_S = 10.0
ALGORITHM = "WECHATPAY2-SHA256-RSA2048"
# An order's number has at most 32 characters there; ours are this and 32 more.
PREFIX, PAYOUT_PREFIX = "pay_", "po_"
# Refused for good. A wrong key, a frequency limit or an error of theirs say nothing about the request.
FINAL, DONE = {400, 403, 404}, {200, 204}
UNCLEAR = {"SYSTEM_ERROR", "FREQUENCY_LIMITED", "SIGN_ERROR"}
CLOSED = {"CLOSED", "REVOKED"}
COMPLAINTS = "COMPLAINT."
KINDS = {
    ("TRANSACTION.SUCCESS", "SUCCESS"): "payment.captured",
    ("REFUND.SUCCESS", "SUCCESS"): "refund.succeeded",
    ("REFUND.CLOSED", "CLOSED"): "refund.failed",
    ("REFUND.ABNORMAL", "ABNORMAL"): "noted",  # staff decide at WeChat where the money goes
}
# What a transfer's state means; any other one: it is on its way, or waits until the creator accepts it.
TRANSFERRED = {"SUCCESS": Outcome.PAID, "FAIL": Outcome.FAILED, "CANCELLED": Outcome.FAILED}
TRANSFER_FINISHED = "MCHTRANSFER.BILL.FINISHED"


@dataclass(frozen=True)
class Wechat:
    """WeChat Pay, as a tenant's own merchant there."""

    account: str
    appid: str
    mchid: str
    cert_serial_no: str
    public_key_id: str
    public_key: str
    private_key: str = field(repr=False)
    apiv3_key: str = field(repr=False)
    transfer_scene_id: str = ""  # which of the merchant's scenes a payout belongs to; without one there are none
    transfer_report: str = ""  # what WeChat wants to know about the scene: "name=content;name=content"
    marks_orders: bool = False  # so that they can be divided; the money is frozen until they are

    def __post_init__(self) -> None:
        if len(self.apiv3_key.encode()) != 32:
            raise ValueError("An APIv3 key has 32 characters.")
        try:
            self.client()
        except Exception as error:  # the package raises nothing more precise
            raise ValueError("A key cannot be read.") from error

    ways: ClassVar[tuple[Way, ...]] = (Way.QR, Way.MOBILE, Way.APP)
    is_one_trade: ClassVar[bool] = False

    def create_checkout(
        self, *, key: str, order: str, amount: Money, webhook_url: str, return_url: str, buyer: Buyer | None = None
    ) -> Checkout:
        buyer = buyer or Buyer(Way.QR)
        asked: dict[str, Any] = {"description": f"Order {order}", "out_trade_no": _number(key), "attach": order}
        asked |= {"amount": amount_in("total", amount), "notify_url": webhook_url}
        asked |= {"settle_info": {"profit_sharing": True}} if self.marks_orders else {}
        url = handed = ""
        if buyer.way == Way.APP:
            made = self.said("pay", **asked, pay_type=WeChatPayType.JSAPI, payer={"openid": buyer.openid})
            handed = self._handed(made["prepay_id"])
        elif buyer.way == Way.MOBILE:
            scene = {"payer_client_ip": buyer.ip, "h5_info": {"type": "Wap"}}
            made = self.said("pay", **asked, pay_type=WeChatPayType.H5, scene_info=scene)
            url = made["h5_url"] + (f"&redirect_url={quote(return_url, safe='')}" if return_url else "")
        else:
            url = self.said("pay", **asked)["code_url"]
        way = buyer.way.value
        return Checkout("", url, order, amount, is_paid=False, way=way, handed=handed)

    def _handed(self, prepay_id: str) -> str:
        """Return what a page inside WeChat hands to its bridge, signed."""
        stamp, nonce, package = str(int(datetime.now(UTC).timestamp())), token_hex(16), f"prepay_id={prepay_id}"
        signed = self.client().sign([self.appid, stamp, nonce, package])
        told = {"appId": self.appid, "timeStamp": stamp, "nonceStr": nonce, "package": package}
        return json.dumps(told | {"signType": "RSA", "paySign": signed})

    def query(self, *, key: str, reference: str, order: str) -> Checkout | None:
        try:
            found = self.said("query", out_trade_no=_number(key))
        except ProviderRefused:
            return None
        return self._checkout(found)

    def lasts(self, way: str) -> timedelta:
        # An address for a phone's browser is good for five minutes: who comes for it gets one that lasts a while yet.
        return timedelta(minutes=4) if way == Way.MOBILE else timedelta(hours=2)

    def close(self, *, key: str, reference: str, order: str) -> Checkout | None:
        number = _number(key)
        with suppress(ProviderRefused):  # paid at this moment, perhaps, or closed before
            self.said("close", out_trade_no=number)
        try:
            return self._checkout(self.said("query", out_trade_no=number))
        except ProviderRefused:  # it knows nothing of it
            return Checkout("", "", order, Money(0, "CNY"), is_paid=False, is_closed=True)

    def _checkout(self, found: Mapping[str, Any]) -> Checkout:
        if (found["appid"], found["mchid"]) != (self.appid, self.mchid):
            raise ProviderUnavailable("WeChat Pay answers for another merchant.")
        # Of what was not paid it need not tell more than that.
        return Checkout(
            reference=found.get("transaction_id", ""),
            url="",
            order=found.get("attach", ""),
            amount=_money(found.get("amount") or {"total": 0}, "total"),
            is_paid=found["trade_state"] == "SUCCESS",
            is_closed=found["trade_state"] in CLOSED,
        )

    def refund(self, *, key: str, amount: Money, paid: Paid, webhook_url: str) -> SentRefund:
        counted = amount_in("refund", amount) | {"total": paid.amount.minor}
        made = self.said(
            "refund", out_refund_no=key, out_trade_no=_number(paid.key), amount=counted, notify_url=webhook_url
        )
        if made["status"] == "CLOSED":
            raise ProviderRefused("WeChat Pay has closed the refund.")
        return SentRefund(reference=made["refund_id"], is_done=made["status"] == "SUCCESS")

    def verify(self, *, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
        signed = {name: headers.get(name, "") for name in HEADERS}
        _, stamp, nonce, serial, kind = signed.values()
        if serial != self.public_key_id or kind != ALGORITHM or not is_fit(nonce) or not nonce:
            raise BadSignature("The message is not signed as it must be.")
        try:
            signed_at = datetime.fromtimestamp(int(stamp), UTC)
            is_good = self.client()._core._verify_signature(signed, body.decode())  # noqa: SLF001  no other way in
        except (ValueError, OverflowError, OSError) as error:
            raise BadSignature("The message is not signed as it must be.") from error
        if not is_good:
            raise BadSignature("The signature is not WeChat's.")
        if abs(at - signed_at) > TOLERANCE:
            raise StaleMessage("The message was not signed within the last five minutes.")
        must_be_new(f"wechatpay:{hashlib.sha256(nonce.encode()).hexdigest()}", within=TOLERANCE)
        return event_id(body)

    def read(self, body: bytes) -> Message:
        try:
            said = json.loads(body)
            about = json.loads(self._opened(said["resource"]))
            if said["event_type"] == TRANSFER_FINISHED:
                return fit(self._transfer(said["id"], about))
            if said["event_type"].startswith(COMPLAINTS):
                return fit(self._complained(said["id"], about))
            is_refund = said["event_type"].startswith("REFUND.")
            state = about["refund_status" if is_refund else "trade_state"]
            kind = KINDS.get((said["event_type"], state))
            is_ours = about["mchid"] == self.mchid and (is_refund or about["appid"] == self.appid)
            message = Message(
                id=said["id"],
                kind=kind or "",
                account=self.account if is_ours else f"merchant {about['mchid']}",
                key=about["out_refund_no"] if is_refund else PREFIX + about["out_trade_no"],
                reference=about["refund_id" if is_refund else "transaction_id"],
                order="" if is_refund else about["attach"],
                amount=_money(about["amount"], "refund" if is_refund else "total"),
                reason=state,
                paid_key=PREFIX + about["out_trade_no"] if is_refund else "",
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Garbled("garbled") from error
        return fit(message)

    def _transfer(self, number: str, about: Mapping[str, Any]) -> Message:
        outcome = TRANSFERRED.get(about["state"])
        return Message(
            id=number,
            kind=f"payout.{outcome}" if outcome else "",
            account=self.account if about["mch_id"] == self.mchid else f"merchant {about['mch_id']}",
            key=PAYOUT_PREFIX + about["out_bill_no"],
            reference=about["transfer_bill_no"],
            order="",
            amount=Money(about["transfer_amount"], "CNY"),
            reason=(about.get("fail_reason") or about["state"])[:100],
        )

    def _complained(self, number: str, about: Mapping[str, Any]) -> Message:
        """Return that there is news of a complaint: it names no merchant and no amount, so both are asked for."""
        nothing, reason = Money(0, "CNY"), about["action_type"]
        return Message(number, DISPUTED, self.account, "", about["complaint_id"], "", nothing, reason)

    def _opened(self, resource: Mapping[str, str]) -> str:
        """Return what was encrypted for this merchant. Raises ValueError when it was not."""
        if resource["algorithm"] != "AEAD_AES_256_GCM":
            raise ValueError(resource["algorithm"])
        opened = aes_decrypt(
            nonce=resource["nonce"],
            ciphertext=resource["ciphertext"],
            associated_data=resource.get("associated_data") or "",
            apiv3_key=self.apiv3_key,
        )
        if opened is None:
            raise ValueError("encrypted for somebody else")
        return str(opened)

    def said(self, verb: str, **asked: Any) -> Any:
        """Ask WeChat, and return what it says, if it is signed by it."""
        try:
            status, said = getattr(self.client(), verb)(**asked)
            answer = json.loads(said or "{}")
        except Exception as error:  # the network's, or the package's plain one for a bad signature
            raise ProviderUnavailable("WeChat Pay does not answer. Please try again.") from error
        if status in DONE:
            return answer
        code = answer.get("code", "")
        if status in FINAL and code not in UNCLEAR:
            raise ProviderRefused(f"WeChat Pay refuses: {code}.")
        raise ProviderUnavailable("WeChat Pay cannot say what happened. Please try again.")

    def client(self) -> Any:
        client = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=self.mchid,
            private_key=self.private_key,
            cert_serial_no=self.cert_serial_no,
            appid=self.appid,
            apiv3_key=self.apiv3_key,
            timeout=TIMEOUT_S,
            public_key=self.public_key,
            public_key_id=self.public_key_id,
        )
        client._core._gate_way = settings.WECHATPAY_URL  # noqa: SLF001  the package knows one address only
        return client


def _number(key: str) -> str:
    return key.removeprefix(PREFIX)


def amount_in(name: str, money: Money) -> dict[str, Any]:
    if money.currency != "CNY":
        raise ProviderRefused(f"WeChat Pay takes CNY, not {money.currency}.")
    return {name: money.minor, "currency": "CNY"}


def _money(amount: Mapping[str, Any], name: str) -> Money:
    return Money(amount[name], amount.get("currency", "CNY"))
