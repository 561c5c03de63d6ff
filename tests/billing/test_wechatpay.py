"""Paying through WeChat Pay, over HTTP: signatures both ways, encrypted messages, numbers instead of keys."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from billing import operations, providers
from billing.models import Payment, Refund, WebhookEvent
from billing.operations.refunds import send_refund
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.doubles import keys
from tests.billing.doubles.http import serving
from tests.billing.doubles.wechatpay import (
    APIV3,
    APPID,
    MCHID,
    NATIVE,
    PUBLIC_ID,
    REFUNDS,
    SERIAL,
    WechatDouble,
)
from tests.billing.shop import give_back, ordered, payment_of, work
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def wechat(in_school: Tenant, settings: Settings) -> Iterator[WechatDouble]:
    """WeChat Pay, where the school is paid."""
    with serving(WechatDouble()) as double:
        assert isinstance(double, WechatDouble)
        settings.WECHATPAY_URL = double.address
        connect()
        yield double


def connect(**secrets: str) -> None:
    admin = make.member(Member.Role.ADMIN)
    public = {"appid": APPID, "mchid": MCHID, "cert_serial_no": SERIAL, "public_key_id": PUBLIC_ID}
    public["public_key"] = keys.public_pem("wechat")
    kept = {"private_key": keys.private_pem("merchant"), "apiv3_key": APIV3} | secrets
    operations.connect_provider(by=admin, provider="wechatpay", public=public, secrets=kept, at=NOON)
    operations.choose_checkout(by=admin, provider="wechatpay", at=NOON)


def deliver(body: bytes, headers: dict[str, str]) -> Any:
    sent = {"host": "school.localhost", **headers}
    return APIClient().post("/api/v1/webhooks/wechatpay/", body, content_type="application/json", headers=sent)


def told(double: WechatDouble, about: Any, kind: str = "TRANSACTION.SUCCESS", **sealed: str) -> None:
    body = double.told(kind, about, **sealed)
    assert deliver(body, double.signature(body)).status_code == 200
    work()


def opened(viewer: Member, course: Item) -> tuple[Payment, str]:
    """Return a payment that the buyer can make, and its number at WeChat."""
    payment = operations.pay(order=ordered(viewer, course), at=NOON)
    return payment, payment.key.removeprefix("pay_")


def paid(double: WechatDouble, viewer: Member, course: Item) -> Payment:
    payment, number = opened(viewer, course)
    told(double, double.pay(number))
    return payment_of(payment.order)


def states() -> list[tuple[str, str]]:
    return list(WebhookEvent.objects.order_by("pk").values_list("state", "reason"))


def refund_told(double: WechatDouble, **changed: Any) -> Any:
    (made,) = double.refunds.values()
    return {**made, "mchid": MCHID, "refund_status": "SUCCESS"} | changed


def test_a_course_is_bought_and_given_back(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    payment = paid(wechat, viewer, course)
    assert payment.state == Payment.State.CAPTURED
    assert payment.checkout_url.startswith("weixin://wxpay/bizpayurl?pr=")
    refund = give_back(payment.order, 4_000)

    send_refund(refund=refund, at=NOON)
    assert Refund.objects.get().state == Refund.State.ASKED  # WeChat has agreed, the money is on its way

    told(wechat, refund_told(wechat), "REFUND.SUCCESS")
    assert Refund.objects.get().state == Refund.State.SENT
    assert states() == [("applied", ""), ("applied", "")]
    assert shop.books_are_good()


def test_a_refund_whose_message_was_lost_is_asked_about(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    refund = give_back(paid(wechat, viewer, course).order)
    wechat.fail(REFUNDS, "500_after")
    send_refund(refund=refund, at=NOON)
    assert Refund.objects.get().state == Refund.State.ASKED

    wechat.refunds[refund.key]["status"] = "SUCCESS"
    send_refund(refund=refund, at=NOON)

    assert (Refund.objects.get().state, len(wechat.refunds)) == ("sent", 1)


def test_a_refund_that_wechat_closes_is_taken_back(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    wechat.refunds_are = "CLOSED"

    send_refund(refund=give_back(paid(wechat, viewer, course).order), at=NOON)

    assert Refund.objects.get().state == Refund.State.FAILED
    assert shop.books_are_good()


def test_a_payment_whose_message_was_lost_is_asked_about(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    payment, number = opened(viewer, course)
    operations.resolve_payment(payment=payment, at=NOON)
    assert payment_of(payment.order).state == Payment.State.OPEN

    wechat.pay(number)
    operations.resolve_payment(payment=payment, at=NOON)

    assert payment_of(payment.order).state == Payment.State.CAPTURED


def test_an_order_whose_answer_was_lost_is_the_same_order(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    order = ordered(viewer, course)
    wechat.fail(NATIVE, "500_after")
    with pytest.raises(providers.ProviderUnavailable):
        operations.pay(order=order, at=NOON)

    assert operations.pay(order=order, at=NOON).state == Payment.State.OPEN
    assert len(wechat.orders) == 1


def test_an_answer_that_wechat_has_not_signed_is_no_answer(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    wechat.signs_as = "somebody"

    with pytest.raises(providers.ProviderUnavailable):
        operations.pay(order=ordered(viewer, course), at=NOON)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount": {"total": 9_999, "currency": "CNY"}}, "wrong_amount"),
        ({"amount": {"total": 10_000, "currency": "USD"}}, "wrong_currency"),
        ({"mchid": "1900000002"}, "wrong_account"),
        ({"appid": "wx2"}, "wrong_account"),
        ({"attach": "0"}, "wrong_order"),
        ({"out_trade_no": "0" * 32}, "unknown_payment"),
        ({"trade_state": "CLOSED"}, "unknown_kind"),
        ({"amount": {}}, "garbled"),
    ],
)
def test_what_is_signed_but_not_true_goes_into_quarantine(
    wechat: WechatDouble, viewer: Member, course: Item, changed: dict[str, Any], reason: str
) -> None:
    payment, number = opened(viewer, course)

    told(wechat, wechat.pay(number) | changed)

    assert states() == [("quarantined", reason)]
    assert payment_of(payment.order).state == Payment.State.OPEN


def test_a_refund_of_another_payment_goes_into_quarantine(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    send_refund(refund=give_back(paid(wechat, viewer, course).order), at=NOON)

    told(wechat, refund_told(wechat, out_trade_no="0" * 32), "REFUND.SUCCESS")

    assert states()[-1] == ("quarantined", "wrong_order")


def test_what_was_encrypted_for_somebody_else_goes_into_quarantine(
    wechat: WechatDouble, viewer: Member, course: Item
) -> None:
    told(wechat, wechat.pay(opened(viewer, course)[1]), encrypted_with="x" * 32)

    assert states() == [("quarantined", "garbled")]


def test_a_replayed_message_is_not_let_in(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    body = wechat.told("TRANSACTION.SUCCESS", wechat.pay(opened(viewer, course)[1]))
    headers = wechat.signature(body)
    assert deliver(body, headers).status_code == 200

    again = deliver(body, headers)

    assert (again.status_code, again.json()["code"]) == (400, "replayed_message")
    assert deliver(body, wechat.signature(body)).status_code == 200  # WeChat itself signs it anew
    assert WebhookEvent.objects.get().deliveries == 2


@pytest.mark.parametrize(("seconds", "code"), [(-86_400, "stale_message"), (360, "stale_message"), (-200, "")])
def test_a_message_is_let_in_for_five_minutes(wechat: WechatDouble, seconds: int, code: str) -> None:
    body = wechat.told("TRANSACTION.SUCCESS", {})

    answer = deliver(body, wechat.signature(body, at=time.time() + seconds))

    assert answer.json().get("code", "") == code


def test_a_forged_message_is_not_let_in_and_nobody_is_asked_for_certificates(wechat: WechatDouble) -> None:
    body = wechat.told("TRANSACTION.SUCCESS", {})
    good = wechat.signature(body)
    wechat.signs_as = "somebody"
    forged = [
        wechat.signature(body),
        good | {"Wechatpay-Serial": "1A2B3C"},
        good | {"Wechatpay-Timestamp": "soon"},
        good | {"Wechatpay-Nonce": ""},
        good | {"Wechatpay-Signature-Type": "none"},
        {},
    ]

    codes = {deliver(body, headers).json()["code"] for headers in forged}

    assert codes == {"bad_signature"}
    assert deliver(body + b" ", good).json()["code"] == "bad_signature"
    assert (wechat.requests, states()) == ([], [])


@pytest.mark.parametrize("secret", [{"apiv3_key": "short"}, {"private_key": "no key"}])
def test_keys_that_cannot_be_read_are_not_kept(in_school: Tenant, secret: dict[str, str]) -> None:
    with pytest.raises(operations.BadCredential):
        connect(**secret)
