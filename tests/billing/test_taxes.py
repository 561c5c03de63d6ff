"""Taxes by place and day, in the price or added to it, and tax ids."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing import ledger, operations, queries
from billing.models import OrderLine, TaxRule
from billing.operations import papers
from billing.operations.tax_ids import checked_tax_id
from billing.operations.terms import Terms
from billing.providers.sandbox.server import Server
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import members, shop
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

GOOD = "91110000600037341L"
TODAY = NOON.date()


def rule(place: str, bps: int, starts_on: date = TODAY, ends_on: date | None = None, **more: Any) -> TaxRule:
    staff = make.member(Member.Role.STAFF)
    told: dict[str, Any] = {
        "place": place,
        "bps": bps,
        "is_exclusive": False,
        "starts_on": starts_on,
        "ends_on": ends_on,
    }
    return papers.set_tax_rule(by=staff, at=NOON, **told | more)


def tax_paid(viewer: Member, minor: int) -> tuple[int, int]:
    """Return the amount and the tax of a course that costs so much."""
    line = OrderLine.objects.get(order=shop.ordered(viewer, shop.course_for(minor), key=f"{next(make.numbers)}"))
    return line.amount, line.tax


def billed_in(viewer: Member, place: str) -> None:
    papers.bill_to(member=viewer, place=place, title="", tax_id="", at=NOON)


def test_the_tax_is_that_of_the_place_else_of_its_country_else_of_anywhere(viewer: Member) -> None:
    rule("", 100)
    rule("CN", 600)
    rule("CN-31", 900)
    places = {"CN-31": 900, "CN-11": 600, "CN": 600, "DE": 100, "": 100}

    for place, bps in places.items():
        billed_in(viewer, place)
        found = queries.rule_for(queries.place_of(viewer), queries.tax_rules_on(TODAY))
        assert (place, found and found.bps) == (place, bps)


def test_a_tax_holds_from_its_first_day_to_its_last(in_school: Tenant) -> None:
    rule("CN", 600, TODAY, TODAY + timedelta(days=9))
    days = [TODAY + timedelta(days=day) for day in (-1, 0, 9, 10)]

    assert ["CN" in queries.tax_rules_on(day) for day in days] == [False, True, True, False]


def test_a_tax_may_begin_on_the_first_day_there_is(in_school: Tenant) -> None:
    rule("CN", 600, date.min)

    assert "CN" in queries.tax_rules_on(TODAY)


def test_the_next_tax_ends_the_one_before_and_two_at_once_are_refused(in_school: Tenant) -> None:
    first = rule("CN", 600)
    rule("CN", 900, TODAY + timedelta(days=10))

    first.refresh_from_db()
    assert first.ends_on == TODAY + timedelta(days=9)
    for days in ((-5, 0), (9, 9), (5, None)):
        begin, end = TODAY + timedelta(days=days[0]), days[1]
        with pytest.raises(papers.TwoTaxes):
            rule("CN", 100, begin, None if end is None else TODAY + timedelta(days=end))
        assert TaxRule.objects.count() == 2


def test_after_a_tax_for_some_days_the_one_before_goes_on(in_school: Tenant) -> None:
    rule("CN", 600)
    rule("CN", 300, TODAY + timedelta(days=10), TODAY + timedelta(days=19))

    days = [TODAY + timedelta(days=day) for day in (9, 10, 19, 20, 900)]
    assert [queries.tax_rules_on(day)["CN"].bps for day in days] == [600, 300, 300, 600, 600]
    rule("CN", 900, TODAY + timedelta(days=30), date.max)
    assert [queries.tax_rules_on(day)["CN"].bps for day in (days[-2], days[-1], date.max)] == [600, 900, 900]


def test_a_tax_is_a_part_of_the_price_or_added_to_it(viewer: Member) -> None:
    rule("CN", 600)
    rule("US", 600, is_exclusive=True)
    billed_in(viewer, "CN")
    assert tax_paid(viewer, 10_600) == (10_600, 600)

    billed_in(viewer, "US")
    assert tax_paid(viewer, 10_000) == (10_600, 600)


@given(
    price=some.integers(0, 10**9),
    tax=some.integers(0, 10_000),
    processor=some.integers(0, 300),
    is_added=some.booleans(),
)
def test_the_parts_are_what_the_buyer_pays_and_an_added_tax_is_what_was_added(
    price: int,
    tax: int,
    processor: int,
    is_added: bool,  # noqa: FBT001  drawn
) -> None:
    terms = Terms(tax_bps=tax, processor_bps=processor, platform_bps=1_000, tax_is_added=is_added)

    gross, parts = terms.gross(yuan(price)), terms.divide(yuan(price))

    assert sum(part.minor for part in parts.values()) == gross.minor
    assert all(part.minor >= 0 for part in parts.values())
    if is_added:
        assert parts["tax"] == gross - yuan(price)
        assert abs(parts["tax"].minor * 10_000 - price * tax) <= 5_000
        assert abs(parts["processor"].minor * 10_000 - gross.minor * processor) <= 20_000
    else:
        assert gross == yuan(price)
        assert abs(parts["tax"].minor * (10_000 + tax) - price * tax) < 10_000 + tax


def test_what_is_added_is_exactly_the_tax_where_the_largest_remainder_would_say_less(in_school: Tenant) -> None:
    terms = Terms(tax_bps=900, processor_bps=60, platform_bps=1_000, tax_is_added=True)

    parts = terms.divide(yuan(50))

    # 4.5 units are rounded up to 5; 0.327 and 5 units are the others', 44.673 the creator's.
    assert [part.minor for part in parts.values()] == [5, 0, 5, 45]


def test_a_coupon_and_shares_leave_an_added_tax_exact(viewer: Member) -> None:
    rule("US", 725, is_exclusive=True)
    billed_in(viewer, "US")
    course, partner = shop.course_for(9_999), things.creator()
    agreed = operations.propose_collaboration(
        by=course.creator.member, thing=course, creator=partner, bps=3_333, at=NOON
    )
    operations.agree(collaboration=agreed, by=partner.member, at=NOON)
    coupon = shop.coupon(course.creator, bps=3_333)

    order = shop.bought_all(viewer, operations.Wanted(item=course), coupon=coupon.code)

    line = shop.line_of(order)
    # 99.99 less 33.32 are 66.67; 7.25 % of it are 4.83, of the whole price 7.25.
    assert (line.amount, line.tax, line.discount) == (6_667 + 483, 483, 9_999 + 725 - 7_150)
    assert sum(line.shares.values_list("amount", flat=True)) == line.share
    assert shop.books_are_good()


def test_a_membership_has_the_tax_of_the_members_place_with_each_period(sandbox: Server, viewer: Member) -> None:
    rule("US", 600, is_exclusive=True)
    rule("CN", 600)
    billed_in(viewer, "US")
    plan = members.plan(things.creator(), 3_000)
    joined = members.joined(sandbox, viewer, plan)
    billed_in(viewer, "CN")

    members.travel(NOON + timedelta(days=32))

    paid = [period.order.lines.get() for period in members.periods(joined) if period.order]
    assert [(line.amount, line.tax) for line in paid] == [(3_180, 180), (3_000, 170)]


def test_an_upgrade_is_taxed_for_what_is_added_to_the_rest_of_the_old_period(sandbox: Server, viewer: Member) -> None:
    rule("US", 600, is_exclusive=True)
    billed_in(viewer, "US")
    cheap = members.plan(things.creator(), 3_000)
    joined = members.joined(sandbox, viewer, cheap)

    dear, half = members.other_plan(cheap, 9_000), NOON + timedelta(days=15, hours=12)
    operations.upgrade_now(subscription=joined, by=viewer, plan=dear, at=half)

    line = OrderLine.objects.order_by("pk").last()
    assert line
    # 95.40 less half of the 31.80 that were paid: 79.50, of which 4.50 are tax.
    assert (line.amount, line.discount, line.tax) == (7_950, 1_590, 450)


def test_a_gift_of_coins_has_the_tax_of_who_gives_inside(viewer: Member) -> None:
    rule("US", 600, is_exclusive=True)
    billed_in(viewer, "US")
    pack = shop.coined(viewer, 10_600)
    assert shop.line_of(pack).tax == 0
    rose = operations.make_gift(by=make.member(Member.Role.STAFF), name_zh="玫瑰", name_en="Rose", coins=106, at=NOON)

    operations.give_gift(viewer=viewer, gift=rose, creator=things.creator(), key="rose", at=NOON)

    assert ledger.tax("CNY").balance == yuan(60)


@pytest.mark.parametrize(
    ("place", "said", "kept"),
    [
        ("", " 911100006 00037341l ", GOOD),
        ("CN-31", GOOD, GOOD),
        ("DE", "136 695 976", "136695976"),
        ("US", "536-90-4399", "536904399"),
        ("GB", "GB 980 7806 84", "980780684"),
    ],
)
def test_a_tax_id_is_kept_as_its_country_writes_it(place: str, said: str, kept: str) -> None:
    assert checked_tax_id(said, place=place) == kept


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("CN", "91110000600037341M"),
        ("CN", "91110000600037341"),
        ("CN", "9111000060003734IL"),
        ("CN", "x" * 18),
        ("DE", "136695978"),
        ("DE", GOOD),
        ("AQ", "1"),
    ],
)
def test_what_cannot_be_a_tax_id_is_refused(place: str, said: str) -> None:
    with pytest.raises(papers.BadTaxId):
        checked_tax_id(said, place=place)


@given(place=some.integers(0, 16), other=some.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_is_found(place: int, other: str) -> None:
    wrong = GOOD[:place] + other + GOOD[place + 1 :]

    if wrong == GOOD:
        assert checked_tax_id(wrong, place="CN") == GOOD
    else:
        with pytest.raises(papers.BadTaxId):
            checked_tax_id(wrong, place="CN")
