"""Ways to a provider: a code to scan, a phone's browser, inside the app. One order is paid once by whichever."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from billing import operations, providers
from billing.models import ClosedCheckout, Order, Payment
from billing.providers import Buyer, Way
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop, test_alipay, test_wechatpay
from tests.billing.doubles import keys
from tests.billing.doubles.wechatpay import APPID
from tests.billing.rails import Rail, rail_on
from tests.billing.shop import ordered, payment_of
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("_fresh_cache")
PHONE, APP = Buyer(Way.MOBILE, ip="203.0.113.7"), Buyer(Way.APP, openid="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")


@pytest.fixture
def wechat(in_school: Tenant) -> Iterator[Rail]:
    with rail_on("wechatpay", is_checkout=True) as made:
        yield made


@pytest.fixture
def order(viewer: Member, course: Item) -> Order:
    return ordered(viewer, course)


def pay(order: Order, buyer: Buyer | None = None) -> Payment:
    return operations.pay(order=order, return_url="https://school.example/thanks?a=1", buyer=buyer, at=NOON)


def told(rail: Rail, payment: Payment) -> None:
    test_wechatpay.told(rail.double, rail.double.pay(payment.key.removeprefix("pay_")))


def test_a_phones_browser_is_sent_to_wechat(wechat: Rail, order: Order) -> None:
    payment = pay(order, PHONE)

    (made,) = wechat.double.orders.values()
    assert made["scene_info"] == {"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}}
    assert payment.checkout_url.endswith("&redirect_url=https%3A%2F%2Fschool.example%2Fthanks%3Fa%3D1")
    told(wechat, payment)
    assert payment_of(order).state == Payment.State.CAPTURED
    assert shop.books_are_good()


def test_inside_wechat_the_page_hands_over_what_is_signed(wechat: Rail, order: Order) -> None:
    payment = pay(order, APP)

    (made,) = wechat.double.orders.values()
    handed = json.loads(payment.handed)
    content = "".join(f"{handed[name]}\n" for name in ("appId", "timeStamp", "nonceStr", "package"))
    keys.verify("merchant", content, b64decode(handed["paySign"]))
    assert (made["payer"], handed["appId"], handed["signType"]) == ({"openid": APP.openid}, APPID, "RSA")
    assert handed["package"] == f"prepay_id=wx{payment.key.removeprefix('pay_')}"
    assert (payment.checkout_url, payment.way) == ("", "app")
    assert pay(order, APP).handed == payment.handed, "Two clicks, one order."


def test_another_way_closes_the_one_before(wechat: Rail, order: Order) -> None:
    code = pay(order)
    assert code.way == "qr"

    phone = pay(order, PHONE)

    assert phone.key != code.key
    assert [made["trade_state"] for made in wechat.double.orders.values()] == ["CLOSED", "NOTPAY"]
    assert list(ClosedCheckout.objects.values_list("key", flat=True)) == [code.key]
    assert pay(order).key == phone.key, "Who names no way stays on the one there is."
    told(wechat, phone)
    assert payment_of(order).state == Payment.State.CAPTURED


def test_what_was_paid_by_one_way_is_not_asked_for_by_another(wechat: Rail, order: Order) -> None:
    wechat.double.pay(pay(order).key.removeprefix("pay_"))  # and the message gets lost

    assert pay(order, PHONE).state == Payment.State.CAPTURED
    assert len(wechat.double.orders) == 1


@pytest.mark.parametrize("buyer", [Buyer(Way.PAGE), Buyer(Way.APP)])
def test_a_way_that_is_not_there_is_refused(wechat: Rail, order: Order, buyer: Buyer) -> None:
    for _ in range(2):  # before there is a checkout, and after
        with pytest.raises(providers.BadWay):
            pay(order, buyer)
        pay(order)

    assert len(wechat.double.orders) == 1


def test_by_alipay_each_way_leads_to_the_same_trade(in_school: Tenant, viewer: Member, course: Item) -> None:
    with rail_on("alipay", is_checkout=True) as rail:
        order = ordered(viewer, course)
        page, phone, code = pay(order), pay(order, PHONE), pay(order, Buyer(Way.QR))
        assert [made.way for made in (page, phone, code)] == ["page", "mobile", "qr"]
        assert len({made.key for made in (page, phone, code)}) == 1
        assert len({made.checkout_url for made in (page, phone, code)}) == 3

        rail.double.visit(page.checkout_url, pays=False)
        test_alipay.told(rail.double, rail.double.visit(code.checkout_url))

        assert payment_of(order).state == Payment.State.CAPTURED
        assert list(rail.double.trades) == [page.key], "Whichever page is opened, it is this trade."


def test_the_buyer_names_the_way_over_http(wechat: Rail, order: Order) -> None:
    client, address = make.client(order.viewer), f"/api/v1/orders/{order.pk}/pay/"

    def ask(**said: Any) -> Any:
        return client.post(address, said)

    made = ask(way="mobile").json()
    assert (made["way"], made["handed"]) == ("mobile", "")
    (at_wechat,) = wechat.double.orders.values()
    assert at_wechat["scene_info"]["payer_client_ip"] == "127.0.0.1"
    assert ask(way="app").json()["code"] == "bad_way"
    assert ask(way="app", openid="not an openid").status_code == 400
    assert json.loads(ask(way="app", openid="o1").json()["handed"])["appId"] == APPID


def test_a_provider_with_one_way_takes_no_other(in_school: Tenant, order: Order) -> None:
    with pytest.raises(providers.BadWay):
        pay(order, Buyer(Way.QR))


def test_an_address_for_a_phone_is_good_for_minutes(wechat: Rail, order: Order) -> None:
    first = pay(order, PHONE)
    soon = operations.pay(order=order, buyer=PHONE, at=NOON + timedelta(minutes=3))
    assert (soon.key, soon.checkout_url) == (first.key, first.checkout_url)

    assert operations.pay(order=order, at=NOON + timedelta(minutes=5)).key == first.key, "They may be paying there."
    later = operations.pay(order=order, buyer=PHONE, at=NOON + timedelta(minutes=5))

    assert later.key != first.key
    assert [made["trade_state"] for made in wechat.double.orders.values()] == ["CLOSED", "NOTPAY"]
    told(wechat, later)
    assert payment_of(order).state == Payment.State.CAPTURED


@pytest.mark.parametrize("buyer", [Buyer(Way.QR), None])
def test_a_code_of_alipay_that_is_no_longer_good_is_made_anew_for_the_same_trade(
    in_school: Tenant, order: Order, buyer: Buyer | None
) -> None:
    with rail_on("alipay") as rail:
        Payment.objects.update(provider="alipay")
        first = pay(order, Buyer(Way.QR))
        at = NOON + timedelta(hours=3)

        later = operations.pay(order=order, buyer=buyer, at=at)

        assert (later.key, later.way, later.opened_at) == (first.key, "qr", at)
        assert len(rail.double.requests) == 3, "Made, asked about, made again."
        test_alipay.told(rail.double, rail.double.visit(later.checkout_url))
    assert payment_of(order).state == Payment.State.CAPTURED


def test_what_wechat_does_not_know_any_more_is_opened_anew(wechat: Rail, order: Order) -> None:
    first = pay(order)
    wechat.double.orders.clear()

    assert operations.pay(order=order, at=NOON + timedelta(hours=3)).key != first.key


def test_what_is_not_paid_yet_is_asked_about_again(wechat: Rail, order: Order) -> None:
    payment = pay(order)

    operations.resolve_payment(payment=payment, at=NOON + timedelta(minutes=1))

    assert (payment_of(order).state, shop.jobs("resolve_payment")) == (Payment.State.OPEN, 2)
