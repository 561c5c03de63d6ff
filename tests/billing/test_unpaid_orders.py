"""Orders that nobody paid, and things that nobody had to pay for: the first lapse, the second can be taken back."""

from datetime import timedelta

import pytest

from billing import operations
from billing.models import Coupon, CouponUse, Order, OrderLine, Payment, Revocation
from billing.operations import Wanted, paying
from billing.providers.sandbox.server import Server
from billing.tasks import lapse_orders as lapse_job
from catalog.models import Item
from catalog.queries import watchable_by
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.conftest import COMMITTED, NOON

WEEK = timedelta(days=7)


def ordered(course: Item, coupon: str = "", viewer: Member | None = None, key: str = "key") -> Order:
    wanted = [Wanted(item=course)]
    return operations.order_all(viewer=viewer or make.member(), wanted=wanted, coupon=coupon, key=key, at=NOON)


def now(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def uses(coupon: Coupon) -> tuple[int, int]:
    return Coupon.objects.get(pk=coupon.pk).uses, CouponUse.objects.filter(coupon=coupon, freed_at=None).count()


def test_an_order_that_is_not_paid_lapses_and_others_use_its_coupon(sandbox: Server, course: Item) -> None:
    coupon = shop.coupon(course.creator, bps=5_000, most_uses=1, most_each=1)
    order = ordered(course, coupon.code)
    assert paying.lapse_orders(at=NOON + WEEK - timedelta(seconds=1)) == 0
    with pytest.raises(operations.CouponUsedUp):
        ordered(course, coupon.code)

    assert paying.lapse_orders(at=NOON + WEEK) == 1
    assert paying.lapse_orders(at=NOON + 2 * WEEK) == 0

    with pytest.raises(Refused) as no:
        operations.pay(order=order, at=NOON + WEEK)
    assert (no.value.code, uses(coupon)) == ("order_lapsed", (0, 0))
    again = ordered(course, coupon.code, viewer=order.viewer, key="again")
    assert (again.amount, uses(coupon)) == (5_000, (1, 1))
    assert shop.books_are_good()


@pytest.mark.parametrize("is_used_up", [False, True])
def test_what_is_paid_after_all_is_delivered_at_its_price(course: Item, is_used_up: bool) -> None:  # noqa: FBT001  pytest's
    coupon = shop.coupon(course.creator, bps=5_000, most_uses=1)
    order = ordered(course, coupon.code)
    paying.lapse_orders(at=NOON + WEEK)
    if is_used_up:
        ordered(course, coupon.code)

    operations.capture(payment=shop.payment_of(order), reference="co", at=NOON + WEEK)

    assert (now(order).state, now(order).lapsed_at, uses(coupon)) == ("paid", None, (1, 1))
    assert CouponUse.objects.get(order=order).freed_at == (NOON + WEEK if is_used_up else None)
    assert watchable_by(order.viewer, at=NOON + WEEK).filter(pk=course.pk).exists()
    assert shop.books_are_good()


def test_what_is_paid_charged_later_or_looked_at_does_not_lapse(in_school: Tenant, course: Item) -> None:
    shop.bought(make.member(), course)
    agreed = ordered(course)
    Payment.objects.filter(order=agreed).update(state=Payment.State.AGREED)
    staff = make.member(Member.Role.ADMIN)
    public = {"instructions": "Bank 1, account 2", "four_eyes_above": "0"}
    operations.connect_provider(by=staff, provider="offline", public=public, secrets={}, at=NOON)
    operations.choose_checkout(by=staff, provider="offline", at=NOON)
    shown = ordered(course)
    proof = operations.send_proof(order=shown, by=shown.viewer, reference="B1", content=b"", at=NOON)

    assert paying.lapse_orders(at=NOON + WEEK) == 0
    operations.decide_proof(proof=proof, by=staff, is_approved=False, why="no such money", at=NOON)
    in_school.settings = {"order_days": 30}
    assert paying.lapse_orders(at=NOON + WEEK) == 0
    assert paying.lapse_orders(at=NOON + timedelta(days=30)) == 1
    assert now(shown).lapsed_at is not None


@COMMITTED
def test_the_job_gives_up_all_of_a_tenants(school: Tenant) -> None:
    with scope(school):
        order = ordered(shop.course_for(10_000))

    lapse_job(tenant=school)

    with scope(school):
        assert now(order).lapsed_at is not None


def free(course: Item) -> Order:
    """Return an order of a course and of a gift of a yuan, where a coupon pays for the course."""
    coupon = shop.coupon(course.creator, bps=10_000, item=course)
    wanted = (Wanted(item=course), Wanted(creator=course.creator, amount=shop.yuan(100)))
    return shop.bought_all(make.member(), *wanted, coupon=coupon.code)


def test_staff_take_back_what_cost_nothing(course: Item) -> None:
    order, staff = free(course), make.member(Member.Role.STAFF)
    line, tip = OrderLine.objects.filter(order=order).order_by("pk")
    operations.refund(line=tip, by=staff, amount=None, key="tip", at=NOON)
    assert now(order).state == "paid", "The course is still there."

    for _ in range(2):
        paying.revoke_free(line=line, by=staff, why="By mistake", at=NOON)

    assert not watchable_by(order.viewer, at=NOON).filter(pk=course.pk).exists()
    assert (now(order).state, Revocation.objects.get().why) == ("refunded", "By mistake")
    assert ordered(course, viewer=order.viewer, key="again").amount == 10_000
    assert shop.books_are_good()


def test_the_rest_of_an_order_outlives_what_was_taken_back(course: Item) -> None:
    order, staff = free(course), make.member(Member.Role.STAFF)
    line, tip = OrderLine.objects.filter(order=order).order_by("pk")

    paying.revoke_free(line=line, by=staff, why="By mistake", at=NOON)

    assert now(order).state == "paid"
    operations.refund(line=tip, by=staff, amount=None, key="tip", at=NOON)
    assert now(order).state == "refunded"


@pytest.mark.usefixtures("_fresh_cache")
def test_what_was_paid_for_is_given_back_and_not_taken_back(course: Item) -> None:
    order = shop.bought(make.member(), course)
    boss, url = make.client(make.member(Member.Role.STAFF)), f"/api/v1/orders/{order.pk}/revoke/"

    assert make.client(order.viewer).post(url, {"why": "x"}).json()["code"] == "staff_only"
    assert boss.post(url, {"why": "x"}).json()["code"] == "not_free"
    assert boss.post(f"/api/v1/orders/{ordered(course).pk}/revoke/", {"why": "x"}).json()["code"] == "not_paid"
    assert boss.post(url, {}).status_code == 400
    coupon = shop.coupon(course.creator, bps=10_000)
    given = ordered(course, coupon.code)
    answer = boss.post(f"/api/v1/orders/{given.pk}/revoke/", {"why": "By mistake"})
    assert (answer.status_code, answer.json()["line"]) == (201, shop.line_of(given).pk)
