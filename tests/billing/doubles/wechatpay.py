"""WeChat Pay v3 over HTTP, as far as the driver speaks to it: signed both ways, messages encrypted for the merchant."""

import gzip
import hashlib
import json
import re
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.billing.doubles import keys
from tests.billing.doubles.http import Double

NATIVE, REFUNDS = "/v3/pay/transactions/native", "/v3/refund/domestic/refunds"
JSAPI, H5 = "/v3/pay/transactions/jsapi", "/v3/pay/transactions/h5"
TRANSFERS = "/v3/fund-app/mch-transfer/transfer-bills"
TRADES, FLOWS = "/v3/bill/tradebill", "/v3/bill/fundflowbill"
COMPLAINTS = "/v3/merchant-service/complaints-v2"
SHARING = "/v3/profitsharing"
APPID, MCHID, SERIAL, APIV3 = "wx1", "1900000001", "A1B2", "k" * 32
PUBLIC_ID = "PUB_KEY_ID_1"
NEEDED = {
    NATIVE: {"appid", "mchid", "description", "out_trade_no", "notify_url", "amount", "attach"},
    REFUNDS: {"out_trade_no", "out_refund_no", "amount", "notify_url"},
    TRANSFERS: {
        "out_bill_no", "transfer_scene_id", "openid", "transfer_amount", "transfer_remark", "user_name",
        "transfer_scene_report_infos", "appid", "notify_url",
    },
}  # fmt: skip
NEEDED |= {JSAPI: NEEDED[NATIVE] | {"payer"}, H5: NEEDED[NATIVE] | {"scene_info"}}
BILL = re.compile(r"[0-9A-Za-z]{6,32}")
NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")


@dataclass
class WechatDouble(Double):
    """WeChat Pay, with one merchant."""

    refunds_are: str = "PROCESSING"
    signs_as: str = "wechat"
    orders: dict[str, Any] = field(default_factory=dict)
    refunds: dict[str, Any] = field(default_factory=dict)
    transfers_are: str = "WAIT_USER_CONFIRM"
    transfers: dict[str, Any] = field(default_factory=dict)

    bills: dict[str, str] = field(default_factory=dict)
    is_spoilt: bool = False
    complaints: dict[str, Any] = field(default_factory=dict)
    results_are: str = "SUCCESS"
    ceiling: int = 3_000
    receivers: set[str] = field(default_factory=set)
    frozen: dict[str, int] = field(default_factory=dict)
    shared: dict[str, list[Any]] = field(default_factory=dict)
    returns: dict[str, int] = field(default_factory=dict)

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        if not self._is_signed(method, path, headers["Authorization"], body.decode()):
            return 401, b'{"code": "SIGN_ERROR"}', {"Content-Type": "application/json"}
        place = urlsplit(path).path
        if place == "/v3/billdownload/file":
            content = gzip.compress(self.bills[urlsplit(path).query.removeprefix("token=")].encode())
            return 200, content[: len(content) // (2 if self.is_spoilt else 1)], {"Content-Type": "text/plain"}
        fault = self.fault(place)
        place += "?OPERATION" if "account_type=OPERATION" in path else ""
        status, said = self._done(method, place, json.loads(body or b"{}"))
        if fault == "500_after":
            status, said = 500, {"code": "SYSTEM_ERROR"}
        content = b"" if said is None else json.dumps(said).encode()
        return status, content, {"Content-Type": "application/json", **self.signature(content)}

    def _is_signed(self, method: str, path: str, header: str, body: str) -> bool:
        said = dict(re.findall(r'(\w+)="([^"]+)"', header))
        content = f"{method}\n{path}\n{said['timestamp']}\n{said['nonce_str']}\n{body}\n"
        try:
            keys.verify("merchant", content, b64decode(said["signature"]))
        except InvalidSignature:
            return False
        return (said["mchid"], said["serial_no"]) == (MCHID, SERIAL)

    def _done(self, method: str, path: str, asked: Any) -> tuple[int, Any]:
        if path.endswith("/close"):
            return self._close(path.split("/")[-2], asked)
        if path.startswith((COMPLAINTS, SHARING)):
            return self._beside(method, path, asked)
        if method == "POST" and asked.keys() - {"settle_info"} != NEEDED[path]:
            return 400, {"code": "PARAM_ERROR"}
        doing = {REFUNDS: self._refund, TRANSFERS: self._transfer}
        if path in doing:
            return doing[path](asked)
        if path in {NATIVE, JSAPI, H5}:
            return self._order(path, asked)
        return self._bill(path) if path.startswith((TRADES, FLOWS)) else self._found(path)

    def _beside(self, method: str, path: str, asked: Any) -> tuple[int, Any]:
        if path.startswith(COMPLAINTS):
            return self._complaint(path.removeprefix(f"{COMPLAINTS}/"), asked)
        return self._sharing(method, path.removeprefix(f"{SHARING}/"), asked)

    def _close(self, number: str, asked: Any) -> tuple[int, Any]:
        if number not in self.orders:
            return 404, {"code": "ORDER_NOT_EXIST"}
        if asked != {"mchid": MCHID} or self.orders[number]["trade_state"] == "SUCCESS":
            return 400, {"code": "ORDER_PAID"}
        self.orders[number]["trade_state"] = "CLOSED"
        return 204, None

    def _found(self, path: str) -> tuple[int, Any]:
        number = path.rpartition("/")[2]
        if path.startswith(f"{TRANSFERS}/out-bill-no/"):
            bill = self.transfers.get(number)
            return (200, {**bill, "mch_id": MCHID}) if bill else (404, {"code": "NOT_FOUND"})
        order = self.orders.get(number)
        if order and order["trade_state"] in {"NOTPAY", "CLOSED"}:  # of what was not paid little is told
            return 200, {name: order[name] for name in ("appid", "mchid", "out_trade_no", "trade_state")}
        return (200, order) if order else (404, {"code": "ORDER_NOT_EXIST"})

    def _order(self, path: str, asked: Any) -> tuple[int, Any]:
        number = asked["out_trade_no"]
        if not NUMBER.fullmatch(number):
            return 400, {"code": "PARAM_ERROR"}
        made = {name: asked[name] for name in ("appid", "mchid", "out_trade_no", "attach", "amount")}
        made |= {name: asked[name] for name in ("payer", "scene_info", "settle_info") if name in asked}
        before = self.orders.setdefault(number, made | {"trade_state": "NOTPAY", "path": path})
        if before["amount"] != asked["amount"] or before["path"] != path or before["trade_state"] == "CLOSED":
            return 403, {"code": "OUT_TRADE_NO_USED"}
        urls = {NATIVE: {"code_url": f"weixin://wxpay/bizpayurl?pr={number}"}, JSAPI: {"prepay_id": f"wx{number}"}}
        return 200, urls.get(path) or {"h5_url": f"https://wx.tenpay.com/cgi-bin/checkmweb?prepay_id=wx{number}"}

    def _refund(self, asked: Any) -> tuple[int, Any]:
        order, number = self.orders.get(asked["out_trade_no"], {}), asked["out_refund_no"]
        if order.get("trade_state") != "SUCCESS" or asked["amount"]["total"] != order["amount"]["total"]:
            return 400, {"code": "INVALID_REQUEST"}
        others = [r for r in self.refunds.values() if r["out_refund_no"] != number]
        if sum(r["amount"]["refund"] for r in others) + asked["amount"]["refund"] > order["amount"]["total"]:
            return 403, {"code": "NOT_ENOUGH"}
        made = {name: asked[name] for name in ("out_trade_no", "out_refund_no", "amount")}
        made |= {"refund_id": f"50{len(self.refunds)}", "status": self.refunds_are}
        return 200, self.refunds.setdefault(number, made)

    def _bill(self, path: str) -> tuple[int, Any]:
        if path not in self.bills:
            return 400, {"code": "NO_STATEMENT_EXIST"}
        told = hashlib.sha1(self.bills[path].encode(), usedforsecurity=False).hexdigest()
        url = f"https://api.mch.weixin.qq.com/v3/billdownload/file?token={path}"
        return 200, {"hash_type": "SHA1", "hash_value": told, "download_url": url}

    def _transfer(self, asked: Any) -> tuple[int, Any]:
        number, name = asked["out_bill_no"], keys.opened("wechat", b64decode(asked["user_name"]))
        if not BILL.fullmatch(number) or len(asked["transfer_remark"]) > 32 or asked["appid"] != APPID:
            return 400, {"code": "PARAM_ERROR"}
        if not all(info.keys() == {"info_type", "info_content"} for info in asked["transfer_scene_report_infos"]):
            return 400, {"code": "PARAM_ERROR"}
        made = {"openid": asked["openid"], "transfer_amount": asked["transfer_amount"], "user_name": name}
        made |= {"out_bill_no": number, "transfer_bill_no": f"13{len(self.transfers)}", "state": self.transfers_are}
        before = self.transfers.setdefault(number, made)
        if any(before[word] != made[word] for word in ("openid", "transfer_amount", "user_name")):
            return 400, {"code": "ALREADY_EXISTS"}
        told = {word: before[word] for word in ("out_bill_no", "transfer_bill_no", "state")}
        return 200, told | ({"package_info": f"package of {number}"} if before["state"] == "WAIT_USER_CONFIRM" else {})

    def _sharing(self, method: str, path: str, asked: Any) -> tuple[int, Any]:
        if path == "receivers/add":
            if asked["account"] == "nobody" or not asked.get("name"):
                return 400, {"code": "USER_NOT_EXISTS"}
            self.receivers.add(asked["account"])
            return 200, {"account": asked["account"]}
        if path.startswith("return-orders"):
            return self._return(method, path.partition("/")[2], asked)
        if method == "GET":
            shared = self.shared.get(path.rpartition("/")[2])
            return (404, {"code": "RESOURCE_NOT_EXISTS"}) if shared is None else (200, self._shown(shared))
        return self._share(asked)

    def _share(self, asked: Any) -> tuple[int, Any]:
        """Give to receivers that are known, up to the ceiling, of an order that was marked; under one number once."""
        number = next((n for n, o in self.orders.items() if o.get("transaction_id") == asked["transaction_id"]), "")
        order, wanted = self.orders.get(number, {}), asked.get("receivers", [])
        if asked["out_order_no"] in self.shared:
            return 200, self._shown(self.shared[asked["out_order_no"]])
        if "settle_info" not in order or len(wanted) > 50:
            return 400, {"code": "NOT_SHARE_ORDER"}
        if sum(row["amount"] for row in wanted) > order["amount"]["total"] * self.ceiling // 10_000:
            return 403, {"code": "RULE_LIMIT"}
        if any(row["account"] not in self.receivers for row in wanted):
            return 400, {"code": "INVALID_REQUEST"}
        rows = [row | {"result": self.results_are, "detail_id": f"36{row['account']}"} for row in wanted]
        self.shared[asked["out_order_no"]] = rows
        self.frozen[number] = 0  # the rest is unfrozen with it
        return 200, self._shown(rows)

    def _shown(self, rows: list[Any]) -> Any:
        return {"order_id": "30", "receivers": rows, "state": "FINISHED"}

    def _return(self, method: str, number: str, asked: Any) -> tuple[int, Any]:
        if method == "GET" and number not in self.returns:
            return 404, {"code": "RESOURCE_NOT_EXISTS"}
        if method == "POST":
            number, shared = asked["out_return_no"], self.shared.get(asked["out_order_no"], [])
            given = sum(row["amount"] for row in shared if row["account"] == asked["return_mchid"])
            if sum(self.returns.values()) - self.returns.get(number, 0) + asked["amount"] > given:
                return 403, {"code": "NOT_ENOUGH"}
            self.returns[number] = asked["amount"]
        return 200, {"return_id": f"31{number}", "result": "SUCCESS", "amount": self.returns[number]}

    def finish(self, number: str, result: str) -> None:
        """Let what was pending end."""
        for row in self.shared[number]:
            row.update({"result": result} | ({"fail_reason": "ACCOUNT_ABNORMAL"} if result == "CLOSED" else {}))

    def _complaint(self, path: str, asked: Any) -> tuple[int, Any]:
        number, _, verb = path.partition("/")
        complaint = self.complaints.get(number)
        if complaint is None:
            return 404, {"code": "RESOURCE_NOT_EXISTS"}
        if verb == "negotiation-historys":
            return 200, {"data": complaint["history"], "total_count": len(complaint["history"])}
        if verb and (asked.get("complainted_mchid") != MCHID or len(asked.get("response_content", "")) > 200):
            return 400, {"code": "PARAM_ERROR"}
        if verb == "response":
            entry = {"operator": "商户", "operate_type": "MERCHANT_RESPONSE"}
            complaint["history"].insert(0, entry | {"operate_details": asked["response_content"]})
            complaint["complaint_state"] = "PROCESSING"
        elif verb == "complete":
            complaint["complaint_state"] = "PROCESSED"
        return (204, None) if verb else (200, {name: told for name, told in complaint.items() if name != "history"})

    def complain(self, number: str, *orders: Any) -> bytes:
        """Let a buyer complain about orders, and return the message about it."""
        about = [{name: order[name] for name in ("transaction_id", "out_trade_no")} for order in orders]
        for row, order in zip(about, orders, strict=True):
            row["amount"] = order["amount"]["total"]
        told = {"complaint_id": number, "complaint_state": "PENDING", "problem_type": "REFUND"}
        self.complaints[number] = told | {"complaint_order_info": about, "history": []}
        return self.told("COMPLAINT.CREATE", {"complaint_id": number, "action_type": "CREATE_COMPLAINT"})

    def pay(self, number: str) -> Any:
        """Let the buyer pay, and return the order."""
        assert self.orders[number]["trade_state"] == "NOTPAY", "Nobody pays what was closed."
        self.orders[number] |= {"trade_state": "SUCCESS", "transaction_id": f"42{number}"}
        if "settle_info" in self.orders[number]:
            self.frozen[number] = self.orders[number]["amount"]["total"]
        return self.orders[number]

    def told(self, kind: str, about: Any, *, encrypted_with: str = APIV3) -> bytes:
        """Return the body of a message."""
        nonce, content = uuid4().hex[:12], json.dumps(about).encode()
        sealed = AESGCM(encrypted_with.encode()).encrypt(nonce.encode(), content, b"transaction")
        resource = {"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "transaction"}
        resource["ciphertext"] = b64encode(sealed).decode()
        said = {"id": str(uuid4()), "event_type": kind, "resource_type": "encrypt-resource", "resource": resource}
        return json.dumps(said).encode()

    def signature(self, content: bytes, at: float | None = None) -> dict[str, str]:
        """Return the headers that sign it."""
        stamp, nonce = str(int(at or time.time())), uuid4().hex
        signed = keys.signed(self.signs_as, f"{stamp}\n{nonce}\n{content.decode()}\n")
        return {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": b64encode(signed).decode(),
            "Wechatpay-Serial": PUBLIC_ID,
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        }
