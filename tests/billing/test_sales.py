"""A sale and its refunds, worked through as in a bookkeeping textbook: a course for 100 yuan."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing import ledger, operations
from billing.models import Journal, Order, Payment, Price, Refund
from billing.models.sales import PARTS
from billing.money import Money
from billing.operations.refunds import RefundKeyTaken
from billing.operations.terms import Terms
from catalog.models import Item
from catalog.operations import NotYours
from catalog.queries import watchable_by
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.shop import bought, give_back, line_of, ordered, payment_of, yuan
from tests.catalog import things
from tests.conftest import NOON


def may_watch(viewer: Member, item: Item) -> bool:
    return watchable_by(viewer, at=NOON).filter(pk=item.pk).exists()


def test_a_sale_is_shared_between_provider_platform_and_creator(viewer: Member, course: Item) -> None:
    bought(viewer, course)

    assert ledger.clearing("CNY").balance == yuan(-10_000)
    assert ledger.processor("CNY").balance == yuan(60)
    assert ledger.fees("CNY").balance == yuan(1_000)
    assert ledger.pending(course.creator, "CNY").balance == yuan(8_940)
    assert may_watch(viewer, course)


def test_tax_is_in_the_price(in_school: Tenant, viewer: Member) -> None:
    in_school.settings = {"tax_bps": 600}
    course = shop.course_for(10_600)

    bought(viewer, course)

    assert ledger.tax("CNY").balance == yuan(600)  # 6 % of 100.00
    assert ledger.fees("CNY").balance == yuan(1_000)  # 10 % of 100.00
    assert ledger.processor("CNY").balance == yuan(64)  # 0.6 % of 106.00
    assert ledger.pending(course.creator, "CNY").balance == yuan(8_936)


@given(
    minor=some.integers(1, 10**12),
    currency=some.sampled_from(["JPY", "CNY", "USD", "BHD"]),
    tax_bps=some.integers(0, 5_000),
    processor_bps=some.integers(0, 500),
    platform_bps=some.integers(0, 5_000),
)
def test_whatever_the_terms_the_parts_are_the_price(minor: int, currency: str, **bps: Any) -> None:
    parts = Terms(**bps).divide(Money(minor, currency)).values()

    assert sum(part.minor for part in parts) == minor
    assert all(part.minor >= 0 for part in parts)


def test_a_full_refund_turns_the_sale_round_and_ends_the_access(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)

    refund = give_back(order)

    assert ledger.pending(course.creator, "CNY").balance == yuan(0)
    assert ledger.fees("CNY").balance == yuan(0)
    assert ledger.refund_clearing("CNY").balance == yuan(10_000)
    assert not may_watch(viewer, course)
    assert Order.objects.get().state == Order.State.REFUNDED

    operations.settle_refund(refund=refund, reference="rf_1", at=NOON)

    assert ledger.refund_clearing("CNY").balance == ledger.clearing("CNY").balance == yuan(0)
    assert [j.kind for j in Journal.objects.order_by("seq")] == ["sale", "refund", "refund_sent"]


def test_partial_refunds_sum_to_the_sale(viewer: Member) -> None:
    course = shop.course_for(10_001)
    order = bought(viewer, course)

    for number in range(3):
        give_back(order, 3_333, key=f"part {number}")
    assert may_watch(viewer, course)
    give_back(order, 2, key="the rest")

    refunds, line = list(Refund.objects.all()), line_of(order)
    assert all(sum(getattr(r, part) for r in refunds) == getattr(line, part) for part in PARTS)
    assert [(r.processor, r.platform, r.share) for r in refunds][:2] == [(19, 333, 2981), (20, 333, 2980)]
    assert not may_watch(viewer, course)
    assert shop.books_are_good()


def test_a_refund_that_the_provider_refuses_is_taken_back(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    refund = give_back(order)

    operations.fail_refund(refund=refund, reason="card closed", at=NOON)

    assert ledger.pending(course.creator, "CNY").balance == yuan(8_940)
    assert ledger.refund_clearing("CNY").balance == yuan(0)
    assert may_watch(viewer, course)
    assert Order.objects.get().state == Order.State.PAID
    give_back(order, key="again")
    assert not may_watch(viewer, course)
    assert shop.books_are_good()


def test_no_more_is_given_back_than_was_paid(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    give_back(order, 9_999)

    with pytest.raises(operations.MoreThanWasPaid):
        give_back(order, 2, key="too much")
    give_back(order, 1, key="the last unit")
    with pytest.raises(operations.MoreThanWasPaid):
        give_back(order, key="nothing left")


def test_a_refund_asked_for_twice_is_given_once(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)

    assert give_back(order, 500).pk == give_back(order, 500).pk

    assert ledger.refund_clearing("CNY").balance == yuan(500)
    with pytest.raises(RefundKeyTaken):
        give_back(order, 501)


def test_who_may_have_money_back_and_when(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    late = NOON + timedelta(days=7, seconds=1)

    with pytest.raises(operations.RefundWindowOver):
        give_back(order, at=late)
    with pytest.raises(operations.NotYourOrder):
        operations.refund(line=line_of(order), by=make.member(), amount=None, key="k", at=NOON)
    staff = make.member(Member.Role.STAFF)
    operations.refund(line=line_of(order), by=staff, amount=None, key="k", at=late)


def test_what_was_not_paid_is_not_given_back(viewer: Member, course: Item) -> None:
    with pytest.raises(operations.NotPaid):
        give_back(ordered(viewer, course))


def test_an_order_is_placed_once_and_keeps_its_price(viewer: Member, course: Item) -> None:
    first = ordered(viewer, course)
    operations.set_price(item=course, by=course.creator.member, amount=yuan(20_000), at=NOON)

    again = ordered(viewer, course)

    assert (again.pk, again.amount, Payment.objects.count()) == (first.pk, 10_000, 1)
    assert ordered(viewer, course, key="another").amount == 20_000


def test_what_cannot_be_ordered(viewer: Member, course: Item) -> None:
    for item in (things.course(), things.video()):  # without a price, for free
        with pytest.raises(operations.NotForSale):
            ordered(viewer, item, key="k")
    with pytest.raises(operations.AlreadyYours):
        ordered(course.creator.member, course, key="k")
    bought(viewer, course)
    with pytest.raises(operations.AlreadyYours):
        ordered(viewer, course, key="twice")


def test_a_capture_told_twice_is_booked_once(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)

    assert not operations.capture(payment=payment_of(order), reference="co_2", at=NOON)

    assert ledger.clearing("CNY").balance == yuan(-10_000)


def test_an_item_has_one_price_at_a_time(course: Item) -> None:
    operations.set_price(item=course, by=course.creator.member, amount=yuan(5_000), at=NOON)

    assert Price.objects.filter(ends_at=None).count() == 1
    with pytest.raises(operations.NoSuchPrice):
        operations.set_price(item=course, by=course.creator.member, amount=yuan(0), at=NOON)
    with pytest.raises(NotYours):
        operations.set_price(item=course, by=make.member(), amount=yuan(1), at=NOON)
