"""Paying through Stripe, over HTTP: its protocol, its faults, its events."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from billing import operations, providers
from billing.models import Payment, Refund, WebhookEvent
from billing.operations.refunds import send_refund
from billing.providers import stripe as driver
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.doubles.http import serving
from tests.billing.doubles.stripe import REFUNDS, SESSIONS, StripeDouble
from tests.billing.shop import give_back, ordered, payment_of, work
from tests.conftest import NOON


@pytest.fixture
def stripe(in_school: Tenant, settings: Settings) -> Iterator[StripeDouble]:
    """Stripe, where the school is paid."""
    with serving(StripeDouble()) as double:
        assert isinstance(double, StripeDouble)
        settings.STRIPE_URL = double.address
        connect(double)
        yield double


def connect(double: StripeDouble) -> None:
    admin = make.member(Member.Role.ADMIN)
    secrets = {"api_key": double.key, "webhook_secret": double.secret}
    operations.connect_provider(by=admin, provider="stripe", public={}, secrets=secrets, at=NOON)
    operations.choose_checkout(by=admin, provider="stripe", at=NOON)


def deliver(body: bytes, signed: str, tenant: str = "school") -> Any:
    headers = {"host": f"{tenant}.localhost", driver.HEADER: signed}
    return APIClient().post("/api/v1/webhooks/stripe/", body, content_type="application/json", headers=headers)


def told(double: StripeDouble, kind: str, about: Any, **changed: Any) -> None:
    body = double.event(kind, about, **changed)
    assert deliver(body, double.signed(body)).status_code == 200
    work()


def paid(double: StripeDouble, viewer: Member, course: Item) -> Payment:
    payment = operations.pay(order=ordered(viewer, course), at=NOON)
    told(double, "checkout.session.completed", double.pay(payment.reference))
    return payment_of(payment.order)


def states() -> list[tuple[str, str]]:
    return list(WebhookEvent.objects.order_by("pk").values_list("state", "reason"))


def test_a_course_is_bought_and_given_back(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    payment = paid(stripe, viewer, course)
    assert (payment.state, payment.reference) == ("captured", "cs_test_1")
    (session,) = stripe.sessions.values()
    assert (session["amount_total"], session["currency"], session["client_reference_id"]) == (
        10_000,
        "cny",
        payment.key,
    )

    for minor in (4_000, None):
        send_refund(refund=give_back(payment.order, minor, key=str(minor)), at=NOON)

    assert [refund.state for refund in Refund.objects.all()] == ["sent", "sent"]
    assert sorted(refund["amount"] for refund in stripe.refunds.values()) == [4_000, 6_000]
    told(stripe, "refund.updated", stripe.refunds["re_stripe_1"])
    assert states() == [("applied", ""), ("duplicate", "")]
    assert shop.books_are_good()


@pytest.mark.parametrize("fault", ["500_after", "slow"])
def test_an_answer_that_was_lost_is_found_again(
    stripe: StripeDouble, viewer: Member, course: Item, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "TIMEOUT_S", 0.3)
    stripe.fail(SESSIONS, fault, seconds=0.5)
    payment = paid(stripe, viewer, course)

    stripe.fail(REFUNDS, fault, seconds=0.5)
    send_refund(refund=give_back(payment.order), at=NOON)

    assert (len(stripe.sessions), len(stripe.refunds)) == (1, 1)
    assert Refund.objects.get().state == Refund.State.SENT


def test_a_session_asked_for_again_with_another_page_to_return_to_is_the_same(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    payment = operations.pay(order=ordered(viewer, course), return_url="https://a.org/1", at=NOON)
    Payment.objects.update(state=Payment.State.NEW, reference="", checkout_url="")  # as if we had died after the call

    again = operations.pay(order=payment.order, return_url="https://a.org/2", at=NOON)

    assert (again.reference, len(stripe.sessions)) == (payment.reference, 1)


def test_too_many_requests_and_a_wrong_key_are_no_answer(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    order = ordered(viewer, course)
    stripe.fail(SESSIONS, "429")
    with pytest.raises(providers.ProviderUnavailable):
        operations.pay(order=order, at=NOON)

    stripe.key = "sk_test_rolled"
    with pytest.raises(providers.ProviderUnavailable):
        operations.pay(order=order, at=NOON)


def test_what_stripe_refuses_is_refused(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    order = paid(stripe, viewer, course).order
    stripe.intents["pi_1"]["amount"] = 5_000  # somebody gave half of it back at Stripe

    send_refund(refund=give_back(order), at=NOON)

    refund = Refund.objects.get()
    assert (refund.state, refund.reason) == ("failed", "Stripe refuses: charge_already_refunded.")
    assert shop.books_are_good()


def test_a_refund_on_its_way_is_asked_about_until_it_has_gone(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    refund, stripe.refunds_are = give_back(paid(stripe, viewer, course).order), "pending"
    send_refund(refund=refund, at=NOON)
    assert Refund.objects.get().state == Refund.State.ASKED
    told(stripe, "refund.created", stripe.refunds["re_stripe_1"])
    assert states()[-1] == ("duplicate", "")

    stripe.refunds["re_stripe_1"]["status"] = "succeeded"
    send_refund(refund=refund, at=NOON)

    assert Refund.objects.get().state == Refund.State.SENT
    assert len(stripe.refunds) == 1


def test_a_refund_that_is_asked_about_on_another_day_is_not_made_again(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    refund, stripe.refunds_are = give_back(paid(stripe, viewer, course).order, 4_000), "pending"
    send_refund(refund=refund, at=NOON)
    stripe.saved.clear()  # Stripe keeps an idempotency key for a day

    send_refund(refund=refund, at=NOON + timedelta(days=2))

    assert [refund["amount"] for refund in stripe.refunds.values()] == [4_000]


def test_a_payment_whose_event_was_lost_is_found_by_asking(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    payment = operations.pay(order=ordered(viewer, course), at=NOON)
    stripe.pay(payment.reference)

    operations.resolve_payment(payment=payment, at=NOON)

    assert payment_of(payment.order).state == Payment.State.CAPTURED


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount_total": 9_999}, "wrong_amount"),
        ({"currency": "usd"}, "wrong_currency"),
        ({"id": "cs_other"}, "wrong_reference"),
        ({"metadata": {}}, "wrong_account"),
        ({"amount_total": None}, "garbled"),
    ],
)
def test_what_is_signed_but_not_true_goes_into_quarantine(
    stripe: StripeDouble, viewer: Member, course: Item, changed: dict[str, Any], reason: str
) -> None:
    payment = operations.pay(order=ordered(viewer, course), at=NOON)

    told(stripe, "checkout.session.completed", stripe.pay(payment.reference), **changed)

    assert states() == [("quarantined", reason)]
    assert payment_of(payment.order).state == Payment.State.OPEN


@pytest.mark.parametrize(("meant", "reason"), [("tenant", "wrong_account"), ("order", "wrong_order")])
def test_a_message_about_another_tenants_order_goes_into_quarantine(
    stripe: StripeDouble, viewer: Member, course: Item, meant: str, reason: str
) -> None:
    session = stripe.pay(operations.pay(order=ordered(viewer, course), at=NOON).reference)

    told(stripe, "checkout.session.completed", session, metadata=session["metadata"] | {meant: "agency"})

    assert states() == [("quarantined", reason)]


def test_a_session_that_was_completed_without_money_is_not_paid(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    payment = operations.pay(order=ordered(viewer, course), at=NOON)
    session = stripe.sessions[payment.reference]

    told(stripe, "checkout.session.completed", session)
    told(stripe, "checkout.session.async_payment_failed", session)

    assert states() == [("duplicate", ""), ("applied", "")]
    assert payment_of(payment.order).state == Payment.State.DECLINED
    told(stripe, "checkout.session.async_payment_succeeded", stripe.pay(payment.reference))
    assert payment_of(payment.order).state == Payment.State.CAPTURED


def test_events_that_mean_nothing_to_us_and_the_wrong_mode_go_into_quarantine(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    session = stripe.pay(operations.pay(order=ordered(viewer, course), at=NOON).reference)
    told(stripe, "customer.created", {"id": "cus_1"})
    live = stripe.event("checkout.session.completed", session).replace(b'"livemode": false', b'"livemode": true')

    deliver(live, stripe.signed(live))
    work()

    assert states() == [("quarantined", "unknown_kind"), ("quarantined", "wrong_mode")]


@pytest.mark.parametrize(("seconds", "code"), [(-360, "stale_message"), (360, "stale_message"), (-200, "")])
def test_a_message_is_let_in_for_five_minutes_whichever_way_the_clock_jumps(
    stripe: StripeDouble, seconds: int, code: str
) -> None:
    body = stripe.event("customer.created", {})

    answer = deliver(body, stripe.signed(body, at=time.time() + seconds))

    assert answer.json().get("code", "") == code


def test_a_forged_message_is_not_let_in(stripe: StripeDouble, agency: Tenant) -> None:
    body = stripe.event("customer.created", {})
    good = stripe.signed(body)
    for signed in ("", "t=1", "v1=00", good.replace("v1=", "v0="), stripe.signed(body, secret="whsec_other")):
        assert deliver(body, signed).json()["code"] == "bad_signature"
    assert deliver(body + b" ", good).json()["code"] == "bad_signature"
    assert deliver(b"\xff", good).json()["code"] == "bad_signature"
    assert deliver(body, good, tenant="agency").json()["code"] == "provider_not_connected"

    with scope(agency):
        connect(StripeDouble(secret="whsec_of_the_agency"))
    assert deliver(body, good, tenant="agency").json()["code"] == "bad_signature"
    assert states() == []


def test_a_stripe_event_captures_no_payment_of_another_provider(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    payment = payment_of(ordered(viewer, course))
    Payment.objects.update(provider="sandbox")
    about = {"id": "cs_1", "amount_total": 10_000, "currency": "cny", "payment_status": "paid"}
    about["metadata"] = {"tenant": "school", "key": payment.key, "order": str(payment.order_id)}

    told(stripe, "checkout.session.completed", about)

    assert states() == [("quarantined", "unknown_payment")]
