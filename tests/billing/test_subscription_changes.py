"""Subscriptions that are changed: upgraded, downgraded, paused, cancelled, ended, given to others, given back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing import ledger, operations
from billing.models import Charge, Order, PaymentMethod, Plan, Subscription, SubscriptionChange
from billing.providers.sandbox.server import Server
from catalog.operations import NotYours
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.members import DAY, decline, may_watch, now, other_plan, plan, saved_method, travel
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
# NOON is 1 May 2026.
JUNE, JULY = datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_a_new_method_given_while_a_charge_is_under_way_is_tried_when_that_fails(
    subscription: Subscription, sandbox: Server
) -> None:
    decline(sandbox, "soft", times=2)
    travel(JUNE + DAY)
    operations.renew_some(at=JUNE + 2 * DAY)  # the second charge waits

    method = saved_method(sandbox, subscription.viewer)
    operations.change_method(**members.of_(subscription), method=method, at=JUNE + 2 * DAY)
    travel(JUNE + 2 * DAY)

    assert now(subscription).state == "active"
    assert [charge.state for charge in Charge.objects.order_by("pk")] == ["declined", "declined", "paid"]


def test_an_upgrade_counts_what_is_left_and_charges_the_difference_now(
    subscription: Subscription, club: Plan, creator: Creator
) -> None:
    at = NOON + timedelta(days=15, hours=12)  # half of May is left: 1,500 of 3,000

    operations.upgrade_now(**members.of_(subscription), plan=other_plan(club, 9_000), at=at)
    travel(at)

    of, order = now(subscription), Order.objects.latest("pk")
    assert (order.amount, order.lines.get().discount) == (7_500, 1_500)
    assert (of.plan.product.amount, of.starts_at, of.ends_at) == (9_000, at, at.replace(month=6, day=17, hour=0))
    assert ledger.clearing("CNY").balance == yuan(-10_500)
    assert shop.books_are_good()


def test_a_declined_upgrade_is_as_if_it_was_never_asked_for(
    subscription: Subscription, sandbox: Server, club: Plan
) -> None:
    decline(sandbox)

    operations.upgrade_now(**members.of_(subscription), plan=other_plan(club), at=NOON + DAY)
    travel(JUNE)

    of = now(subscription)
    assert (of.state, of.plan, of.ends_at) == ("active", club, JULY)
    assert ledger.clearing("CNY").balance == yuan(-6_000)
    give_back(Order.objects.earliest("pk"))  # all of it: nothing was counted in


def test_what_was_counted_in_for_an_upgrade_cannot_be_given_back_too(subscription: Subscription, club: Plan) -> None:
    at = NOON + timedelta(days=15, hours=12)
    operations.upgrade_now(**members.of_(subscription), plan=other_plan(club), at=at)
    travel(at)
    first, second = Order.objects.order_by("pk")

    assert give_back(first) == 1_500
    assert give_back(second) == 7_500
    assert give_back(first) == 1_500
    assert shop.books_are_good()


def give_back(order: Order) -> int:
    """Give back what can be, by the staff; return how much that was."""
    staff = make.member(Member.Role.STAFF)
    key = f"{order.pk} {staff.pk}"
    return operations.refund(line=shop.line_of(order), by=staff, amount=None, key=key, at=JUNE).amount


def test_a_downgrade_waits_for_the_period_to_end(subscription: Subscription, club: Plan) -> None:
    cheap = other_plan(club, 1_000)

    operations.downgrade_at_period_end(**members.of_(subscription), plan=cheap, at=NOON)

    assert now(subscription).plan == club
    travel(JUNE)
    of = now(subscription)
    assert (of.plan, of.next_plan, of.ends_at) == (cheap, None, JULY)
    assert ledger.clearing("CNY").balance == yuan(-4_000)


def test_a_downgrade_is_taken_back_by_the_present_plan(subscription: Subscription, club: Plan) -> None:
    for wish in (other_plan(club, 1_000), club):
        operations.downgrade_at_period_end(**members.of_(subscription), plan=wish, at=NOON)
    travel(JUNE)

    assert now(subscription).plan == club


def test_cancelled_it_ends_with_the_period_and_so_does_access(subscription: Subscription, creator: Creator) -> None:
    course = things.course(creator)

    operations.cancel_subscription(**members.of_(subscription), at=NOON + DAY)
    travel(JULY)

    of = now(subscription)
    assert (of.state, of.ended_at) == ("cancelled", JUNE)
    assert may_watch(of.viewer, course, JUNE - DAY)
    assert not may_watch(of.viewer, course, JUNE)
    assert ledger.clearing("CNY").balance == yuan(-3_000)


def test_a_cancellation_is_undone_before_the_end_and_not_after(subscription: Subscription, creator: Creator) -> None:
    course = things.course(creator)
    operations.cancel_subscription(**members.of_(subscription), at=NOON)
    operations.undo_cancel(**members.of_(subscription), at=NOON + DAY)
    travel(JUNE)
    assert now(subscription).ends_at == JULY
    assert may_watch(subscription.viewer, course, JULY + DAY)  # the grace is back as well

    operations.cancel_subscription(**members.of_(subscription), at=JUNE)
    travel(JULY)
    with pytest.raises(operations.NotInThisState):
        operations.undo_cancel(**members.of_(subscription), at=JULY)


def test_who_has_not_paid_and_cancels_has_ended_it_at_once(subscription: Subscription, sandbox: Server) -> None:
    decline(sandbox, "soft", times=9)
    travel(JUNE + DAY)

    operations.cancel_subscription(**members.of_(subscription), at=JUNE + DAY)
    travel(JULY)

    assert (now(subscription).state, now(subscription).ended_at) == ("cancelled", JUNE + DAY)
    assert Charge.objects.count() == 1


def test_paused_nothing_is_charged_and_resumed_in_time_nothing_is_lost(
    subscription: Subscription, creator: Creator
) -> None:
    course = things.course(creator)
    operations.pause_subscription(**members.of_(subscription), at=NOON + DAY)
    assert may_watch(subscription.viewer, course, JUNE - DAY)
    assert not may_watch(subscription.viewer, course, JUNE)

    operations.resume_subscription(**members.of_(subscription), at=NOON + 2 * DAY)
    travel(JUNE)

    assert (now(subscription).state, now(subscription).ends_at) == ("active", JULY)


def test_resumed_later_a_new_period_begins_with_the_day(subscription: Subscription, sandbox: Server) -> None:
    operations.pause_subscription(**members.of_(subscription), at=NOON + DAY)
    travel(JULY)
    assert (now(subscription).state, Charge.objects.count()) == ("paused", 0)
    at = datetime(2026, 7, 31, 12, tzinfo=UTC)
    decline(sandbox, "soft")

    operations.resume_subscription(**members.of_(subscription), at=at)
    travel(at)
    assert now(subscription).state == "past_due"
    travel(at + 2 * DAY)

    of = now(subscription)
    assert (of.state, of.starts_at, of.ends_at) == ("active", at, datetime(2026, 8, 31, 12, tzinfo=UTC))
    travel(of.ends_at)
    assert now(subscription).ends_at == datetime(2026, 9, 30, 12, tzinfo=UTC)


def test_staff_end_a_subscription_at_once_and_say_why(subscription: Subscription, creator: Creator) -> None:
    course, staff = things.course(creator), make.member(Member.Role.STAFF)
    with pytest.raises(operations.NotYourSubscription):
        operations.end_subscription(**members.of_(subscription), why="no", at=NOON)

    operations.end_subscription(subscription=subscription, by=staff, why="spam", at=NOON + DAY)

    assert now(subscription).state == "cancelled"
    assert not may_watch(subscription.viewer, course, NOON + DAY)
    said = SubscriptionChange.objects.latest("pk")
    assert (said.by, said.why, said.before, said.after) == (staff, "spam", "active", "cancelled")


def test_a_membership_is_given_to_somebody_else_for_one_period(sandbox: Server, club: Plan, creator: Creator) -> None:
    giver, friend, course = make.member(), make.member(), things.course(creator)
    gift: dict[str, Any] = {"viewer": giver, "plan": club, "to": friend, "at": NOON}
    order = operations.give_membership(**gift, key="gift")
    assert operations.give_membership(**gift, key="gift") == order

    members.paid_at_the_page(sandbox, order, at=NOON)

    assert [may_watch(who, course, NOON) for who in (friend, giver)] == [True, False]
    assert not may_watch(friend, course, JUNE)
    assert PaymentMethod.objects.count() == 0
    travel(JULY)
    assert Subscription.objects.get().state == "expired"
    assert ledger.clearing("CNY").balance == yuan(-3_000)


def test_a_gift_given_back_is_taken_from_whom_it_was_given_to(sandbox: Server, club: Plan, creator: Creator) -> None:
    giver, friend, course = make.member(), make.member(), things.course(creator)
    order = operations.give_membership(viewer=giver, plan=club, to=friend, key="gift", at=NOON)
    members.paid_at_the_page(sandbox, order, at=NOON)

    shop.give_back(order)

    assert not may_watch(friend, course, NOON)


def test_a_period_that_is_given_back_ends_its_access_only(subscription: Subscription, creator: Creator) -> None:
    course = things.course(creator)
    travel(JUNE)
    second = Order.objects.latest("pk")

    give_back(second)
    assert not may_watch(subscription.viewer, course, JUNE)
    assert may_watch(subscription.viewer, course, JUNE - DAY)
    refund = second.lines.get().refunds.get()
    operations.fail_refund(refund=refund, reason="no", at=JUNE + DAY)
    assert may_watch(subscription.viewer, course, JUNE + DAY)

    travel(JULY)
    assert may_watch(subscription.viewer, course, JULY + DAY)
    assert shop.books_are_good()


@pytest.mark.parametrize("is_charged", [True, False])
def test_what_was_charged_before_the_end_is_booked_and_what_was_not_is_not_charged(
    subscription: Subscription, sandbox: Server, *, is_charged: bool
) -> None:
    operations.renew_some(at=JUNE)
    charge = Charge.objects.get()
    if is_charged:  # and the answer was lost with the process
        asked = {"method": charge.method.reference, "order": str(charge.payment.order_id), "webhook_url": "x"}
        asked |= {"amount": charge.amount, "currency": "CNY"}
        sandbox.bank.write(account="school", path=members.CHARGES, asked=asked, key=charge.key)
    operations.cancel_subscription(**members.of_(subscription), at=JUNE)
    staff = make.member(Member.Role.STAFF)
    operations.end_subscription(subscription=subscription, by=staff, why="", at=JUNE)

    travel(JULY)

    assert now(subscription).state == "cancelled"
    assert Charge.objects.get().state == ("paid" if is_charged else "stopped")
    assert len(sandbox.bank.book.tables["charges"]) == is_charged
    assert ledger.clearing("CNY").balance == yuan(-6_000 if is_charged else -3_000)
    assert shop.books_are_good()


def test_an_upgrade_is_to_something_dearer_of_the_same_creator(subscription: Subscription, club: Plan) -> None:
    for wish, refusal in (
        (other_plan(club, 2_000), operations.NotAnUpgrade),
        (plan(things.creator(), 9_000), operations.OtherMembership),
        (club, operations.OtherMembership),
    ):
        with pytest.raises(refusal):
            operations.upgrade_now(**members.of_(subscription), plan=wish, at=NOON + DAY)


def test_strangers_change_nothing(subscription: Subscription, club: Plan) -> None:
    stranger = make.member()

    with pytest.raises(operations.NotYourSubscription):
        operations.cancel_subscription(subscription=subscription, by=stranger, at=NOON)
    with pytest.raises(NotYours):
        operations.add_plan(tier=club.tier, by=stranger, interval="year", amount=yuan(1), at=NOON)
    with pytest.raises(NotYours):
        operations.make_tier(by=stranger, creator=None, title="Mine", at=NOON)
