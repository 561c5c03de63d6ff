"""What members pay by and want to pay by no more: charged no more, let go of, and said where it is missed."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from billing import operations
from billing.models import Charge, InstalmentPlan, PaymentMethod, Plan, Subscription, SubscriptionChange
from billing.operations import Wanted, paying
from billing.operations.forgetting import NotYourMethod
from billing.providers.sandbox.server import Server
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.doubles.stripe import CARDS
from tests.billing.members import CHARGES, now, saved_method, tick
from tests.billing.rails import rail_on
from tests.billing.shop import jobs
from tests.billing.test_stripe import told
from tests.conftest import NOON

DOOR = "/api/v1/payment-methods/"


def removed(method: PaymentMethod | None) -> PaymentMethod:
    assert method is not None
    done = paying.remove_method(method=method, by=method.member, at=NOON)
    if jobs("forget_method"):
        paying.forget_method(method=done, at=NOON)
        done.refresh_from_db()
    return done


def test_a_method_that_was_removed_is_charged_no_more(sandbox: Server, subscription: Subscription) -> None:
    method = removed(subscription.method)

    assert (method.state, method.forgotten_at, jobs("forget_method")) == ("removed", NOON, 1)
    (row,) = sandbox.bank.book.tables["methods"].values()
    assert row["status"] == "forgotten"
    tick(subscription.ends_at)
    late = now(subscription)
    assert (late.state, late.needs_method, Charge.objects.count()) == ("past_due", True, 0)
    what = SubscriptionChange.objects.order_by("pk").values_list("what", "by", "why")
    assert list(what)[-2:] == [
        ("method_removed", subscription.viewer_id, "its method was removed: there is nothing to charge"),
        ("declined", None, "nothing to charge"),
    ]


def test_a_charge_that_waits_is_only_asked_about(sandbox: Server, subscription: Subscription) -> None:
    operations.renew_some(at=subscription.ends_at)

    removed(subscription.method)
    operations.collect_next(at=subscription.ends_at)

    assert Charge.objects.get().state == "stopped"
    assert sandbox.bank.book.tables["charges"] == {}


def test_a_charge_that_was_lost_before_is_booked(sandbox: Server, subscription: Subscription) -> None:
    shop.fault(sandbox, CHARGES, "fail_after_commit")
    shop.fault(sandbox, CHARGES, "too_many", times=5)
    operations.renew_some(at=subscription.ends_at)
    operations.collect_next(at=subscription.ends_at)

    removed(subscription.method)
    operations.collect_next(at=subscription.ends_at + timedelta(hours=2))

    assert Charge.objects.get().state in {"paid", "new"}
    assert shop.books_are_good()


def test_what_was_removed_is_not_refused_as_well(sandbox: Server, subscription: Subscription) -> None:
    method = removed(subscription.method)

    assert paying.remove_method(method=method, by=method.member, at=NOON + timedelta(days=1)).removed_at == NOON
    assert SubscriptionChange.objects.filter(what="method_removed").count() == 1


def test_while_the_provider_does_not_answer_it_is_asked_again(
    sandbox: Server, subscription: Subscription, settings: Settings
) -> None:
    address, settings.SANDBOX_URL = settings.SANDBOX_URL, "http://127.0.0.1:1"
    method = removed(subscription.method)
    assert (method.state, method.forgotten_at, jobs("forget_method")) == ("removed", None, 2)

    settings.SANDBOX_URL = address
    paying.forget_method(method=method, at=NOON)
    method.refresh_from_db()
    assert method.forgotten_at == NOON


def test_what_is_agreed_to_on_a_page_that_was_open_is_let_go_of_at_once(sandbox: Server, viewer: Member) -> None:
    method = operations.open_method(method=operations.ask_method(viewer=viewer, at=NOON), at=NOON)
    assert removed(method).state == "removed"
    said = sandbox.bank.press(next(iter(sandbox.bank.book.tables["checkouts"])), pays=True)

    assert not operations.save_method(method=method, reference=said["method"])

    assert (PaymentMethod.objects.get().state, jobs("forget_method")) == ("removed", 1)


def test_through_the_door(sandbox: Server, subscription: Subscription) -> None:
    method, client = subscription.method, make.client(subscription.viewer)
    assert method is not None
    assert make.client(make.member()).delete(f"{DOOR}{method.pk}/").status_code == 404
    assert not client.get(f"/api/v1/subscriptions/{subscription.pk}/").json()["needs_method"]

    for _ in range(2):
        assert client.delete(f"{DOOR}{method.pk}/").status_code == 204

    assert client.get(DOOR).json()["results"] == []
    assert client.get(f"/api/v1/subscriptions/{subscription.pk}/").json()["needs_method"]
    with pytest.raises(NotYourMethod):
        paying.remove_method(method=method, by=make.member(), at=NOON)
    another = saved_method(sandbox, subscription.viewer)
    path = f"/api/v1/subscriptions/{subscription.pk}/change-method/"
    assert client.post(path, {"method": method.pk}).status_code == 404
    assert not client.post(path, {"method": another.pk}).json()["needs_method"]


def test_a_plan_in_parts_says_that_it_needs_another(in_school: Tenant, sandbox: Server, viewer: Member) -> None:
    method = saved_method(sandbox, viewer)
    plan = InstalmentPlan(state="active", method=method)
    assert not plan.needs_method

    plan.method = removed(method)

    assert plan.needs_method


@pytest.mark.usefixtures("_fresh_cache")
@pytest.mark.parametrize("fault", ["", "500_after"])
def test_stripe_takes_the_card_from_its_customer(in_school: Tenant, viewer: Member, club: Plan, fault: str) -> None:
    with rail_on("stripe", is_checkout=True) as rail:
        order = operations.order_all(viewer=viewer, wanted=[Wanted(product=club.product)], key="join", at=NOON)
        payment = operations.pay(order=order, at=NOON)
        told(rail.double, "checkout.session.completed", rail.double.pay(payment.reference))
        of = Subscription.objects.get(periods__order=order)
        rail.double.fail(f"{CARDS}/pm_1/detach", fault)

        method = removed(of.method)
        paying.forget_method(method=method, at=NOON)

        method.refresh_from_db()
        assert (rail.double.intents["pi_1"]["is_detached"], method.forgotten_at) == (True, NOON)
        assert len([path for verb, path in rail.double.requests if path.endswith("/detach")]) == 1
