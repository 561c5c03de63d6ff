"""A checkout that ran out at the provider: the same order is paid under a new key, and never twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from billing import operations, providers
from billing.models import ClosedCheckout, Order, Payment, WebhookEvent
from billing.operations.refunds import send_refund
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests.billing import shop, test_alipay, test_stripe, test_wechatpay
from tests.billing.doubles.stripe import SESSIONS
from tests.billing.rails import Rail, rail_on
from tests.billing.shop import give_back, ordered, payment_of
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("_fresh_cache")
RUN_OUT = NOON + timedelta(hours=25)


@pytest.fixture(params=["stripe", "wechatpay"])
def rail(request: pytest.FixtureRequest, in_school: Tenant) -> Iterator[Rail]:
    with rail_on(request.param, is_checkout=True) as made:
        yield made


@pytest.fixture
def order(rail: Rail, viewer: Member, course: Item) -> Order:
    """An order whose page was opened at noon, and left."""
    made = ordered(viewer, course)
    operations.pay(order=made, at=NOON)
    return made


def number(rail: Rail, payment: Payment) -> str:
    """Return what the provider knows the payment by."""
    return payment.reference if rail.name == "stripe" else payment.key.removeprefix("pay_")


def told(rail: Rail, payment: Payment, kind: str = "") -> None:
    """Let the buyer pay, and the provider tell."""
    about = rail.double.pay(number(rail, payment))
    if rail.name == "stripe":
        test_stripe.told(rail.double, kind or "checkout.session.completed", about)
    else:
        test_wechatpay.told(rail.double, about)


def states() -> list[tuple[str, str]]:
    return list(WebhookEvent.objects.order_by("pk").values_list("state", "reason"))


def again(order: Order, at: datetime = RUN_OUT) -> Payment:
    return operations.pay(order=order, at=at)


def checkouts(rail: Rail) -> dict[str, Any]:
    made: dict[str, Any] = rail.double.sessions if rail.name == "stripe" else rail.double.orders
    return made


def test_the_same_order_is_paid_under_a_new_key(rail: Rail, order: Order) -> None:
    before = payment_of(order)

    after = again(order)

    assert (after.pk, after.state, len(checkouts(rail))) == (before.pk, "open", 2)
    assert after.key != before.key
    assert after.checkout_url != before.checkout_url
    assert list(ClosedCheckout.objects.values_list("key", "reference")) == [(before.key, before.reference)]
    assert again(order).key == after.key, "It is young again."
    told(rail, after)
    assert (payment_of(order).state, states()) == ("captured", [("applied", "")])
    send_refund(refund=give_back(order), at=RUN_OUT)
    assert shop.books_are_good()


def test_what_may_still_be_paid_is_not_opened_anew(rail: Rail, order: Order) -> None:
    before = payment_of(order)

    assert again(order, NOON + timedelta(hours=1)) == before
    assert (again(order, NOON + timedelta(hours=1)).key, len(checkouts(rail))) == (before.key, 1)


def test_what_was_paid_at_the_last_moment_is_booked_and_not_opened_anew(rail: Rail, order: Order) -> None:
    rail.double.pay(number(rail, payment_of(order)))  # and the message gets lost

    after = again(order)

    assert (after.state, len(checkouts(rail)), ClosedCheckout.objects.count()) == ("captured", 1, 0)
    with pytest.raises(operations.AlreadyPaid):
        again(order)
    assert shop.books_are_good()


def test_a_process_that_died_after_it_had_told_the_provider_tells_it_the_same(rail: Rail, order: Order) -> None:
    with transaction.atomic():
        again(order)
        transaction.set_rollback(True)
    assert (payment_of(order).state, ClosedCheckout.objects.count()) == ("open", 0)

    again(order)

    assert (len(checkouts(rail)), ClosedCheckout.objects.count()) == (2, 1)


def test_a_provider_that_is_away_changes_nothing(rail: Rail, order: Order, settings: Any) -> None:
    for name in ("STRIPE_URL", "WECHATPAY_URL"):
        setattr(settings, name, "http://127.0.0.1:1")
    before = payment_of(order)

    with pytest.raises(providers.ProviderUnavailable):
        again(order)

    assert payment_of(order).key == before.key


def test_messages_about_the_closed_one_change_nothing(in_school: Tenant, viewer: Member, course: Item) -> None:
    with rail_on("stripe", is_checkout=True) as rail:
        order = ordered(viewer, course)
        first = rail.double.sessions[operations.pay(order=order, at=NOON).reference]
        again(order)

        test_stripe.told(rail.double, "checkout.session.expired", first)
        test_stripe.told(rail.double, "checkout.session.completed", first, payment_status="paid")

    assert states() == [("duplicate", ""), ("quarantined", "closed_checkout")]
    assert payment_of(order).state == Payment.State.OPEN


def test_what_expired_by_itself_is_opened_anew_at_once(in_school: Tenant, viewer: Member, course: Item) -> None:
    with rail_on("stripe", is_checkout=True) as rail:
        order = ordered(viewer, course)
        session = rail.double.sessions[operations.pay(order=order, at=NOON).reference]
        session["status"] = "expired"
        test_stripe.told(rail.double, "checkout.session.expired", session)
        assert payment_of(order).state == Payment.State.DECLINED

        assert again(order, NOON + timedelta(minutes=1)).reference == "cs_test_2"


@pytest.mark.parametrize(("status", "is_new"), [("requires_payment_method", True), ("processing", False)])
def test_a_payment_that_takes_days_is_opened_anew_once_it_has_failed(
    in_school: Tenant, viewer: Member, course: Item, status: str, *, is_new: bool
) -> None:
    with rail_on("stripe", is_checkout=True) as rail:
        order = ordered(viewer, course)
        before = operations.pay(order=order, at=NOON)
        rail.double.sessions[before.reference] |= {"status": "complete", "payment_intent": "pi_1"}
        rail.double.intents["pi_1"] = {"id": "pi_1", "object": "payment_intent", "status": status}

        assert (again(order).key != before.key) == is_new


def test_a_lost_answer_to_the_second_is_found_again(in_school: Tenant, viewer: Member, course: Item) -> None:
    with rail_on("stripe", is_checkout=True) as rail:
        order = ordered(viewer, course)
        operations.pay(order=order, at=NOON)
        rail.double.fail(SESSIONS, "500_after")

        assert again(order).reference == "cs_test_2"
        assert len(rail.double.sessions) == 2


def test_a_trade_that_alipay_has_closed_is_opened_anew_and_no_other(
    in_school: Tenant, viewer: Member, course: Item
) -> None:
    with rail_on("alipay", is_checkout=True) as rail:
        order = ordered(viewer, course)
        before = operations.pay(order=order, at=NOON)
        assert again(order).key == before.key, "Nobody knows whether the page will be opened."

        rail.double.visit(before.checkout_url, pays=False)
        rail.double.trades[before.key]["trade_status"] = "TRADE_CLOSED"
        after = again(order, RUN_OUT + timedelta(hours=3))
        assert after.key != before.key

        test_alipay.told(rail.double, rail.double.visit(after.checkout_url))
        assert payment_of(order).state == Payment.State.CAPTURED
