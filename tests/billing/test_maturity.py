"""What creators have earned becomes theirs, and what is refunded afterwards: a course for 100 yuan, 89.40 of them
the creator's."""

from datetime import timedelta

import pytest

from billing import ledger, operations, queries
from billing.models import Account, Journal, LineShare, Maturity, OrderLine, Refund
from billing.tasks import mature as mature_all
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import bought, give_back, line_of, yuan
from tests.catalog import things
from tests.conftest import COMMITTED, NOON

WEEK = timedelta(days=7)
LATER = NOON + WEEK
Kind = Account.Kind


def stands(creator: Creator) -> dict[str, int]:
    """Return what is where of a creator's money, where there is any."""
    names = {kind: ledger.creators(kind, creator.pk, "CNY").balance.minor for kind in Kind}
    return {str(kind): minor for kind, minor in names.items() if minor}


def paid_out(creator: Creator, minor: int) -> None:
    """Book that so much has left for good."""
    away = (ledger.available(creator, "CNY"), ledger.clearing("CNY"), yuan(minor))
    ledger.post(kind=Journal.Kind.PAYOUT, key=f"away:{creator.pk}:{minor}", transfers=[away], at=LATER)


def refunded(order: object, minor: int | None = None, key: str = "late") -> Refund:
    amount = None if minor is None else yuan(minor)
    return operations.refund(line=line_of(order), by=make.member(Member.Role.STAFF), amount=amount, key=key, at=LATER)  # type: ignore[arg-type]


def test_money_becomes_the_creators_when_nobody_can_ask_for_it_any_more(viewer: Member, course: Item) -> None:
    bought(viewer, course)

    assert operations.mature(at=LATER - timedelta(seconds=1)) == 0
    assert stands(course.creator) == {"pending": 8_940}
    assert operations.mature(at=LATER) == 1

    assert stands(course.creator) == {"available": 8_940}
    assert operations.mature(at=LATER + WEEK) == 0
    assert stands(course.creator) == {"available": 8_940}
    assert shop.books_are_good()


def test_what_was_refunded_does_not_mature(viewer: Member, course: Item) -> None:
    give_back(bought(viewer, course), 4_000)

    operations.mature(at=LATER)

    assert stands(course.creator) == {"available": 8_940 - 3_576}
    assert Maturity.objects.get().amount == 5_364


def test_what_was_refunded_in_full_matures_to_nothing(viewer: Member, course: Item) -> None:
    give_back(bought(viewer, course))

    assert operations.mature(at=LATER) == 1

    assert (stands(course.creator), Maturity.objects.count()) == ({}, 0)
    assert operations.mature(at=LATER) == 0


def test_a_part_of_a_share_matures_for_each_who_has_one(viewer: Member, course: Item) -> None:
    order, other = shop.ordered(viewer, course), things.creator(make.member())
    line = line_of(order)
    LineShare.objects.create(line=line, creator=course.creator, role="owner", amount=6_000)
    LineShare.objects.create(line=line, creator=other, role="collaborator", amount=2_940)
    operations.capture(payment=shop.payment_of(order), reference="co", at=NOON)

    operations.mature(at=LATER)

    assert (stands(course.creator), stands(other)) == ({"available": 6_000}, {"available": 2_940})
    refunded(order, 5_000)
    assert (stands(course.creator), stands(other)) == ({"available": 3_000}, {"available": 1_470})
    assert shop.books_are_good()


def test_a_late_refund_comes_out_of_what_can_be_paid_out(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    operations.mature(at=LATER)

    refunded(order, 5_000)
    assert stands(course.creator) == {"available": 4_470}
    refunded(order, key="rest")

    assert stands(course.creator) == {}
    assert ledger.refund_clearing("CNY").balance == yuan(10_000)
    assert shop.books_are_good()


def test_a_late_refund_leaves_other_sales_alone(viewer: Member, course: Item) -> None:
    old = bought(viewer, course)
    operations.mature(at=LATER)
    bought(make.member(), course, at=LATER)

    refunded(old)

    assert stands(course.creator) == {"pending": 8_940}
    assert operations.mature(at=LATER + WEEK) == 1
    assert stands(course.creator) == {"available": 8_940}


def test_a_refund_after_the_payout_is_a_debt_that_later_sales_repay_first(viewer: Member, course: Item) -> None:
    old = bought(viewer, course)
    operations.mature(at=LATER)
    paid_out(course.creator, 8_000)

    refunded(old)
    assert stands(course.creator) == {"clawback": -8_000}  # 9.40 were there, 80.00 are owed

    bought(make.member(), course, at=LATER)
    operations.mature(at=LATER + WEEK)
    assert stands(course.creator) == {"available": 940}
    assert Maturity.objects.latest("pk").repaid == 8_000
    assert shop.books_are_good()


def test_a_late_refund_that_fails_is_credited_anew(viewer: Member, course: Item) -> None:
    old = bought(viewer, course)
    operations.mature(at=LATER)
    paid_out(course.creator, 8_940)
    refund = refunded(old)
    bought(make.member(), course, at=LATER)
    operations.mature(at=LATER + WEEK)  # which repays the debt
    assert stands(course.creator) == {}

    operations.fail_refund(refund=refund, reason="no", at=LATER + WEEK)

    assert stands(course.creator) == {"available": 8_940}
    assert shop.books_are_good()


def test_an_early_refund_that_fails_late_matures_with_the_next(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    refund = give_back(order, 4_000)
    operations.mature(at=LATER)

    operations.fail_refund(refund=refund, reason="no", at=LATER)
    assert stands(course.creator) == {"pending": 3_576, "available": 5_364}
    assert operations.mature(at=LATER) == 1

    assert stands(course.creator) == {"available": 8_940}
    assert shop.books_are_good()


def test_a_reserve_is_held_back_and_released(in_school: Tenant, viewer: Member, course: Item) -> None:
    in_school.settings = {"reserve_bps": 1_000, "reserve_days": 30}
    order = bought(viewer, course)
    operations.mature(at=LATER)
    assert stands(course.creator) == {"available": 8_046, "reserve": 894}

    paid_out(course.creator, 8_000)
    refunded(order, 1_000)
    assert stands(course.creator) == {"reserve": 46}  # 8.94: 0.46 of what was there, 8.48 of the reserve

    assert operations.release_reserves(at=LATER + timedelta(days=29)) == 0
    assert operations.release_reserves(at=LATER + timedelta(days=30)) == 1
    assert operations.release_reserves(at=LATER + timedelta(days=30)) == 0
    assert stands(course.creator) == {"available": 46}
    assert shop.books_are_good()


def test_many_lines_mature_batch_by_batch(in_school: Tenant, course: Item) -> None:
    for buyer in shop.viewers(5):
        bought(buyer, course)

    batches = [operations.mature(at=LATER, most=2) for _ in range(4)]

    assert batches == [2, 2, 1, 0]
    assert stands(course.creator) == {"available": 5 * 8_940}
    assert Journal.objects.filter(kind="maturity").count() == 3


@COMMITTED
def test_the_job_matures_all_of_a_tenant(school: Tenant) -> None:

    with scope(school):
        course = shop.course_for(10_000)
        bought(make.member(), course)

    mature_all(tenant=school)

    with scope(school):
        assert stands(course.creator) == {"available": 8_940}


def test_the_books_tell_of_a_debt_that_was_not_repaid(viewer: Member, course: Item) -> None:
    bought(viewer, course)
    operations.mature(at=LATER)
    owed = (ledger.clawback(course.creator, "CNY"), ledger.clearing("CNY"), yuan(1))
    ledger.post(kind=Journal.Kind.REFUND_SENT, key="owed", transfers=[owed], at=LATER)
    Maturity.objects.update(releases_at=None)
    OrderLine.objects.update(share=8_939, platform=1_001)

    found = {(fault.promise, fault.table) for fault in queries.ledger_report().faults}

    assert found == {("L7", "account"), ("L7", "order line"), ("L9", "payment")}


def test_the_books_tell_of_a_debt_the_wrong_way_round(in_school: Tenant) -> None:
    owed = (ledger.clearing("CNY"), ledger.clawback(things.creator(), "CNY"), yuan(1))
    ledger.post(kind=Journal.Kind.MATURITY, key="owed", transfers=[owed], at=LATER)

    found = [(fault.promise, fault.table) for fault in queries.ledger_report().faults]

    assert sorted(found) == [("L7", "account"), ("L7", "journal")]


@pytest.mark.parametrize("minor", [1, 7, 9_999])
def test_late_refunds_in_parts_end_at_the_whole(viewer: Member, course: Item, minor: int) -> None:
    order = bought(viewer, course)
    operations.mature(at=LATER)

    refunded(order, minor)
    refunded(order, key="rest")

    assert stands(course.creator) == {}
    assert ledger.fees("CNY").balance == ledger.processor("CNY").balance == yuan(0)


def test_what_came_back_after_it_led_a_batch_matures_with_a_later_one(course: Item) -> None:
    first, second = (bought(buyer, course) for buyer in shop.viewers(2))
    refund = give_back(first)
    assert operations.mature(at=LATER) == 2  # of the first line nothing was left, the second had its journal
    assert Maturity.objects.get().line == line_of(second)

    operations.fail_refund(refund=refund, reason="no", at=LATER)

    assert operations.mature(at=LATER) == 1
    assert stands(course.creator) == {"available": 2 * 8_940}
    assert shop.books_are_good()
