"""Subscriptions: joined, tried, and what the clock does to them."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from billing import ledger, operations, queries
from billing.models import Charge, Order, Payment, PaymentMethod, Period, Plan, Subscription
from billing.operations import Wanted
from billing.providers.sandbox.server import Server
from catalog.models import Pass
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.members import DAY, decline, joined, may_watch, now, other_plan, plan, saved_method, travel
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
# NOON is 1 May 2026.
JUNE, JULY = datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_a_member_watches_all_courses_of_the_creator_those_made_later_too(
    subscription: Subscription, creator: Creator
) -> None:
    later, other = things.course(creator), things.course()

    assert may_watch(subscription.viewer, later, NOON)
    assert not may_watch(subscription.viewer, other, NOON)
    assert (subscription.state, subscription.ends_at) == ("active", JUNE)
    assert ledger.pending(creator, "CNY").balance == yuan(2_682)  # 3,000 less 10 % and 0.6 %
    assert subscription.method is not None


def test_a_membership_of_the_tenants_own_pays_into_the_pool_and_opens_everybodys_courses(sandbox: Server) -> None:
    course, of = things.course(), joined(sandbox, make.member(), plan(None))

    assert may_watch(of.viewer, course, NOON)
    assert ledger.pool("CNY").balance == yuan(2_682)


def test_a_tier_may_open_what_is_listed_only(sandbox: Server, creator: Creator) -> None:
    listed, other = things.course(creator), things.course(creator)
    of = joined(sandbox, make.member(), plan(creator, items=(listed,), opens_all=False))

    assert [may_watch(of.viewer, item, NOON) for item in (listed, other)] == [True, False]
    assert not may_watch(of.viewer, listed, JUNE + 7 * DAY)


def test_a_period_is_renewed_when_it_ends_and_charged_to_what_was_saved(
    subscription: Subscription, sandbox: Server
) -> None:
    travel(JUNE)

    of = now(subscription)
    assert (of.state, of.starts_at, of.ends_at) == ("active", JUNE, JULY)
    assert ledger.clearing("CNY").balance == yuan(-6_000)
    assert [c["amount"] for c in sandbox.bank.book.tables["charges"].values()] == [3_000]
    assert shop.books_are_good()


def test_renewing_twice_is_renewing_once(subscription: Subscription) -> None:
    for _ in range(3):
        members.tick(JUNE)

    assert Order.objects.count() == 2
    assert Charge.objects.count() == 1


def test_dunning_tries_on_days_2_7_14_and_21_and_then_the_subscription_expires(
    subscription: Subscription, sandbox: Server, creator: Creator
) -> None:
    course = things.course(creator)
    decline(sandbox, "soft", times=99)

    travel(JUNE + 30 * DAY)

    tried = [(charge.made_at - JUNE).days for charge in Charge.objects.order_by("pk")]
    assert tried == [0, 2, 7, 14, 21]
    of = now(subscription)
    assert (of.state, of.ended_at) == ("expired", JUNE + 21 * DAY)
    assert may_watch(of.viewer, course, JUNE + 6 * DAY)
    assert not may_watch(of.viewer, course, JUNE + 7 * DAY)
    assert ledger.clearing("CNY").balance == yuan(-3_000)


@pytest.mark.parametrize(("declined", "day"), [(1, 2), (2, 7), (3, 14), (4, 21)])
def test_what_is_paid_on_a_later_day_is_paid_for_the_same_period(
    subscription: Subscription, sandbox: Server, declined: int, day: int
) -> None:
    decline(sandbox, "soft", times=declined)

    travel(JUNE + day * DAY)

    of = now(subscription)
    assert (of.state, of.ends_at, of.failures) == ("active", JULY, 0)
    assert Charge.objects.count() == declined + 1
    assert Order.objects.filter(state="paid").count() == 2


def test_after_a_hard_decline_nothing_is_charged_until_a_new_method_is_and_that_at_once(
    subscription: Subscription, sandbox: Server
) -> None:
    decline(sandbox, "hard")
    travel(JUNE + 10 * DAY)
    assert Charge.objects.count() == 1
    assert now(subscription).state == "past_due"

    method = saved_method(sandbox, subscription.viewer)
    operations.change_method(**members.of_(subscription), method=method, at=JUNE + 10 * DAY)
    travel(JUNE + 10 * DAY)

    of = now(subscription)
    assert (of.state, of.ends_at, of.method) == ("active", JULY, method)
    assert shop.jobs("renew_subscriptions") == 1


def test_after_a_hard_decline_without_a_new_method_the_subscription_expires(
    subscription: Subscription, sandbox: Server
) -> None:
    decline(sandbox, "hard")

    travel(JULY)

    of = now(subscription)
    assert (of.state, of.ended_at) == ("expired", JUNE + 21 * DAY)
    assert Charge.objects.get().state == Charge.State.REFUSED


def test_a_refused_method_is_not_taken_again(subscription: Subscription, sandbox: Server) -> None:
    decline(sandbox, "hard")
    travel(JUNE)
    refused = PaymentMethod.objects.get()

    with pytest.raises(operations.MethodNeeded):
        operations.change_method(**members.of_(subscription), method=refused, at=JUNE)


def test_a_trial_costs_nothing_needs_something_to_pay_by_and_goes_on_as_a_membership(
    sandbox: Server, viewer: Member, creator: Creator
) -> None:
    trying, course = plan(creator, trial_days=14), things.course(creator)
    with pytest.raises(operations.MethodNeeded):
        operations.start_trial(viewer=viewer, plan=trying, method=None, at=NOON)

    of = operations.start_trial(viewer=viewer, plan=trying, method=saved_method(sandbox, viewer), at=NOON)

    assert may_watch(viewer, course, NOON + 13 * DAY)
    assert Order.objects.count() == 0
    travel(NOON + 14 * DAY)
    of = now(of)
    assert (of.state, of.starts_at, of.ends_at) == ("active", NOON + 14 * DAY, datetime(2026, 6, 15, 12, tzinfo=UTC))
    assert ledger.clearing("CNY").balance == yuan(-3_000)


def test_a_trial_is_had_once(sandbox: Server, viewer: Member, creator: Creator) -> None:
    trying = plan(creator, trial_days=14)
    method = saved_method(sandbox, viewer)
    of = operations.start_trial(viewer=viewer, plan=trying, method=method, at=NOON)
    operations.cancel_subscription(**members.of_(of), at=NOON)
    travel(JUNE)

    assert now(of).state == "cancelled"
    with pytest.raises(operations.NoTrial):
        operations.start_trial(viewer=viewer, plan=trying, method=method, at=JUNE)


def test_after_a_standstill_of_months_only_the_period_of_now_is_charged(subscription: Subscription) -> None:
    at = datetime(2026, 9, 20, 12, tzinfo=UTC)

    members.tick(at)

    of = now(subscription)
    assert (of.starts_at, of.ends_at) == (at, datetime(2026, 10, 20, 12, tzinfo=UTC))
    assert Charge.objects.count() == 1


def test_two_first_periods_paid_at_once_are_two_and_one_is_renewed(sandbox: Server, viewer: Member, club: Plan) -> None:
    wanted = [Wanted(product=club.product)]
    orders = [operations.order_all(viewer=viewer, wanted=wanted, key=key, at=NOON) for key in "ab"]
    for order in orders:
        members.paid_at_the_page(sandbox, order, at=NOON)

    assert sorted(Subscription.objects.values_list("renews", flat=True)) == [False, True]
    travel(JUNE)
    assert ledger.clearing("CNY").balance == yuan(-9_000)


def test_who_is_a_member_cannot_join_again_nor_can_the_creator_join_their_own(
    subscription: Subscription, club: Plan, creator: Creator
) -> None:
    assert creator.member is not None
    for who in (subscription.viewer, creator.member):
        with pytest.raises(Refused):
            operations.order_all(viewer=who, wanted=[Wanted(product=club.product)], key="again", at=NOON)


def test_an_invoice_is_paid_at_the_providers_page_when_it_was_declined_and_not_before(
    subscription: Subscription, sandbox: Server
) -> None:
    decline(sandbox)
    operations.renew_some(at=JUNE)
    order = Order.objects.latest("pk")
    payment = operations.pay(order=order, at=JUNE)  # its charge is under way
    assert (payment.state, payment.checkout_url) == (Payment.State.AGREED, "")
    travel(JUNE)

    members.paid_at_the_page(sandbox, order, at=JUNE + DAY)
    travel(JUNE + 7 * DAY)

    of = now(subscription)
    assert (of.state, of.ends_at, of.method) == ("active", JULY, PaymentMethod.objects.latest("pk"))
    assert (Charge.objects.count(), Period.objects.count()) == (1, 2)
    assert shop.books_are_good()


def test_a_charge_that_is_not_booked_and_a_period_that_opens_nothing_are_found(subscription: Subscription) -> None:
    travel(JUNE)
    paid, renewal = Charge.objects.get(), members.periods(subscription)[1]

    Charge.objects.update(state=Charge.State.DECLINED)
    Pass.objects.filter(source=renewal.source).delete()

    faults = [(fault.promise, fault.table, fault.row) for fault in queries.ledger_report().faults]
    assert faults == [("L13", "period", renewal.pk), ("L8", "payment", paid.payment_id)]


def test_a_charge_of_what_was_never_booked_is_found(subscription: Subscription) -> None:
    operations.renew_some(at=JUNE)
    Charge.objects.update(state=Charge.State.PAID)

    assert [(fault.promise, fault.table) for fault in queries.ledger_report().faults] == [("L8", "charge")]


def test_a_lost_answer_is_asked_for_again_and_nothing_is_charged_twice(
    subscription: Subscription, sandbox: Server
) -> None:
    for kind in ("too_many", "fail_after_commit"):
        shop.fault(sandbox, members.CHARGES, kind)

    travel(JUNE + DAY)

    assert now(subscription).state == "active"
    assert len(sandbox.bank.book.tables["charges"]) == 1


def test_while_the_outcome_is_not_known_nothing_else_is_charged_or_changed(
    subscription: Subscription, sandbox: Server, settings: Settings, club: Plan
) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    members.tick(JUNE)
    assert Charge.objects.get().state == Charge.State.NEW

    with pytest.raises(operations.ChargeUnderWay):
        operations.upgrade_now(**members.of_(subscription), plan=other_plan(club), at=JUNE)
    members.tick(JUNE + 3 * DAY)
    assert Charge.objects.count() == 1

    settings.SANDBOX_URL = sandbox.address
    members.tick(JUNE + 4 * DAY)
    assert now(subscription).state == "active"


def test_nobody_joins_a_tier_that_was_withdrawn_and_who_is_in_it_stays(subscription: Subscription, club: Plan) -> None:
    assert club.tier.creator is not None
    operations.withdraw_tier(tier=club.tier, by=club.tier.creator.member, at=NOON)

    with pytest.raises(operations.NotOffered):
        operations.order_all(viewer=make.member(), wanted=[Wanted(product=club.product)], key="late", at=NOON)
    travel(JUNE)
    assert now(subscription).state == "active"
