"""Several things in one order, and more than single items: bundles, rentals, gifts of money, shares of others."""

from datetime import timedelta
from typing import Any

import pytest

from billing import ledger, operations, queries
from billing.models import LineShare, Order, OrderLine, Product, Refund
from billing.operations import Wanted
from catalog.models import Item
from catalog.queries import watchable_by
from kpplatform.tenancy.models import Tenant
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")


def line(order: Order, place: int = 0) -> OrderLine:
    return OrderLine.objects.select_related("order__viewer").filter(order=order).order_by("pk")[place]


def give_back(of: OrderLine, minor: int | None = None, key: str = "refund") -> Refund:
    amount = None if minor is None else yuan(minor)
    return operations.refund(line=of, by=of.order.viewer, amount=amount, key=key, at=NOON)


def may_watch(viewer: object, item: Item, **later: int) -> bool:
    return watchable_by(viewer, at=NOON + timedelta(**later)).filter(pk=item.pk).exists()  # type: ignore[arg-type]


def test_an_order_of_two_things_is_one_payment_and_one_journal() -> None:
    viewer, first, second = make.member(), shop.course_for(10_000), shop.course_for(5_000)

    order = shop.bought_all(viewer, Wanted(item=first), Wanted(creator=second.creator, amount=yuan(700)))

    assert order.money == yuan(10_700)
    assert order.payments.get().journal.transfers.count() == 6
    assert ledger.pending(second.creator, "CNY").balance.minor == line(order, 1).share
    assert may_watch(viewer, first)
    assert queries.ledger_report().is_good


def test_a_bundle_opens_all_that_is_in_it_and_a_refund_closes_only_that() -> None:
    viewer, alone = make.member(), shop.course_for(3_000)
    creator = things.creator()
    courses = [things.course(creator), things.course(creator)]
    pack = shop.bundle(creator, *courses, minor=9_000)
    order = shop.bought_all(viewer, Wanted(product=pack), Wanted(item=alone))
    assert all(may_watch(viewer, item) for item in (*courses, alone))

    give_back(line(order))

    assert [may_watch(viewer, item) for item in (*courses, alone)] == [False, False, True]
    assert Order.objects.get(pk=order.pk).state == Order.State.PAID


def test_of_two_items_in_one_order_each_is_opened_and_closed_by_itself() -> None:
    viewer, first, second = make.member(), shop.course_for(1_000), shop.course_for(2_000)
    order = shop.bought_all(viewer, Wanted(item=first), Wanted(item=second))
    assert [may_watch(viewer, item) for item in (first, second)] == [True, True]

    given = give_back(line(order))
    assert [may_watch(viewer, item) for item in (first, second)] == [False, True]
    operations.fail_refund(refund=given, reason="no", at=NOON)

    assert [may_watch(viewer, item) for item in (first, second)] == [True, True]
    give_back(line(order), key="again")
    assert [may_watch(viewer, item) for item in (first, second)] == [False, True]


def test_a_bundle_that_was_changed_is_given_and_taken_back_as_it_was_bought() -> None:
    viewer, creator = make.member(), things.creator()
    then, later = things.course(creator), things.course(creator)
    pack = shop.bundle(creator, then, minor=9_000)
    order = shop.bought_all(viewer, Wanted(product=pack))
    pack.contents.all().delete()
    pack.contents.create(item=later)

    given = give_back(line(order))
    assert not may_watch(viewer, then)
    operations.fail_refund(refund=given, reason="no", at=NOON)

    assert may_watch(viewer, then)
    assert not may_watch(viewer, later)


def test_a_rental_ends_by_itself() -> None:
    viewer, creator = make.member(), things.creator()
    film = things.course(creator)
    rented = shop.bundle(creator, film, minor=300, hours=48)

    shop.bought_all(viewer, Wanted(product=rented))

    assert may_watch(viewer, film, hours=47)
    assert not may_watch(viewer, film, hours=48)


def test_who_owns_all_of_a_bundle_cannot_buy_it_and_who_owns_a_part_can() -> None:
    viewer, creator = make.member(), things.creator()
    first, second = shop.course_for(1_000), things.course(creator)
    shop.bought(viewer, first)
    whole, half = shop.bundle(creator, first, second, minor=500), shop.bundle(creator, first, minor=400)

    with pytest.raises(operations.AlreadyYours):
        operations.order_all(viewer=viewer, wanted=[Wanted(product=half)], key="half", at=NOON)
    assert operations.order_all(viewer=viewer, wanted=[Wanted(product=whole)], key="whole", at=NOON).amount == 500


@pytest.mark.parametrize("columns", [{"withdrawn_at": NOON}, {"kind": "unheard of"}, {"currency": "JPY"}])
def test_what_is_not_for_sale_cannot_be_ordered(columns: dict[str, Any]) -> None:
    creator = things.creator()
    pack = shop.bundle(creator, things.course(creator), minor=500, **columns)

    with pytest.raises(operations.NotForSale):
        operations.order_all(viewer=make.member(), wanted=[Wanted(product=pack)], key="key", at=NOON)


def test_an_empty_bundle_is_not_for_sale() -> None:
    pack = shop.bundle(things.creator(), minor=500)

    with pytest.raises(operations.NotForSale):
        operations.order_all(viewer=make.member(), wanted=[Wanted(product=pack)], key="key", at=NOON)


def test_where_the_price_is_open_one_may_pay_more_but_not_less() -> None:
    creator = things.creator()
    pack = shop.bundle(creator, things.course(creator), minor=500, is_open=True)

    with pytest.raises(operations.TooLittle):
        operations.order_all(viewer=make.member(), wanted=[Wanted(product=pack, amount=yuan(499))], key="a", at=NOON)

    order = shop.bought_all(make.member(), Wanted(product=pack, amount=yuan(2_000)))
    assert order.money == yuan(2_000)


@pytest.mark.parametrize("minor", [0, -5])
def test_a_gift_of_nothing_is_refused(minor: int) -> None:
    gift = Wanted(creator=things.creator(), amount=yuan(minor))

    with pytest.raises(operations.TooLittle):
        operations.order_all(viewer=make.member(), wanted=[gift], key="key", at=NOON)


def test_nobody_buys_their_own() -> None:
    creator = things.creator(make.member())
    assert creator.member is not None
    own = [Wanted(creator=creator, amount=yuan(5)), Wanted(product=shop.bundle(creator, things.course(), minor=5))]

    for wanted in own:
        with pytest.raises(operations.AlreadyYours):
            operations.order_all(viewer=creator.member, wanted=[wanted], key="key", at=NOON)


def test_the_same_key_is_the_same_order_and_no_other() -> None:
    viewer, creator = make.member(), things.creator()
    gift, more = Wanted(creator=creator, amount=yuan(500)), Wanted(item=shop.course_for(100))
    order = operations.order_all(viewer=viewer, wanted=[gift, more], key="key", at=NOON)

    assert operations.order_all(viewer=viewer, wanted=[more, gift], key="key", at=NOON) == order
    with pytest.raises(operations.orders.OrderKeyTaken):
        operations.order_all(viewer=viewer, wanted=[gift], key="key", at=NOON)


def test_nothing_and_the_same_thing_twice_are_no_orders() -> None:
    gift = Wanted(creator=things.creator(), amount=yuan(500))

    for wanted in ([], [gift, gift]):
        with pytest.raises(operations.MixedOrder):
            operations.order_all(viewer=make.member(), wanted=wanted, key="key", at=NOON)


def test_a_share_that_was_divided_goes_to_each_and_comes_back_from_each_to_the_last_unit() -> None:
    viewer, course, friend = make.member(), shop.course_for(9_999), things.creator()
    order = shop.ordered(viewer, course)
    sold = line(order)
    theirs = sold.share // 3
    for creator, role, minor in ((course.creator, "owner", sold.share - theirs), (friend, "collaborator", theirs)):
        LineShare.objects.create(line=sold, creator=creator, role=role, amount=minor)
    operations.capture(payment=shop.payment_of(order), reference="co", at=NOON)
    assert ledger.pending(friend, "CNY").balance == yuan(theirs)

    for turn, minor in enumerate((1, 3_333, 3_333)):
        give_back(line(order), minor, key=str(turn))
    failed = give_back(line(order), 332, key="fails")
    operations.fail_refund(refund=failed, reason="no", at=NOON)
    give_back(line(order), key="rest")

    assert [ledger.pending(of, "CNY").balance.minor for of in (course.creator, friend)] == [0, 0]
    assert ledger.fees("CNY").balance.minor == 0
    assert queries.ledger_report().is_good


def test_what_is_the_tenants_own_goes_into_the_pool(in_school: Tenant) -> None:
    pack = Product.objects.create(kind=Product.Kind.BUNDLE, title="All", amount=1_000, currency="CNY", made_at=NOON)
    pack.contents.create(item=things.course())

    order = shop.bought_all(make.member(), Wanted(product=pack))

    assert ledger.pool("CNY").balance.minor == line(order).share > 0
