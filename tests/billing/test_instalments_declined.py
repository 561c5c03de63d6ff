"""Parts that are declined: tried again, given up, paid after all."""

from datetime import UTC, datetime

import pytest

from billing import ledger, operations
from billing.models import Charge, InstalmentPart, InstalmentPlan, Payment
from billing.operations import due_parts, instalments
from billing.providers.sandbox.server import Server
from catalog.models import Access, Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, parts, shop
from tests.billing.members import DAY, decline, may_watch, saved_method, travel
from tests.billing.shop import yuan
from tests.conftest import NOON

JUNE, JULY = datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, 12, tzinfo=UTC)


@pytest.fixture
def plan(sandbox: Server, course: Item, viewer: Member) -> InstalmentPlan:
    return parts.begun(sandbox, course, viewer)


@pytest.fixture
def defaulted(plan: InstalmentPlan, sandbox: Server) -> InstalmentPlan:
    """A plan that was given up on 22 June."""
    decline(sandbox, "soft", times=5)
    travel(JUNE + 21 * DAY)
    return parts.now(plan)


def test_dunning_tries_on_days_2_7_14_and_21_and_then_the_access_ends(
    defaulted: InstalmentPlan, course: Item, viewer: Member
) -> None:
    tried = [(charge.made_at - JUNE).days for charge in Charge.objects.order_by("pk")]

    assert tried == [0, 2, 7, 14, 21]
    assert (defaulted.state, defaulted.due_at, defaulted.failures) == ("defaulted", None, 5)
    assert not may_watch(viewer, course, JUNE + 21 * DAY)
    travel(AUGUST)
    assert Charge.objects.count() == 5
    assert ledger.clearing("CNY").balance == yuan(-3_334)
    assert shop.books_are_good()


@pytest.mark.parametrize(("times", "day"), [(1, 2), (4, 21)])
def test_what_is_paid_on_a_later_day_leaves_the_access_and_the_dates_as_they_were(
    plan: InstalmentPlan, sandbox: Server, course: Item, viewer: Member, times: int, day: int
) -> None:
    decline(sandbox, "soft", times=times)
    travel(JUNE + day * DAY - DAY)
    assert (parts.now(plan).state, may_watch(viewer, course, JUNE + day * DAY - DAY)) == ("past_due", True)

    travel(JUNE + day * DAY)

    going_on = parts.now(plan)
    assert (going_on.state, going_on.paid, going_on.failures, going_on.due_at) == ("active", 2, 0, JULY)


def test_after_a_hard_decline_nothing_is_charged_until_a_new_card_is_and_that_at_once(
    plan: InstalmentPlan, sandbox: Server, viewer: Member
) -> None:
    decline(sandbox, "hard")
    travel(JUNE + 10 * DAY)
    assert (Charge.objects.count(), parts.now(plan).state) == (1, "past_due")

    method = saved_method(sandbox, viewer)
    instalments.change_method(plan=plan, by=viewer, method=method, at=JUNE + 10 * DAY)
    travel(JUNE + 10 * DAY)

    going_on = parts.now(plan)
    assert (going_on.state, going_on.method, going_on.due_at) == ("active", method, JULY)
    assert shop.jobs("renew_subscriptions") == 1


def test_after_a_hard_decline_without_a_new_card_it_defaults(plan: InstalmentPlan, sandbox: Server) -> None:
    decline(sandbox, "hard")

    travel(JULY)

    assert (parts.now(plan).state, Charge.objects.get().state) == ("defaulted", Charge.State.REFUSED)


def test_what_is_owed_is_paid_at_the_page_and_opens_it_again(
    defaulted: InstalmentPlan, sandbox: Server, course: Item, viewer: Member
) -> None:
    order = InstalmentPart.objects.get(number=2).order
    at = JULY + 10 * DAY

    members.paid_at_the_page(sandbox, order, at=at)

    again = parts.now(defaulted)
    assert (again.state, again.paid, again.due_at) == ("active", 2, AUGUST)
    assert may_watch(viewer, course, at)
    assert [access.revoked_at is None for access in Access.objects.order_by("pk")] == [False, True]
    travel(AUGUST)
    assert parts.now(defaulted).state == "paid"
    assert shop.books_are_good()


def test_a_new_card_after_the_default_is_charged_once_and_opens_it_again(
    defaulted: InstalmentPlan, sandbox: Server, course: Item, viewer: Member
) -> None:
    at = JUNE + 25 * DAY
    decline(sandbox)
    for state in ("defaulted", "active"):
        instalments.change_method(plan=defaulted, by=viewer, method=saved_method(sandbox, viewer, at=at), at=at)
        travel(at)
        assert parts.now(defaulted).state == state

    assert parts.now(defaulted).due_at == JULY
    assert may_watch(viewer, course, at)
    assert Charge.objects.count() == 7
    assert shop.books_are_good()


def test_who_has_opened_the_page_is_not_charged_as_well_and_defaults_on_the_last_day(
    plan: InstalmentPlan, sandbox: Server
) -> None:
    decline(sandbox)
    travel(JUNE)
    order = InstalmentPart.objects.get(number=2).order
    assert operations.pay(order=order, at=JUNE + DAY).state == Payment.State.OPEN
    assert operations.paying.lapse_orders(at=JUNE + 20 * DAY) == 0

    travel(JULY)

    assert (Charge.objects.count(), parts.now(plan).state) == (1, "defaulted")


def test_a_part_that_is_not_due_cannot_be_paid_by_hand(plan: InstalmentPlan) -> None:
    assert due_parts.charge_parts(at=JUNE) == 1

    paid = operations.pay(order=InstalmentPart.objects.get(number=2).order, at=JUNE)

    assert (paid.state, paid.checkout_url) == (Payment.State.AGREED, "")


def test_who_is_suspended_is_charged_when_they_are_not_any_more(
    plan: InstalmentPlan, viewer: Member, sandbox: Server
) -> None:
    Member.objects.filter(pk=viewer.pk).update(suspended_at=NOON)
    travel(JUNE + 5 * DAY)
    assert (parts.now(plan).state, Charge.objects.count()) == ("active", 0)

    Member.objects.filter(pk=viewer.pk).update(suspended_at=None)
    travel(JUNE + 6 * DAY)

    assert (parts.now(plan).paid, parts.now(plan).due_at) == (2, JULY)


def test_a_debt_that_is_forgiven_opens_it_again(defaulted: InstalmentPlan, course: Item, viewer: Member) -> None:
    at = JUNE + 22 * DAY
    instalments.forgive(plan=defaulted, by=make.member(Member.Role.STAFF), why="goodwill", at=at)

    assert may_watch(viewer, course, at)
    order = InstalmentPart.objects.get(number=2).order
    assert operations.pay(order=order, at=at).checkout_url == ""
    assert shop.books_are_good()


def test_a_lost_answer_is_asked_for_again_and_nothing_is_charged_twice(plan: InstalmentPlan, sandbox: Server) -> None:
    for kind in ("too_many", "fail_after_commit"):
        shop.fault(sandbox, members.CHARGES, kind)

    travel(JUNE + DAY)

    assert parts.now(plan).paid == 2
    assert len(sandbox.bank.book.tables["charges"]) == 1


def test_what_was_forgiven_while_it_was_charged_is_not_charged(plan: InstalmentPlan, sandbox: Server) -> None:
    due_parts.charge_parts(at=JUNE)
    instalments.forgive(plan=plan, by=make.member(Member.Role.STAFF), why="goodwill", at=JUNE)

    travel(JUNE)

    assert (Charge.objects.get().state, parts.now(plan).state) == (Charge.State.STOPPED, "forgiven")
    assert sandbox.bank.book.tables["charges"] == {}
