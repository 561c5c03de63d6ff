"""Paying through Alipay, over HTTP: RSA2 both ways, amounts in words, refunds that are answered at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
from tests.billing.doubles.alipay import APPID, BEIJING, SELLER, AlipayDouble
from tests.billing.doubles.http import serving
from tests.billing.shop import give_back, ordered, payment_of, work
from tests.conftest import NOON


@pytest.fixture
def alipay(in_school: Tenant, settings: Settings) -> Iterator[AlipayDouble]:
    """Alipay, where the school is paid."""
    with serving(AlipayDouble()) as double:
        assert isinstance(double, AlipayDouble)
        settings.ALIPAY_URL = f"{double.address}/gateway.do"
        connect()
        yield double


def connect(**secrets: str) -> None:
    admin = make.member(Member.Role.ADMIN)
    public = {"appid": APPID, "seller_id": SELLER, "alipay_public_key": keys.public_pem("alipay")}
    kept = {"private_key": keys.private_pem("application")} | secrets
    operations.connect_provider(by=admin, provider="alipay", public=public, secrets=kept, at=NOON)
    operations.choose_checkout(by=admin, provider="alipay", at=NOON)


def deliver(body: bytes) -> Any:
    form = "application/x-www-form-urlencoded; charset=utf-8"
    return APIClient().post("/api/v1/webhooks/alipay/", body, content_type=form, headers={"host": "school.localhost"})


def told(double: AlipayDouble, said: dict[str, str]) -> None:
    answer = deliver(double.signed(said))
    assert (answer.status_code, answer.content) == (200, b"success")
    work()


def opened(viewer: Member, course: Item) -> Payment:
    return operations.pay(order=ordered(viewer, course), at=NOON)


def paid(double: AlipayDouble, viewer: Member, course: Item) -> Payment:
    payment = opened(viewer, course)
    told(double, double.visit(payment.checkout_url))
    return payment_of(payment.order)


def states() -> list[tuple[str, str]]:
    return list(WebhookEvent.objects.order_by("pk").values_list("state", "reason"))


def test_a_course_is_bought_and_given_back(alipay: AlipayDouble, viewer: Member, course: Item) -> None:
    payment = paid(alipay, viewer, course)
    assert (payment.state, alipay.trades[payment.key]["total_amount"]) == ("captured", "100.00")

    send_refund(refund=give_back(payment.order, 4_005), at=NOON)

    assert (Refund.objects.get().state, list(alipay.refunds.values())) == ("sent", [4_005])
    told(alipay, alipay.told(alipay.trades[payment.key], refund_fee="40.05"))
    assert states() == [("applied", ""), ("duplicate", "")]
    assert shop.books_are_good()


@pytest.mark.parametrize("fault", ["500_after", "unclear"])
def test_a_refund_whose_answer_was_lost_is_given_once(
    alipay: AlipayDouble, viewer: Member, course: Item, fault: str
) -> None:
    refund = give_back(paid(alipay, viewer, course).order)
    alipay.fail("alipay.trade.refund", fault)
    send_refund(refund=refund, at=NOON)
    assert Refund.objects.get().state == Refund.State.ASKED

    send_refund(refund=refund, at=NOON)

    assert (Refund.objects.get().state, len(alipay.refunds)) == ("sent", 1)


def test_a_refund_that_is_refused_is_taken_back(alipay: AlipayDouble, viewer: Member, course: Item) -> None:
    payment = paid(alipay, viewer, course)
    alipay.refunds["by hand"] = 1

    send_refund(refund=give_back(payment.order), at=NOON)

    assert Refund.objects.get().reason == "Alipay refuses: ACQ.REFUND_AMT_NOT_EQUAL_TOTAL."
    assert shop.books_are_good()


def test_a_payment_whose_message_was_lost_is_found_by_asking(
    alipay: AlipayDouble, viewer: Member, course: Item
) -> None:
    payment = opened(viewer, course)
    operations.resolve_payment(payment=payment, at=NOON)  # the page was not opened: Alipay knows of no trade
    alipay.visit(payment.checkout_url, pays=False)
    operations.resolve_payment(payment=payment, at=NOON)
    assert payment_of(payment.order).state == Payment.State.OPEN

    alipay.visit(payment.checkout_url)
    operations.resolve_payment(payment=payment, at=NOON)

    assert payment_of(payment.order).state == Payment.State.CAPTURED


def test_an_answer_that_alipay_has_not_signed_is_no_answer(alipay: AlipayDouble, viewer: Member, course: Item) -> None:
    payment = opened(viewer, course)
    alipay.visit(payment.checkout_url)
    alipay.signs_as = "somebody"

    with pytest.raises(providers.ProviderUnavailable):
        providers.provider_for(viewer.tenant, "alipay").query(key=payment.key, reference="", order="1")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"total_amount": "99.99"}, "wrong_amount"),
        ({"total_amount": "1e2"}, "garbled"),
        ({"total_amount": "100"}, "garbled"),
        ({"app_id": "2021000002"}, "wrong_account"),
        ({"seller_id": "2088000002"}, "wrong_account"),
        ({"passback_params": "0"}, "wrong_order"),
        ({"out_trade_no": "pay_0"}, "unknown_payment"),
        ({"trade_status": "NEW"}, "unknown_kind"),
    ],
)
def test_what_is_signed_but_not_true_goes_into_quarantine(
    alipay: AlipayDouble, viewer: Member, course: Item, changed: dict[str, str], reason: str
) -> None:
    payment = opened(viewer, course)

    told(alipay, alipay.visit(payment.checkout_url) | changed)

    assert states() == [("quarantined", reason)]
    assert payment_of(payment.order).state == Payment.State.OPEN


def test_a_forged_message_is_not_let_in(alipay: AlipayDouble, viewer: Member, course: Item) -> None:
    said = alipay.visit(opened(viewer, course).checkout_url)
    good = alipay.signed(said)
    alipay.signs_as = "somebody"
    forged = [
        alipay.signed(said),
        good + b"&total_amount=0.01",
        good + b"&x=1",
        good.replace(b"RSA2", b"RSA"),
        b"",
        b"a",
    ]

    codes = {deliver(body).json()["code"] for body in forged}

    assert (codes, states()) == ({"bad_signature"}, [])


@pytest.mark.parametrize(("hours", "is_let_in"), [(-26, 0), (-24, 1), (1, 0)])
def test_a_message_is_let_in_as_long_as_alipay_repeats_it(
    alipay: AlipayDouble, viewer: Member, course: Item, hours: int, is_let_in: int
) -> None:
    sent_at = (datetime.now(UTC) + timedelta(hours=hours)).astimezone(BEIJING)
    said = alipay.visit(opened(viewer, course).checkout_url) | {"notify_time": f"{sent_at:%Y-%m-%d %H:%M:%S}"}

    answer = deliver(alipay.signed(said))

    assert answer.status_code == (200 if is_let_in else 400)
    assert len(states()) == is_let_in


def test_a_message_delivered_again_is_one_message(alipay: AlipayDouble, viewer: Member, course: Item) -> None:
    said = alipay.visit(opened(viewer, course).checkout_url)

    for _ in range(3):
        told(alipay, said)

    assert (WebhookEvent.objects.get().deliveries, states()) == (3, [("applied", "")])


def test_a_key_that_cannot_be_read_is_not_kept(in_school: Tenant) -> None:
    with pytest.raises(operations.BadCredential):
        connect(private_key="no key")
