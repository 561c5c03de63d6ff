"""Alipay's gateway over HTTP, as far as the driver speaks to it: RSA2 both ways, business codes in answers of 200."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from alipay import DCAliPay
from cryptography.exceptions import InvalidSignature

from tests.billing.doubles import bills, keys
from tests.billing.doubles.http import Double

APPID, SELLER = "2021000001", "2088000001"
BEIJING = timezone(timedelta(hours=8))
FAILED = {"code": "40004", "msg": "Business Failed"}
BILLS = "alipay.data.dataservice.bill.downloadurl.query"
NEEDED = {
    "alipay.trade.page.pay": {"subject", "out_trade_no", "total_amount", "product_code", "passback_params"},
    "alipay.trade.wap.pay": {"subject", "out_trade_no", "total_amount", "product_code", "passback_params"},
    "alipay.trade.precreate": {"subject", "out_trade_no", "total_amount", "passback_params"},
    "alipay.trade.query": {"out_trade_no"},
    "alipay.trade.refund": {"out_trade_no", "out_request_no", "refund_amount"},
    "alipay.trade.fastpay.refund.query": {"out_trade_no", "out_request_no"},
    "alipay.fund.trans.uni.transfer": {
        "out_biz_no", "trans_amount", "product_code", "biz_scene", "order_title", "payee_info",
    },
    "alipay.fund.trans.common.query": {"out_biz_no", "product_code", "biz_scene"},
    BILLS: {"bill_type", "bill_date"},
}  # fmt: skip


@dataclass
class AlipayDouble(Double):
    """Alipay, with one application."""

    signs_as: str = "alipay"
    trades: dict[str, Any] = field(default_factory=dict)
    refunds: dict[str, Any] = field(default_factory=dict)
    transfers: dict[str, Any] = field(default_factory=dict)
    transfers_are: str = "SUCCESS"
    bills: dict[str, str] = field(default_factory=dict)
    codes: dict[str, Any] = field(default_factory=dict)
    told_so_far: int = 0

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        asked = dict(parse_qsl(urlsplit(path).query))
        if urlsplit(path).path == "/bill":
            return 200, bills.packed(self.bills[asked["type"]]), {"Content-Type": "application/zip"}
        verb = asked["method"]
        fault = self.fault(verb)
        said = {} if fault.isupper() else self._done(verb, asked)  # a code of theirs, and nothing is done
        if fault == "500_after":
            return 500, b"", {}
        if fault == "unclear":
            said = {"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "aop.unknow-error"}
        if fault.isupper():
            said = FAILED | {"sub_code": fault}
        content = json.dumps(said)
        signature = b64encode(keys.signed(self.signs_as, content)).decode()
        whole = f'{{"{verb.replace(".", "_")}_response":{content},"sign":{json.dumps(signature)}}}'
        return 200, whole.encode(), {"Content-Type": "application/json"}

    def _done(self, verb: str, asked: dict[str, str]) -> Any:
        if not self.is_signed(asked) or asked["app_id"] != APPID:
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature"}
        about = json.loads(asked["biz_content"])
        if about.keys() != NEEDED[verb]:
            return FAILED | {"sub_code": "ACQ.INVALID_PARAMETER"}
        if verb == "alipay.trade.precreate":
            self.codes[code := f"https://qr.alipay.com/{about['out_trade_no']}"] = about
            return {"code": "10000", "msg": "Success", "out_trade_no": about["out_trade_no"], "qr_code": code}
        return self._traded(verb, about) if verb.startswith("alipay.trade.") else self._other(verb, asked, about)

    def _other(self, verb: str, asked: dict[str, str], about: Any) -> Any:
        return self._bill(about["bill_type"]) if verb == BILLS else self._transfer(verb, asked, about)

    def _bill(self, kind: str) -> Any:
        if kind not in self.bills:
            return FAILED | {"sub_code": "isp.bill_not_exist"}
        return {"code": "10000", "msg": "Success", "bill_download_url": f"{self.address}/bill?type={kind}"}

    def _traded(self, verb: str, about: Any) -> Any:
        trade = self.trades.get(about["out_trade_no"])
        if trade is None:
            return FAILED | {"sub_code": "ACQ.TRADE_NOT_EXIST"}
        if verb == "alipay.trade.query":
            told = ("trade_no", "out_trade_no", "total_amount", "trade_status")
            return {"code": "10000", "msg": "Success", **{name: trade[name] for name in told}}
        return self._refund(about) if verb == "alipay.trade.refund" else self._refunded(about)

    def _transfer(self, verb: str, asked: dict[str, str], about: Any) -> Any:
        """Only an application that shows its certificates moves money to people."""
        serials = (
            DCAliPay.get_cert_sn(keys.certificate("application")),
            DCAliPay.get_root_cert_sn(keys.certificate("root")),
        )
        if (asked.get("app_cert_sn"), asked.get("alipay_root_cert_sn")) != serials:
            return {"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.missing-app-cert-sn"}
        if (about["product_code"], about["biz_scene"]) != ("TRANS_ACCOUNT_NO_PWD", "DIRECT_TRANSFER"):
            return FAILED | {"sub_code": "INVALID_PARAMETER"}
        number = about["out_biz_no"]
        if verb == "alipay.fund.trans.common.query":
            made = self.transfers.get(number)
            return {"code": "10000", "msg": "Success", **made} if made else FAILED | {"sub_code": "ORDER_NOT_EXIST"}
        if about["payee_info"]["identity"].startswith("nobody"):
            return FAILED | {"sub_code": "PAYEE_NOT_EXIST"}
        made = {"out_biz_no": number, "order_id": f"2026110{len(self.transfers)}", "status": self.transfers_are}
        made |= {"trans_amount": about["trans_amount"], "payee": about["payee_info"]}
        before = self.transfers.setdefault(number, made)
        if before["trans_amount"] != made["trans_amount"] or before["payee"] != made["payee"]:
            return FAILED | {"sub_code": "PAYMENT_INFO_INCONSISTENCY"}
        return {
            "code": "10000",
            "msg": "Success",
            **{name: before[name] for name in ("out_biz_no", "order_id", "status")},
        }

    def _refund(self, about: Any) -> Any:
        number, minor = about["out_request_no"], _minor(about["refund_amount"])
        if number in self.refunds:
            return {"code": "10000", "msg": "Success", "fund_change": "N"}
        if sum(self.refunds.values()) + minor > _minor(self.trades[about["out_trade_no"]]["total_amount"]):
            return FAILED | {"sub_code": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"}
        self.refunds[number] = minor
        return {"code": "10000", "msg": "Success", "fund_change": "Y"}

    def _refunded(self, about: Any) -> Any:
        minor = self.refunds[about["out_request_no"]]
        amount = f"{minor // 100}.{minor % 100:02d}"
        return {"code": "10000", "msg": "Success", "refund_status": "REFUND_SUCCESS", "refund_amount": amount}

    def is_signed(self, asked: dict[str, str]) -> bool:
        content = "&".join(f"{name}={asked[name]}" for name in sorted(asked.keys() - {"sign"}))
        try:
            keys.verify("application", content, b64decode(asked["sign"]))
        except InvalidSignature:
            return False
        return True

    def visit(self, url: str, *, pays: bool = True) -> dict[str, str]:
        """Let the buyer open the page and pay there; return the message that is then sent."""
        about = self.codes.get(url) or self._page(dict(parse_qsl(urlsplit(url).query)))
        assert self.trades.get(about["out_trade_no"], {}).get("trade_status") != "TRADE_SUCCESS", (
            "One trade, one payment."
        )
        trade = about | {"trade_no": f"2026{len(self.trades)}"}
        trade["trade_status"] = "TRADE_SUCCESS" if pays else "WAIT_BUYER_PAY"
        self.trades[about["out_trade_no"]] = trade
        return self.told(trade)

    def _page(self, asked: dict[str, str]) -> Any:
        about = json.loads(asked["biz_content"])
        assert self.is_signed(asked)
        assert about.keys() == NEEDED[asked["method"]]
        products = {"alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY", "alipay.trade.wap.pay": "QUICK_WAP_WAY"}
        assert about["product_code"] == products[asked["method"]]
        return about

    def told(self, trade: Any, **changed: str) -> dict[str, str]:
        """Return the fields of a message about a trade."""
        self.told_so_far += 1
        names = ("trade_no", "out_trade_no", "total_amount", "trade_status", "passback_params")
        said = {"app_id": APPID, "seller_id": SELLER, "notify_id": f"n{self.told_so_far}", "charset": "utf-8"}
        said |= {name: trade[name] for name in names}
        said["notify_time"] = f"{datetime.now(UTC).astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
        return said | changed

    def transfer_told(self, number: str, **changed: str) -> dict[str, str]:
        """Return the fields of a message about a transfer."""
        self.told_so_far += 1
        about = {
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
            **self.transfers[number],
        } | changed
        said = {"app_id": APPID, "notify_id": f"n{self.told_so_far}", "charset": "utf-8", "version": "1.1"}
        said |= {"msg_method": "alipay.fund.trans.order.changed", "biz_content": json.dumps(about)}
        return said | {"utc_timestamp": str(int(datetime.now(UTC).timestamp() * 1000))}

    def signed(self, said: dict[str, str]) -> bytes:
        """Return the message's body, signed."""
        content = "&".join(f"{name}={said[name]}" for name in sorted(said))
        signature = b64encode(keys.signed(self.signs_as, content)).decode()
        return urlencode(said | {"sign_type": "RSA2", "sign": signature}).encode()


def _minor(amount: str) -> int:
    whole, _, part = amount.partition(".")
    return int(whole) * 100 + int(part)
