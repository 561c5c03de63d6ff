"""Memberships where things meet: several things in an order, refunds and upgrades, a clock that stood still."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings

from billing import ledger, operations
from billing.models import Charge, Order, Plan, Subscription
from billing.operations import Wanted
from billing.providers.sandbox.server import Server
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.members import DAY, may_watch, now, other_plan, plan, saved_method, travel
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
# NOON is 1 May 2026.
JUNE, JULY = datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_two_memberships_are_two_orders(viewer: Member, club: Plan) -> None:
    wanted = [Wanted(product=club.product), Wanted(product=other_plan(club, interval="year").product)]

    with pytest.raises(operations.MixedOrder):
        operations.order_all(viewer=viewer, wanted=wanted, key="both", at=NOON)


def test_a_membership_bought_with_something_else_is_upgraded_for_what_it_cost_itself(
    sandbox: Server, viewer: Member, club: Plan
) -> None:
    wanted = [Wanted(product=club.product), Wanted(item=shop.course_for(10_000))]
    order = operations.order_all(viewer=viewer, wanted=wanted, key="both", at=NOON)
    members.paid_at_the_page(sandbox, order, at=NOON)
    of = Subscription.objects.get(periods__order=order)

    operations.upgrade_now(**members.of_(of), plan=other_plan(club, 9_000), at=NOON + DAY)

    assert Order.objects.latest("pk").lines.get().discount == 2_903  # 30 days of 31


def test_an_upgrade_that_staff_ended_before_it_was_charged_has_spent_nothing(
    subscription: Subscription, club: Plan
) -> None:
    first, staff = Order.objects.get(), make.member(Member.Role.STAFF)
    operations.upgrade_now(**members.of_(subscription), plan=other_plan(club), at=NOON + DAY)
    operations.end_subscription(subscription=subscription, by=staff, why="spam", at=NOON + DAY)
    travel(NOON + 2 * DAY)
    assert Charge.objects.get().state == Charge.State.STOPPED

    back = operations.refund(line=shop.line_of(first), by=staff, amount=None, key="back", at=JUNE)

    assert back.amount == 3_000


@pytest.mark.parametrize("is_charged", [True, False])
def test_who_cancels_before_the_provider_was_asked_is_not_charged(
    subscription: Subscription, sandbox: Server, creator: Creator, *, is_charged: bool
) -> None:
    course = things.course(creator)
    operations.renew_some(at=JUNE)
    charge = Charge.objects.get()
    if is_charged:  # and the answer was lost
        asked = {"method": charge.method.reference, "order": str(charge.payment.order_id), "webhook_url": "x"}
        asked |= {"amount": charge.amount, "currency": "CNY"}
        sandbox.bank.write(account="school", path=members.CHARGES, asked=asked, key=charge.key)

    operations.cancel_subscription(**members.of_(subscription), at=JUNE)
    travel(JUNE + DAY)

    of = now(subscription)
    assert len(sandbox.bank.book.tables["charges"]) == is_charged
    assert (of.state, of.renews) == ("active" if is_charged else "cancelled", False)
    assert may_watch(of.viewer, course, JULY - DAY) == is_charged
    assert ledger.clearing("CNY").balance == yuan(-6_000 if is_charged else -3_000)
    assert shop.books_are_good()


def test_who_worked_on_a_membership_has_their_part_of_each_renewal(
    sandbox: Server, viewer: Member, club: Plan, creator: Creator
) -> None:
    other = things.creator(make.member(Member.Role.CREATOR))
    assert creator.member is not None
    assert other.member is not None
    offered = operations.propose_collaboration(by=creator.member, thing=club.product, creator=other, bps=5_000, at=NOON)
    operations.agree(collaboration=offered, by=other.member, at=NOON)
    members.joined(sandbox, viewer, club)
    assert ledger.pending(other, "CNY").balance == yuan(1_341)

    travel(JUNE)

    assert ledger.pending(other, "CNY").balance == ledger.pending(creator, "CNY").balance == yuan(2_682)


def test_what_is_paid_when_its_period_is_over_pays_for_a_period_from_now_on(
    subscription: Subscription, creator: Creator
) -> None:
    course, late = things.course(creator), datetime(2026, 7, 20, 12, tzinfo=UTC)
    operations.renew_some(at=JUNE)  # and then the provider did not answer for seven weeks

    members.tick(late)

    of = now(subscription)
    assert (of.starts_at, of.ends_at) == (late, datetime(2026, 8, 20, 12, tzinfo=UTC))
    assert may_watch(of.viewer, course, of.ends_at - DAY)
    assert Charge.objects.count() == 1
    assert shop.books_are_good()


def test_nobody_pays_for_days_on_which_they_could_not_watch_because_nothing_was_charged(
    subscription: Subscription,
) -> None:
    late = JUNE + 9 * DAY

    members.tick(late)

    assert (now(subscription).starts_at, now(subscription).ends_at) == (late, datetime(2026, 7, 10, 12, tzinfo=UTC))


@pytest.mark.parametrize("is_past_due", [True, False])
def test_who_is_suspended_is_not_charged_and_goes_on_when_they_are_back(
    subscription: Subscription, sandbox: Server, *, is_past_due: bool
) -> None:
    if is_past_due:
        members.decline(sandbox)
        travel(JUNE)
    viewer, charges = subscription.viewer, Charge.objects.count()
    Member.objects.filter(pk=viewer.pk).update(suspended_at=JUNE)

    travel(JULY + 30 * DAY)

    assert (now(subscription).state, Charge.objects.count()) == ("paused", charges)
    Member.objects.filter(pk=viewer.pk).update(suspended_at=None)
    operations.resume_subscription(**members.of_(now(subscription)), at=JULY + 30 * DAY)
    travel(JULY + 30 * DAY)
    assert now(subscription).state == "active"


def test_a_plan_that_is_sold_no_longer_is_neither_tried_nor_given_nor_changed_to(
    subscription: Subscription, sandbox: Server, club: Plan, creator: Creator
) -> None:
    viewer, tried = make.member(), plan(creator, trial_days=14)
    dearer = other_plan(club)
    for gone in (tried, dearer):
        operations.withdraw_product(product=gone.product, by=make.member(Member.Role.STAFF), at=NOON)
        gone.product.refresh_from_db()

    with pytest.raises(operations.NotOffered):
        operations.start_trial(viewer=viewer, plan=tried, method=saved_method(sandbox, viewer), at=NOON)
    with pytest.raises(operations.NotOffered):
        operations.give_membership(viewer=viewer, plan=tried, to=make.member(), key="gift", at=NOON)
    for change in (operations.upgrade_now, operations.downgrade_at_period_end):
        with pytest.raises(operations.OtherMembership):
            change(**members.of_(subscription), plan=dearer, at=NOON + DAY)


def test_free_days_are_had_once_although_they_were_used_for_another_tier(
    sandbox: Server, viewer: Member, creator: Creator
) -> None:
    small, large = plan(creator, trial_days=14), plan(creator, 9_000)
    method = saved_method(sandbox, viewer)
    of = operations.start_trial(viewer=viewer, plan=small, method=method, at=NOON)
    operations.upgrade_now(**members.of_(of), plan=large, at=NOON + DAY)

    with pytest.raises(operations.NoTrial):
        operations.start_trial(viewer=viewer, plan=small, method=method, at=NOON + 2 * DAY)


def test_a_method_that_was_refused_for_one_membership_is_not_charged_for_another(
    subscription: Subscription, sandbox: Server, viewer: Member
) -> None:
    second = members.joined(sandbox, viewer, plan(things.creator()))
    Subscription.objects.filter(pk=second.pk).update(method=subscription.method)
    members.decline(sandbox, "hard")

    members.tick(JUNE)

    assert len(sandbox.bank.book.tables["charges"]) == 1
    assert [now(of).state for of in (subscription, second)] == ["past_due", "past_due"]


def test_a_charge_that_is_not_answered_keeps_no_other_from_being_collected(
    subscription: Subscription, sandbox: Server, club: Plan
) -> None:
    others = [members.joined(sandbox, make.member(), club) for _ in range(2)]
    operations.renew_some(at=JUNE)
    shop.fault(sandbox, members.CHARGES, "too_many")

    assert operations.collect_next(at=JUNE) == 2

    assert sorted(now(of).state for of in (subscription, *others)) == ["active"] * 3
    assert list(Charge.objects.order_by("pk").values_list("state", flat=True)) == ["new", "paid", "paid"]
    assert shop.books_are_good()


def test_a_provider_that_does_not_answer_at_all_is_left_alone_for_a_while(
    subscription: Subscription, sandbox: Server, club: Plan, settings: Settings
) -> None:
    for _ in range(4):
        members.joined(sandbox, make.member(), club)
    operations.renew_some(at=JUNE)
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    assert operations.collect_next(at=JUNE) == 0

    charges = Charge.objects.order_by("pk")
    assert [charge.due_at > JUNE for charge in charges] == [True] * 5
    told = [charge.reason for charge in charges]
    assert (len(set(told[:3])), len(set(told[3:])), told[0] == told[3]) == (1, 1, False)
    settings.SANDBOX_URL = sandbox.address
    assert operations.collect_next(at=JUNE + DAY) == 5


def test_in_the_moment_in_which_a_period_begins_there_is_nothing_to_upgrade(
    subscription: Subscription, sandbox: Server, club: Plan, creator: Creator
) -> None:
    trying = make.member()
    trial = operations.start_trial(
        viewer=trying, plan=plan(creator, trial_days=14), method=saved_method(sandbox, trying), at=NOON
    )

    for of in (trial, now(subscription)):
        with pytest.raises(operations.NotInThisState):
            operations.upgrade_now(**members.of_(of), plan=other_plan(of.plan), at=of.starts_at)


def test_a_membership_that_a_coupon_pays_for_wholly_begins_at_once_and_asks_for_a_card_when_it_is_to_be_renewed(
    viewer: Member, club: Plan
) -> None:
    assert club.product.creator
    coupon = shop.coupon(club.product.creator, bps=10_000)
    told: dict[str, Any] = {"coupon": coupon.code, "key": "free", "at": NOON}

    order = operations.order_all(viewer=viewer, wanted=[Wanted(product=club.product)], **told)

    of = Subscription.objects.get(viewer=viewer)
    assert (order.state, of.state, of.renews, of.method) == ("paid", "active", True, None)
    members.tick(of.ends_at)
    of.refresh_from_db()
    assert of.state == "past_due"
    assert shop.books_are_good()
