"""Providers that pay creators, each on its double. Call inside a scope."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.test import override_settings

from billing import operations
from billing.operations import paying
from billing.providers import Destination
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.doubles import alipay, keys, stripe, wechatpay
from tests.billing.doubles.http import Double, serving
from tests.billing.paying import LATER
from tests.conftest import NOON

TO = {
    "stripe": Destination(holder="张三", number="acct_1PqRsTuVwXyZ0123"),
    "wechatpay": Destination(holder="张三", number="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
    "alipay": Destination(holder="张三", number="zhangsan@example.com"),
}
PATHS = {
    "stripe": stripe.TRANSFERS,
    "wechatpay": wechatpay.TRANSFERS,
    "alipay": "alipay.fund.trans.uni.transfer",
}
REPORT = "岗位类型=创作者;报酬说明=课程分成"
CREDENTIALS: dict[str, Any] = {
    "stripe": {"public": {}, "secrets": {"api_key": "sk_test_double", "webhook_secret": "whsec_double"}},
    "wechatpay": {
        "public": {"appid": wechatpay.APPID, "mchid": wechatpay.MCHID, "cert_serial_no": wechatpay.SERIAL}
        | {"public_key_id": wechatpay.PUBLIC_ID, "transfer_scene_id": "1005", "transfer_report": REPORT},
        "secrets": {"apiv3_key": wechatpay.APIV3},
    },
    "alipay": {"public": {"appid": alipay.APPID, "seller_id": alipay.SELLER}, "secrets": {}},
}


@dataclass
class Rail:
    """A provider's name, its double, and what it has paid: the amounts in minor units."""

    name: str
    double: Any

    @property
    def paid(self) -> list[int]:
        made = self.double.transfers.values()
        if self.name == "alipay":
            return [int(row["trans_amount"].replace(".", "")) for row in made]
        return [row["amount" if self.name == "stripe" else "transfer_amount"] for row in made]

    def fail(self, kind: str, seconds: float = 0.0) -> None:
        self.double.fail(PATHS[self.name], kind, seconds)

    def accept(self) -> None:
        """Let the creator accept what waits for them, as WeChat wants it."""
        if self.name == "wechatpay":
            for row in self.double.transfers.values():
                row["state"] = "SUCCESS"


@contextmanager
def served(name: str) -> Iterator[Rail]:
    """Serve the provider's double where the settings say that it is."""
    doubles: dict[str, Double] = {
        "stripe": stripe.StripeDouble(),
        "wechatpay": wechatpay.WechatDouble(),
        "alipay": alipay.AlipayDouble(),
    }
    with serving(doubles[name]) as double, override_settings(**addresses(name, double.address)):
        yield Rail(name, double)


@contextmanager
def rail_on(name: str, *, is_checkout: bool = False) -> Iterator[Rail]:
    """The same, and the tenant has an account there; with `is_checkout`, it is paid there."""
    with served(name) as rail:
        admin = connect(name)
        if is_checkout:
            operations.choose_checkout(by=admin, provider=name, at=NOON)
        yield rail


def addresses(name: str, address: str) -> dict[str, str]:
    return {f"{name.upper()}_URL": f"{address}/gateway.do" if name == "alipay" else address}


def connect(name: str) -> Member:
    told = {kind: dict(fields) for kind, fields in CREDENTIALS[name].items()}
    if name == "wechatpay":
        told["public"]["public_key"] = keys.public_pem("wechat")
        told["secrets"]["private_key"] = keys.private_pem("merchant")
    if name == "alipay":
        told["secrets"]["private_key"] = keys.private_pem("application")
        certificates = {"app_public_key_cert": "application", "alipay_public_key_cert": "alipay"}
        certificates["alipay_root_cert"] = "root"
        told["public"] |= {field: keys.certificate(of) for field, of in certificates.items()}
    admin = make.member(Member.Role.ADMIN)
    operations.connect_provider(by=admin, provider=name, public=told["public"], secrets=told["secrets"], at=NOON)
    return admin


def paid_at(creator: Creator, rail: str, **changed: str) -> None:
    """Let the creator say that they are paid there."""
    to = Destination(**vars(TO[rail]) | changed)
    paying.set_payout_account(creator=creator, by=creator.member, currency="CNY", rail=rail, to=to, at=LATER)
