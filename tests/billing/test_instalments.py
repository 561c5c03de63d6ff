"""A course for 100 yuan in three monthly parts: 33.34, 33.33 and 33.33."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing import ledger, operations, queries
from billing.models import Account, Charge, InstalmentOffer, InstalmentPart, InstalmentPlan, Invoice, LineShare, Order
from billing.operations import Wanted, instalments
from billing.periods import following_after
from billing.providers import CannotCharge
from billing.providers.sandbox.server import Server
from catalog.models import Access, Item
from catalog.operations import NotYours
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import members, parts, shop
from tests.billing.members import DAY, may_watch, travel
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

JUNE, JULY = datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
moments = some.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001


@pytest.fixture
def plan(sandbox: Server, course: Item, viewer: Member) -> InstalmentPlan:
    """The viewer's, whose first part was paid at noon."""
    return parts.begun(sandbox, course, viewer)


@given(price=some.integers(12, 10**9), count=some.integers(2, 12))
def test_parts_sum_to_the_price_and_none_is_dearer_than_another_by_more_than_a_unit(price: int, count: int) -> None:
    divided = [
        part.minor for part in InstalmentPlan(tenant_id=1, amount=price, currency="CNY", count=count).parts_of_price
    ]

    assert (sum(divided), len(divided)) == (price, count)
    assert 0 < max(divided) - min(divided) + 1 <= 2
    assert divided == sorted(divided, reverse=True), "What is left over comes first."
    assert min(divided) > 0


@given(start=moments, late=some.integers(0, 400))
def test_parts_fall_due_on_the_anchor_day_and_never_before_the_payment(start: datetime, late: int) -> None:
    paid_at = start + timedelta(days=late)

    due = following_after(start, at=paid_at, anchor=start.day, zone=UTC)

    assert paid_at < due <= paid_at + 31 * DAY
    assert due.day == min(start.day, monthrange(due.year, due.month)[1])
    assert due.timetz() == start.timetz()


def test_the_first_part_opens_the_whole_and_two_are_charged_month_by_month(
    plan: InstalmentPlan, course: Item, viewer: Member, sandbox: Server
) -> None:
    assert (plan.state, plan.paid, plan.due_at) == ("active", 1, JUNE)
    assert may_watch(viewer, course, NOON)
    assert ledger.clearing("CNY").balance == yuan(-3_334)

    travel(JULY)

    done = parts.now(plan)
    assert (done.state, done.paid, done.due_at, done.ended_at) == ("paid", 3, None, JULY)
    assert [charge["amount"] for charge in sandbox.bank.book.tables["charges"].values()] == [3_333, 3_333]
    assert list(InstalmentPart.objects.order_by("number").values_list("due_at", flat=True)) == [NOON, JUNE, JULY]
    assert ledger.clearing("CNY").balance == yuan(-10_000)
    assert ledger.pending(course.creator, "CNY").balance == yuan(2_981 + 2_980 + 2_980)
    assert Invoice.objects.count() == 3
    assert may_watch(viewer, course, JULY + 3_650 * DAY)
    assert shop.books_are_good()


def test_each_part_is_taxed_shared_and_matures_by_itself(
    in_school: Tenant, sandbox: Server, course: Item, viewer: Member
) -> None:
    in_school.settings = {"tax_bps": 600, "tax_is_added": True}
    other = things.creator(make.member(Member.Role.CREATOR))
    agreed = operations.propose_collaboration(by=course.creator.member, thing=course, creator=other, bps=5_000, at=NOON)
    operations.agree(collaboration=agreed, by=other.member, at=NOON)

    plan = parts.begun(sandbox, course, viewer, 2)  # 100.00, and 6.00 on top: twice 53.00, of which 3.00 are tax
    travel(JUNE)
    operations.mature(at=NOON + 7 * DAY)

    assert (plan.amount, ledger.tax("CNY").balance) == (10_600, yuan(600))
    shares = [(share.line_id, share.amount) for share in LineShare.objects.filter(creator=other).order_by("pk")]
    assert len(shares) == 2
    assert ledger.available(other, "CNY").balance == yuan(shares[0][1])
    assert ledger.pending(other, "CNY").balance == yuan(shares[1][1])
    assert shop.books_are_good()


def test_a_bundle_is_sold_in_parts_and_opens_all_of_it(sandbox: Server, viewer: Member, creator: Creator) -> None:
    courses = [things.course(creator) for _ in range(2)]
    bundle = shop.offered(creator, *courses, minor=600)
    instalments.offer_in_parts(thing=bundle, by=creator.member, parts=6, at=NOON)
    wanted = Wanted(product=bundle)

    order = instalments.order_in_parts(viewer=viewer, wanted=wanted, parts=6, key="six", at=NOON)
    members.paid_at_the_page(sandbox, order, at=NOON)

    assert order.amount == 100
    assert [may_watch(viewer, course, NOON) for course in courses] == [True, True]


def test_only_its_seller_offers_it_in_parts_and_only_so_many_are_taken(course: Item, viewer: Member) -> None:
    with pytest.raises(NotYours):
        instalments.offer_in_parts(thing=course, by=viewer, parts=3, at=NOON)
    for number in (1, 13):
        with pytest.raises(instalments.BadParts):
            instalments.offer_in_parts(thing=course, by=course.creator.member, parts=number, at=NOON)
    rental = shop.offered(course.creator, course, minor=500, hours=24)
    with pytest.raises(instalments.NotInParts):
        instalments.offer_in_parts(thing=rental, by=course.creator.member, parts=3, at=NOON)
    parts.offered(course, 3)
    parts.offered(course, 4)

    with pytest.raises(instalments.NotInParts):
        instalments.order_in_parts(viewer=viewer, wanted=Wanted(item=course), parts=3, key="three", at=NOON)

    [before, _] = InstalmentOffer.objects.order_by("pk")
    assert (before.parts, before.withdrawn_by) == (3, course.creator.member)


def test_where_nothing_can_be_charged_later_nothing_is_sold_in_parts(course: Item, viewer: Member) -> None:
    admin = make.member(Member.Role.ADMIN)
    public = {"instructions": "Bank 1, account 2", "four_eyes_above": "0"}
    operations.connect_provider(by=admin, provider="offline", public=public, secrets={}, at=NOON)
    operations.choose_checkout(by=admin, provider="offline", at=NOON)

    with pytest.raises(CannotCharge):
        parts.placed(course, viewer)


def test_under_one_key_it_is_one_order_and_nobody_pays_for_a_thing_in_parts_twice(
    course: Item, viewer: Member, sandbox: Server
) -> None:
    order = parts.placed(course, viewer)

    assert parts.placed(course, viewer) == order
    with pytest.raises(Refused) as other:
        operations.order_all(viewer=viewer, wanted=[Wanted(item=course)], key="parts", at=NOON)
    assert other.value.code == "order_key_taken"
    members.paid_at_the_page(sandbox, order, at=NOON)
    with pytest.raises(instalments.AlreadyInParts):
        parts.placed(course, viewer, key="again")


def test_an_order_whose_first_part_nobody_paid_lapses_and_charges_nothing(course: Item, viewer: Member) -> None:
    order = parts.placed(course, viewer)

    assert operations.paying.lapse_orders(at=NOON + 8 * DAY) == 1
    travel(JULY)

    order.refresh_from_db()
    assert order.lapsed_at is not None
    assert InstalmentPlan.objects.get().state == "placed"
    assert Charge.objects.count() == 0
    assert not may_watch(viewer, course, NOON)


def test_the_rest_is_paid_at_once(plan: InstalmentPlan, course: Item, viewer: Member) -> None:
    instalments.pay_rest(plan=plan, by=viewer, at=NOON + DAY)
    with pytest.raises(Refused) as no:
        instalments.pay_rest(plan=plan, by=viewer, at=NOON + DAY)
    travel(NOON + DAY)

    done = parts.now(plan)
    assert no.value.code == "charge_under_way"
    assert (done.state, done.paid) == ("paid", 3)
    assert ledger.clearing("CNY").balance == yuan(-10_000)
    travel(JULY)
    assert Charge.objects.count() == 1
    assert shop.books_are_good()


def test_a_rest_that_is_declined_is_as_if_it_was_never_asked_for(
    plan: InstalmentPlan, viewer: Member, sandbox: Server
) -> None:
    members.decline(sandbox)
    instalments.pay_rest(plan=plan, by=viewer, at=NOON + DAY)
    travel(NOON + 2 * DAY)

    again = parts.now(plan)
    assert (again.state, again.failures, again.due_at) == ("active", 0, JUNE)
    travel(JULY)
    assert parts.now(plan).state == "paid"
    assert ledger.clearing("CNY").balance == yuan(-10_000)
    assert shop.books_are_good()


def test_parts_are_given_back_the_latest_first_and_all_of_them_end_plan_and_access(
    plan: InstalmentPlan, course: Item, viewer: Member
) -> None:
    travel(JUNE)
    staff = make.member(Member.Role.STAFF)
    with pytest.raises(operations.MoreThanWasPaid):
        parts.back(plan, 1, by=staff, at=JUNE)

    parts.back(plan, 2, by=staff, at=JUNE)
    assert (parts.now(plan).state, may_watch(viewer, course, JUNE)) == ("active", True)
    parts.back(plan, 1, by=staff, at=JUNE)

    ended = parts.now(plan)
    assert (ended.state, ended.due_at, may_watch(viewer, course, JUNE)) == ("returned", None, False)
    travel(JULY + 30 * DAY)
    assert Charge.objects.count() == 1
    assert ledger.refund_clearing("CNY").balance == yuan(6_667)
    assert {account.balance.minor for account in Account.objects.filter(kind="pending")} == {0}
    assert shop.books_are_good()


def test_buyers_give_back_within_the_window_of_the_first_part_and_staff_at_any_time(
    plan: InstalmentPlan, viewer: Member
) -> None:
    travel(JUNE)
    with pytest.raises(operations.RefundWindowOver):
        parts.back(plan, 2, by=viewer, at=JUNE)

    parts.back(plan, 2, by=make.member(Member.Role.STAFF), at=JUNE, minor=1_000)

    travel(JULY)
    assert parts.now(plan).state == "paid", "A part of a part given back changes nothing of the plan."


def test_a_first_part_that_is_returned_in_time_ends_it(plan: InstalmentPlan, course: Item, viewer: Member) -> None:
    parts.back(plan, 1, by=viewer, at=NOON + 7 * DAY)

    assert (parts.now(plan).state, may_watch(viewer, course, NOON + 7 * DAY)) == ("returned", False)
    assert shop.books_are_good()


def test_a_refund_that_the_provider_refused_opens_it_again_and_it_goes_on(
    plan: InstalmentPlan, course: Item, viewer: Member
) -> None:
    given = parts.back(plan, 1, by=viewer, at=NOON + DAY)
    operations.fail_refund(refund=given, reason="no", at=NOON + 2 * DAY)

    again = parts.now(plan)
    assert (again.state, again.due_at, may_watch(viewer, course, NOON + 2 * DAY)) == ("active", JUNE, True)
    travel(JULY)
    assert parts.now(plan).state == "paid"
    assert shop.books_are_good()


def test_staff_forgive_what_is_left(plan: InstalmentPlan, course: Item, viewer: Member) -> None:
    with pytest.raises(instalments.NotYourPlan):
        instalments.forgive(plan=plan, by=viewer, why="mine", at=NOON)

    instalments.forgive(plan=plan, by=make.member(Member.Role.STAFF), why="hardship", at=NOON)

    travel(JULY)
    assert (parts.now(plan).state, Charge.objects.count(), may_watch(viewer, course, JULY)) == ("forgiven", 0, True)
    assert [change.why for change in queries.changes_of_plan(plan)] == ["hardship", "part 1"]
    assert shop.books_are_good()


def test_wrong_books_and_wrong_access_are_found(plan: InstalmentPlan) -> None:
    InstalmentPlan.objects.update(paid=2)
    Access.objects.update(revoked_at=NOON)

    faults = {(fault.promise, fault.table, fault.row) for fault in queries.ledger_report().faults}

    assert faults == {("L9", "instalment plan", plan.pk), ("L13", "instalment plan", plan.pk)}


def test_a_price_with_fewer_units_than_parts_is_paid_at_once(viewer: Member) -> None:
    course = shop.course_for(2)
    with pytest.raises(operations.TooLittle):
        parts.placed(course, viewer)
    assert Order.objects.count() == 0
