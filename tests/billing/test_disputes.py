"""A buyer disputes a course for 100 yuan, of which the creator has 89.40, the platform 10.00 and the provider 0.60."""

from datetime import timedelta
from typing import Any

import pytest

from billing import ledger, operations
from billing.models import DisputePart, LineShare, Order, StateChange
from billing.providers import Stand
from catalog.models import Item
from catalog.queries import watchable_by
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.disputes import NOW, say
from tests.billing.shop import bought, give_back, line_of, payment_of, yuan
from tests.billing.test_maturity import paid_out, refunded, stands
from tests.catalog import things
from tests.conftest import NOON

WEEK = timedelta(days=7)


def held() -> int:
    return ledger.dispute("CNY").balance.minor


def may_watch(viewer: Member, course: Item) -> bool:
    return watchable_by(viewer, at=NOW).filter(pk=course.pk).exists()


def test_what_is_disputed_is_held_and_what_is_lost_stays_away(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)

    dispute = say(order, Stand.NEEDS_RESPONSE)
    assert (dispute.state, dispute.held, stands(course.creator), held()) == ("needs_response", 10_000, {}, 10_000)
    assert may_watch(viewer, course), "Nothing is decided yet."
    say(order, Stand.NEEDS_RESPONSE, is_withdrawn=True, fee=yuan(1_500))
    assert (held(), ledger.clearing("CNY").balance) == (0, yuan(0))
    assert (ledger.fees("CNY").balance, ledger.processor("CNY").balance) == (yuan(-1_500), yuan(1_500))
    dispute = say(order, Stand.LOST, is_withdrawn=True, fee=yuan(1_500))

    assert (dispute.state, Order.objects.get().state, may_watch(viewer, course)) == ("lost", "refunded", False)
    assert (stands(course.creator), operations.mature(at=NOON + WEEK), stands(course.creator)) == ({}, 1, {})
    told = StateChange.objects.filter(of="dispute", row=dispute.pk).order_by("pk").values_list("before", "after", "why")
    assert list(told) == [("", "needs_response", "fraudulent"), ("needs_response", "lost", "fraudulent")]
    assert shop.books_are_good()


def test_a_won_dispute_leaves_everything_as_it_was(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    taken: dict[str, Any] = {"is_withdrawn": True, "fee": yuan(1_500)}
    say(order, Stand.NEEDS_RESPONSE, **taken)
    operations.mature(at=NOON + WEEK)

    dispute = say(order, Stand.WON, **taken, is_reinstated=True, fee_back=yuan(1_500))

    assert (dispute.held, dispute.fee_back, line_of(order).disputed) == (0, 1_500, 0)
    assert (held(), ledger.clearing("CNY").balance) == (0, yuan(-10_000))
    assert (ledger.fees("CNY").balance, ledger.processor("CNY").balance) == (yuan(1_000), yuan(60))
    assert stands(course.creator) == {"pending": 8_940}
    assert operations.mature(at=NOON + WEEK) == 1
    assert (stands(course.creator), may_watch(viewer, course)) == ({"available": 8_940}, True)
    assert shop.books_are_good()


def test_what_was_paid_out_and_is_lost_is_a_debt(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    operations.mature(at=NOON + WEEK)
    paid_out(course.creator, 8_000)

    say(order, Stand.NEEDS_RESPONSE)
    assert stands(course.creator) == {"clawback": -8_000}
    say(order, Stand.WON)

    assert stands(course.creator) == {"available": 940}
    assert shop.books_are_good()


def test_an_enquiry_moves_no_money_and_can_become_a_dispute(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)

    assert (say(order, Stand.WARNING).state, held(), stands(course.creator)) == ("warning", 0, {"pending": 8_940})
    assert say(order, Stand.CLOSED).decided_at == NOW
    dispute = say(order, Stand.NEEDS_RESPONSE)

    assert (dispute.state, dispute.decided_at, held()) == ("needs_response", None, 10_000)


def test_what_is_about_one_line_takes_that_line(viewer: Member, course: Item) -> None:
    other = shop.course_for(3_000)
    order = shop.bought_all(viewer, *(operations.Wanted(item=item) for item in (course, other)))

    say(order, Stand.LOST, amount=yuan(3_000))

    assert (may_watch(viewer, course), may_watch(viewer, other)) == (True, False)
    assert (stands(course.creator), stands(other.creator)) == ({"pending": 8_940}, {})
    assert Order.objects.get().state == "paid"
    assert shop.books_are_good()


def test_what_is_about_no_line_takes_of_each_and_ends_none(viewer: Member, course: Item) -> None:
    other = shop.course_for(3_000)
    order = shop.bought_all(viewer, *(operations.Wanted(item=item) for item in (course, other)))

    say(order, Stand.LOST, amount=yuan(1_300))

    assert list(DisputePart.objects.order_by("line").values_list("amount", flat=True)) == [1_000, 300]
    assert (may_watch(viewer, course), may_watch(viewer, other)) == (True, True)
    assert stands(course.creator) == {"pending": 8_940 - 894}


def test_what_is_disputed_cannot_be_given_back_as_well(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    say(order, Stand.NEEDS_RESPONSE, amount=yuan(6_000))

    with pytest.raises(operations.MoreThanWasPaid):
        give_back(order, 4_001)
    give_back(order, key="rest")
    with pytest.raises(operations.MoreThanWasPaid):
        give_back(order, 1, key="more")

    assert line_of(order).left == 0
    say(order, Stand.WON, amount=yuan(6_000))
    assert refunded(order).amount == 6_000
    assert shop.books_are_good()


def test_what_was_given_back_is_not_taken_again_until_that_fails(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    given = give_back(order, 4_000)

    dispute = say(order, Stand.NEEDS_RESPONSE, is_withdrawn=True)
    assert (dispute.held, line_of(order).left, held()) == (6_000, 0, -4_000), "The bank took 40.00 that had gone."
    assert shop.books_are_good()
    operations.fail_refund(refund=given, reason="charge_disputed", at=NOON)
    assert shop.jobs("hear_of_dispute") == 1
    dispute = say(order, Stand.NEEDS_RESPONSE, is_withdrawn=True)

    assert (dispute.held, held(), stands(course.creator)) == (10_000, 0, {})
    assert may_watch(viewer, course)
    say(order, Stand.LOST, is_withdrawn=True)
    assert not may_watch(viewer, course)
    assert shop.books_are_good()


def test_the_fee_is_borne_by_those_who_got_the_money_if_the_tenant_says_so(
    in_school: Tenant, viewer: Member, course: Item
) -> None:
    in_school.settings = {"dispute_fee_by": "creator"}
    order, other = shop.ordered(viewer, course), things.creator(make.member())
    for creator, role, amount in ((course.creator, "owner", 6_000), (other, "collaborator", 2_940)):
        LineShare.objects.create(line=line_of(order), creator=creator, role=role, amount=amount)
    operations.capture(payment=payment_of(order), reference="co", at=NOON)

    taken: dict[str, Any] = {"is_withdrawn": True, "fee": yuan(1_490)}
    dispute = say(order, Stand.NEEDS_RESPONSE, **taken)
    assert (dispute.fee_by, stands(course.creator), stands(other)) == (
        "creator",
        {"clawback": -1_000},
        {"clawback": -490},
    )
    say(order, Stand.WON, **taken, is_reinstated=True, fee_back=yuan(745))

    assert (stands(course.creator), stands(other)) == (
        {"pending": 6_000, "clawback": -500},
        {"pending": 2_940, "clawback": -245},
    )
    assert shop.books_are_good()


def test_coins_that_were_spent_are_the_platforms_loss(viewer: Member, course: Item) -> None:
    order = shop.coined(viewer, 10_000)
    rose = operations.make_gift(by=make.member(Member.Role.STAFF), name_zh="玫瑰", name_en="Rose", coins=300, at=NOON)
    operations.give_gift(viewer=viewer, gift=rose, creator=course.creator, key="rose", at=NOON)
    before = ledger.fees("CNY").balance

    say(order, Stand.NEEDS_RESPONSE)
    assert ledger.coins(viewer, "CNY").balance == yuan(0)
    assert ledger.fees("CNY").balance == before - yuan(3_000)
    assert shop.books_are_good()
    say(order, Stand.WON)

    assert ledger.coins(viewer, "CNY").balance == yuan(7_000)
    assert ledger.fees("CNY").balance == before
    assert shop.books_are_good()


def test_a_consultation_that_is_disputed_costs_no_second_refund(viewer: Member, course: Item) -> None:
    asked = shop.asked_for(viewer, course.creator)
    order = asked.line.order

    say(order, Stand.NEEDS_RESPONSE)
    assert operations.expire_consultation(consultation=asked, at=NOON + timedelta(days=1))
    say(order, Stand.LOST)

    assert (order.lines.get().disputed, order.lines.get().refunded) == (10_000, 0)
    assert shop.books_are_good()
