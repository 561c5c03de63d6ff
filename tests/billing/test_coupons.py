"""Coupons: what they take off, from what, for whom, how often; and that the money is divided of what is really paid."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import ledger, operations
from billing.models import Coupon, CouponUse, Order, OrderLine, Payment
from billing.money import Money
from billing.operations import Wanted
from billing.operations.coupons import discounts
from catalog.models import Item
from catalog.queries import watchable_by
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON

PATH = "/api/v1/coupons/"


def order(viewer: Member, *wanted: Wanted, coupon: str, key: str = "key", **later: int) -> Order:
    at = NOON + timedelta(**later)
    return operations.order_all(viewer=viewer, wanted=wanted, coupon=coupon, key=key, at=at)


def refused(*wanted: Wanted, coupon: str, viewer: Member | None = None, key: str = "key", **later: int) -> str:
    with pytest.raises(Refused) as no:
        order(viewer or make.member(), *wanted, coupon=coupon, key=key, **later)
    return no.value.code


def test_the_money_is_divided_of_what_is_really_paid(course: Item) -> None:
    coupon = shop.coupon(course.creator, bps=2_500)

    bought = shop.bought_all(make.member(), Wanted(item=course), coupon=coupon.code.lower())

    line = OrderLine.objects.get(order=bought)
    assert (bought.amount, line.amount, line.discount) == (7_500, 7_500, 2_500)
    assert ledger.pending(course.creator, "CNY").balance == yuan(7_500 - 45 - 750)
    assert shop.books_are_good()


def test_an_amount_off_is_shared_among_what_it_is_for(course: Item) -> None:
    other, second = shop.course_for(4_000), things.course(course.creator)
    operations.set_price(item=second, by=course.creator.member, amount=yuan(5_000), at=NOON)
    coupon = shop.coupon(course.creator, amount=yuan(3_000))

    placed = order(make.member(), *(Wanted(item=of) for of in (course, other, second)), coupon=coupon.code)

    assert placed.amount == 19_000 - 3_000
    assert list(placed.lines.order_by("pk").values_list("discount", flat=True)) == [2_000, 0, 1_000]


def test_what_a_coupon_pays_for_wholly_is_the_buyers_at_once(course: Item) -> None:
    viewer = make.member()
    coupon = shop.coupon(course.creator, amount=yuan(99_999))

    given_away = order(viewer, Wanted(item=course), coupon=coupon.code)

    assert (given_away.state, given_away.amount) == (Order.State.PAID, 0)
    assert watchable_by(viewer, at=NOON).filter(pk=course.pk).exists()
    assert Payment.objects.count() == 0
    with pytest.raises(operations.AlreadyPaid):
        operations.pay(order=given_away, at=NOON)
    with pytest.raises(operations.MoreThanWasPaid):
        shop.give_back(given_away)
    assert shop.books_are_good()


def test_a_thing_for_nothing_beside_one_that_is_paid_comes_with_the_payment(course: Item) -> None:
    viewer, other = make.member(), shop.course_for(300)
    coupon = shop.coupon(course.creator, bps=10_000)

    bought = shop.bought_all(viewer, Wanted(item=course), Wanted(item=other), coupon=coupon.code)

    assert bought.amount == 300
    assert {of.pk for of in watchable_by(viewer, at=NOON)} >= {course.pk, other.pk}
    assert shop.books_are_good()


def test_a_coupon_is_for_what_it_says(course: Item) -> None:
    other = things.course(course.creator)
    operations.set_price(item=other, by=course.creator.member, amount=yuan(100), at=NOON)
    pack = shop.offered(course.creator, course, minor=500)
    one, whole = (shop.coupon(course.creator, bps=5_000, **of) for of in ({"item": course}, {"product": pack}))

    assert refused(Wanted(item=other), coupon=one.code) == "coupon_unfit"
    assert refused(Wanted(item=course), coupon=whole.code) == "coupon_unfit"
    assert refused(Wanted(item=shop.course_for(100)), coupon=shop.coupon(course.creator, bps=1).code) == "coupon_unfit"
    assert refused(Wanted(creator=course.creator, amount=yuan(5)), coupon=one.code) == "coupon_unfit"
    assert order(make.member(), Wanted(product=pack), coupon=whole.code).amount == 250


def test_a_coupon_is_valid_from_then_until_then_and_until_it_is_withdrawn(course: Item) -> None:
    hour = timedelta(hours=1)
    coupon = shop.coupon(course.creator, bps=1_000, starts_at=NOON + hour, ends_at=NOON + 2 * hour)

    assert refused(Wanted(item=course), coupon=coupon.code) == "coupon_not_valid"
    assert refused(Wanted(item=course), coupon=coupon.code, hours=2) == "coupon_not_valid"
    assert order(make.member(), Wanted(item=course), coupon=coupon.code, hours=1).amount == 9_000
    operations.withdraw_coupon(coupon=coupon, by=course.creator.member, at=NOON + hour)
    assert refused(Wanted(item=course), coupon=coupon.code, hours=1) == "coupon_not_valid"
    assert refused(Wanted(item=course), coupon="NEVER-MADE") == "no_such_coupon"


def test_one_buyer_uses_it_as_often_as_it_says_and_all_together_too(course: Item) -> None:
    viewer, wanted = make.member(), Wanted(item=course)
    coupon = shop.coupon(course.creator, bps=1_000, most_each=1, most_uses=2)
    first = order(viewer, wanted, coupon=coupon.code)

    assert order(viewer, wanted, coupon=coupon.code) == first
    assert refused(wanted, coupon=coupon.code, viewer=viewer, key="again") == "coupon_used_up"
    order(make.member(), wanted, coupon=coupon.code)
    assert refused(wanted, coupon=coupon.code) == "coupon_used_up"
    assert (CouponUse.objects.count(), Coupon.objects.get().uses) == (2, 2)


def test_the_same_key_with_another_coupon_is_another_order(course: Item) -> None:
    viewer, coupon = make.member(), shop.coupon(course.creator, bps=1_000)
    order(viewer, Wanted(item=course), coupon=coupon.code)

    assert refused(Wanted(item=course), coupon="", viewer=viewer) == "order_key_taken"


def test_a_refund_gives_back_what_was_paid_and_no_more(course: Item) -> None:
    coupon = shop.coupon(course.creator, bps=3_333)
    bought = shop.bought_all(make.member(), Wanted(item=course), coupon=coupon.code)

    assert shop.give_back(bought).amount == 6_667
    assert ledger.pending(course.creator, "CNY").balance == yuan(0)
    assert shop.books_are_good()


@COMMITTED
def test_the_last_use_is_won_once(school: Tenant) -> None:
    with scope(school):
        course = shop.course_for(10_000)
        code = shop.coupon(course.creator, bps=1_000, most_uses=1).code
        viewers = shop.viewers(6)

    ends = at_once(school, [partial(order, of, Wanted(item=course), coupon=code) for of in viewers])

    with scope(school):
        assert sorted(type(end).__name__ for end in ends) == ["CouponUsedUp"] * 5 + ["Order"]
        assert (Order.objects.count(), CouponUse.objects.count(), Coupon.objects.get().uses) == (1, 1, 1)
        assert shop.books_are_good()


@COMMITTED
def test_one_buyer_at_six_tills_uses_it_once(school: Tenant) -> None:
    with scope(school):
        course, viewer = shop.course_for(10_000), make.member()
        code = shop.coupon(course.creator, bps=1_000, most_each=1).code

    ends = at_once(school, [partial(order, viewer, Wanted(item=course), coupon=code, key=f"{n}") for n in range(6)])

    assert sorted(type(end).__name__ for end in ends) == ["CouponUsedUp"] * 5 + ["Order"]


@given(
    prices=some.lists(some.integers(1, 10**12), min_size=1, max_size=6),
    off=some.integers(1, 10_000) | some.integers(1, 10**13).map(lambda minor: -minor),
    currency=some.sampled_from(["JPY", "CNY", "BHD"]),
)
def test_what_is_taken_off_is_what_the_coupon_says_to_the_last_unit(prices: list[int], off: int, currency: str) -> None:
    coupon = Coupon(tenant_id=1, currency=currency, bps=off if off > 0 else None, amount=-off if off < 0 else None)
    wanted = [
        Wanted(item=Item(tenant_id=1, pk=place, creator=Creator(tenant_id=1, pk=1)))
        for place, _ in enumerate(prices, 1)
    ]
    money = [Money(minor, currency) for minor in prices]

    taken = discounts(coupon, wanted, money)

    whole = sum(prices)
    assert sum(of.minor for of in taken) == (whole * off // 10_000 if off > 0 else min(-off, whole))
    assert all(0 <= less.minor <= price.minor for less, price in zip(taken, money, strict=True))


def test_a_quote_says_what_the_order_then_costs(client: APIClient, course: Item) -> None:
    tenant = course.creator.tenant
    tenant.settings = {"tax_bps": 600}
    tenant.save()
    coupon = shop.coupon(course.creator, bps=1_000, starts_at=NOON)
    ask = {"lines": [{"item": course.pk}], "coupon": coupon.code}

    quoted = client.post("/api/v1/orders/quote/", ask)
    placed = client.post("/api/v1/orders/", ask)

    assert quoted.json() | {"lines": []} == {
        "lines": [],
        "price": 10_000,
        "discount": 1_000,
        "amount": 9_000,
        "tax": 509,
        "currency": "CNY",
    }
    assert (quoted.status_code, placed.status_code) == (200, 201)
    assert (placed.json()["amount"], placed.json()["lines"][0]["tax"]) == (9_000, 509)
    assert [line["discount"] for line in quoted.json()["lines"]] == [1_000]
    assert client.post("/api/v1/orders/quote/", ask | {"coupon": "NONE"}).json()["code"] == "no_such_coupon"
    assert Order.objects.count() == 1


def test_creators_make_coupons_for_their_own_and_staff_for_all(course: Item) -> None:
    creator, staff = make.client(course.creator.member), make.client(make.member(Member.Role.STAFF))
    viewer = make.client(make.member())

    own = creator.post(PATH, {"code": "spring", "bps": 500, "most_uses": 3}).json()
    all_of_it = staff.post(PATH, {"amount": 100}).json()

    assert (own["code"], own["creator"]) == ("SPRING", course.creator.handle)
    assert (len(all_of_it["code"]), all_of_it["creator"]) == (10, None)
    assert [len(of.get(PATH).json()["results"]) for of in (creator, staff, viewer)] == [1, 2, 0]
    assert creator.post(f"{PATH}{own['id']}/withdraw/").json()["withdrawn_at"]
    assert creator.post(f"{PATH}{all_of_it['id']}/withdraw/").status_code == 404
    assert viewer.post(PATH, {"bps": 500}).json()["code"] == "not_yours"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "bad_coupon"),
        ({"bps": 500, "amount": 5}, "bad_coupon"),
        ({"bps": 10_001}, "invalid"),
        ({"bps": 0}, "invalid"),
        ({"amount": -5}, "invalid"),
        ({"bps": 5, "code": "a b c"}, "bad_coupon"),
        ({"bps": 5, "code": "taken"}, "code_taken"),
        ({"bps": 5, "most_uses": 0}, "invalid"),
        ({"bps": 5, "ends_at": "2020-01-01T00:00:00Z"}, "bad_coupon"),
        ({"bps": 5, "item": 0}, "not_found"),
    ],
)
def test_what_is_no_coupon_is_refused_with_a_code(course: Item, said: dict[str, Any], code: str) -> None:
    shop.coupon(course.creator, bps=1, code="taken")

    assert make.client(course.creator.member).post(PATH, said).json()["code"] == code


def test_a_creator_gives_no_coupon_for_anothers_item(course: Item) -> None:
    ask = {"bps": 500, "item": things.course().pk}

    assert make.client(course.creator.member).post(PATH, ask).json()["code"] == "bad_coupon"


def test_another_tenants_coupon_is_not_known(course: Item, agency: Tenant) -> None:
    code = shop.coupon(course.creator, bps=500).code
    with scope(agency):
        theirs = shop.course_for(100)

        assert refused(Wanted(item=theirs), coupon=code) == "no_such_coupon"


def test_books_with_a_coupon_used_too_often_are_not_good(course: Item) -> None:
    shop.coupon(course.creator, bps=500)
    Coupon.objects.update(uses=1)

    assert not shop.books_are_good()


def test_a_page_of_coupons_costs_the_same_however_many_there_are(
    course: Item, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = make.client(course.creator.member)
    for _ in range(4):
        shop.coupon(course.creator, bps=500, item=course, ends_at=timezone.now() + timedelta(days=1))
    client.get(PATH)

    with django_assert_max_num_queries(8):
        assert len(client.get(PATH).json()["results"]) == 4
