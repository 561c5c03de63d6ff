"""Tax withheld of creators when they are paid out: how much, where it lies, and how it comes back."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as some
from pytest_django import DjangoAssertNumQueries

from billing import ledger, queries
from billing.api.statements import csv_of
from billing.models import Account, Journal, Order, Payout, Settlement, WithholdingRule
from billing.money import Money
from billing.operations import papers, paying
from billing.operations.withholding import due_of
from billing.providers.sandbox.server import Server
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.paying import LATER, approved, draft, earner, found, now, paid_by, sent, staff
from tests.billing.shop import fault, yuan
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON

TODAY = LATER.date()


def rule(bps: int = 2_000, threshold: int = 0, **more: Any) -> WithholdingRule:
    told: dict[str, Any] = {"place": "", "kind": "", "starts_on": NOON.date(), "ends_on": None}
    asked = told | more
    return papers.set_withholding_rule(by=staff(), bps=bps, threshold=yuan(threshold), at=NOON, **asked)


def taxed(creator: Creator, kind: str, place: str = "") -> None:
    papers.tax_as(creator=creator, by=staff(), place=place, kind=kind, tax_id="", at=NOON)


def stands() -> dict[str, int]:
    kinds = ("available", "in_transit", "withholding", "clawback")
    rows = Account.objects.filter(kind__in=kinds, currency="CNY")
    return {row.kind: row.balance.minor for row in rows if row.balance}


def test_what_is_withheld_stays_and_the_rest_is_sent(sandbox: Server, course: Item) -> None:
    rule()
    payout = sent(approved(earner(course)))

    assert (payout.amount, payout.withheld, paid_by(sandbox)) == (8_000, 2_000, [8_000])
    assert stands() == {"available": 7_880, "withholding": 2_000}
    assert shop.books_are_good()


def test_a_refused_payout_gives_it_back_and_repays_debts_first_once(sandbox: Server, course: Item) -> None:
    rule()
    creator = earner(course)
    payout = approved(creator, 17_880)
    assert stands() == {"in_transit": 14_304, "withholding": 3_576}
    shop.give_back(Order.objects.order_by("pk")[0])
    assert stands()["clawback"] == -8_940

    fault(sandbox, "/v1/payouts", "refuse")
    sent(payout)

    assert stands() == {"available": 8_940}
    assert shop.books_are_good()


@pytest.mark.parametrize("end", ["withdrawn", "reversed"])
def test_what_did_not_leave_or_came_back_owes_no_tax(sandbox: Server, course: Item, end: str) -> None:
    rule()
    payout = approved(earner(course))
    if end == "withdrawn":
        paying.withdraw_payout(payout=payout, by=staff(), why="wrong", at=LATER)
    else:
        paying.reverse_payout(payout=sent(payout), by=staff(), why="closed", at=LATER)

    assert stands() == {"available": 17_880}
    assert shop.books_are_good()


def test_the_more_precise_place_and_then_the_kind_decides(in_school: Tenant, course: Item) -> None:
    in_school.settings = {"place": "CN-31"}
    creator = course.creator
    said = {"": 1, "CN": 3, "CN-31": 5}
    for place, much in said.items():
        rule(much, place=place)
        rule(much + 1, place=place, kind="company")

    def bps() -> int:
        holds = queries.withholding_rule(creator, currency="CNY", day=TODAY)
        assert holds
        return holds.bps

    assert bps() == 5, "Of whom no papers were seen, as a person where the tenant is."
    for place, kind, expected in (
        ("", "company", 6),
        ("CN-11", "person", 3),
        ("DE", "company", 2),
        ("DE", "person", 1),
    ):
        taxed(creator, kind, place)
        assert (place, kind, bps()) == (place, kind, expected)


def test_it_is_withheld_between_two_days_in_one_currency(course: Item) -> None:
    rule(ends_on=TODAY, starts_on=TODAY)
    days = [TODAY + timedelta(days=day) for day in (-1, 0, 1)]

    def holds(day: date, currency: str = "CNY") -> bool:
        return queries.withholding_rule(course.creator, currency=currency, day=day) is not None

    assert [holds(day) for day in days] == [False, True, False]
    assert not holds(TODAY, "USD")
    with pytest.raises(papers.TwoTaxes):
        rule(starts_on=TODAY)


def test_so_much_a_month_is_free_however_it_is_divided(in_school: Tenant, course: Item) -> None:
    in_school.settings = {"payout_thresholds": {"CNY": 1}}
    rule(2_000, threshold=8_000)
    creator = earner(course)

    parts = [draft(creator, minor, key=f"{minor}").withheld for minor in (5_000, 4_001, 3_999)]

    # 20 % of what is above 80.00: of 50.00 nothing, of 90.01 in all 2.00, of 130.00 in all 10.00.
    assert parts == [0, 200, 800]
    next_month, all_of_it = LATER + timedelta(days=31), yuan(8_000)
    assert due_of(creator, all_of_it, next_month)[1] == yuan(0)
    Payout.objects.update(state="failed", withheld_back=F("withheld"))
    assert due_of(creator, yuan(13_000), LATER)[1] == yuan(1_000), "What did not leave is not counted."


def test_what_is_too_much_without_a_payout_that_failed_comes_back_with_it(in_school: Tenant, course: Item) -> None:
    in_school.settings = {"payout_thresholds": {"CNY": 1}}
    rule(2_000, threshold=8_000)
    creator = earner(course)
    first, second = (draft(creator, minor, key=f"{minor}") for minor in (9_000, 5_000))
    assert (first.withheld, second.withheld) == (200, 1_000)

    paying.withdraw_payout(payout=first, by=staff(), why="wrong", at=LATER)

    # The month's 50.00 are free now, so 40.00 of them were paid and none withheld.
    assert now(first).withheld_back == 1_200
    assert stands() == {"available": 13_880, "in_transit": 4_000}
    assert queries.withheld_of(creator.member) == [{"year": 2026, "currency": "CNY", "gross": 4_000, "kept": 0}]
    assert shop.books_are_good()
    # 40.00 and 40.00 are free, of the next 10.00 there are 2.00 due.
    assert [draft(creator, minor, key=f"{minor}").withheld for minor in (4_000, 1_000)] == [0, 200]


@given(
    bps=some.integers(0, 10_000),
    free=some.integers(0, 10_000),
    paid=some.integers(0, 100_000),
    more=some.integers(0, 9_000),
)
def test_no_more_is_kept_than_is_due_and_no_more_is_given_back_than_must_be(
    bps: int, free: int, paid: int, more: int
) -> None:
    of = WithholdingRule(tenant_id=1, bps=bps, threshold=free)
    kept = min(of.due_on(paid) + more, paid)

    back = of.too_much(paid, kept)

    assert kept - back == of.due_on(paid - back)
    assert back == 0 or kept - (back - 1) > of.due_on(paid - (back - 1))


def test_a_new_rule_counts_from_its_own_first_day(in_school: Tenant, course: Item) -> None:
    in_school.settings = {"payout_thresholds": {"CNY": 1}}
    rule(1_000)
    creator = earner(course)
    draft(creator, 10_000)
    rule(2_000, starts_on=TODAY + timedelta(days=1))

    assert due_of(creator, yuan(1_000), LATER + timedelta(days=1))[1] == yuan(200)


def test_nobody_is_sent_nothing(course: Item) -> None:
    rule(10_000)
    creator = earner(course)

    with pytest.raises(paying.BelowThreshold):
        draft(creator)
    assert draft_again(creator).pk


def draft_again(creator: Creator) -> Payout:
    taxed(creator, "company")
    rule(0, kind="company")
    return draft(creator)


def test_asked_again_it_is_the_same_payout(course: Item) -> None:
    rule()
    creator = earner(course)
    payout = draft(creator)

    assert (draft(creator).pk, payout.gross) == (payout.pk, yuan(10_000))


@COMMITTED
def test_two_drafts_at_once_do_not_both_find_the_month_free(school: Tenant) -> None:
    with scope(school):
        rule(5_000, threshold=9_000)
        creator = earner(shop.course_for(10_000), sales=3)
        other = Creator.objects.select_related("member").get(pk=creator.pk)

    payouts = at_once(school, [partial(draft, of, 10_000, key=f"{n}") for n, of in enumerate((creator, other))])

    assert sorted(payout.withheld for payout in payouts) == [500, 5_000]
    with scope(school):
        assert shop.books_are_good()


def test_a_statement_has_a_line_of_it_and_still_adds_up(sandbox: Server, course: Item) -> None:
    rule()
    sent(approved(earner(course)))
    paying.settle(month=NOON.date(), at=NOON + timedelta(days=32))

    statement = Settlement.objects.get()

    assert dict(statement.lines.values_list("kind", "amount")) == {
        "sale:item": 17_880,
        "payout_paid": -8_000,
        "withholding": -2_000,
    }
    assert statement.closing == 7_880
    assert b"entry,withholding,,-2000" in b"".join(csv_of(statement))
    assert shop.books_are_good()


def test_the_books_tell_of_tax_that_was_never_withheld_or_never_given_back(sandbox: Server, course: Item) -> None:
    rule()
    payout = sent(approved(earner(course)))
    assert found() == set()

    Payout.objects.update(withheld=1_999)
    assert found() == {("L2", "account"), ("L8", "payout")}
    Payout.objects.update(withheld=2_000, state="reversed", withheld_back=2_000)
    assert ("L2", "account") in found()
    Payout.objects.update(state=payout.state, withheld_back=0)
    moved = (ledger.fees("CNY"), ledger.withholding("CNY"), Money(1, "CNY"))
    ledger.post(kind=Journal.Kind.OPENING, key="stray", transfers=[moved], at=LATER)
    assert found() == {("L2", "account")}


def test_a_creator_sees_what_was_withheld_by_year_and_staff_say_how_much(
    course: Item, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    boss, creator = make.client(make.member(Member.Role.STAFF)), earner(course, sales=3)
    own, stranger = make.client(creator.member), make.client(make.member())
    ask = {"bps": 2_000, "threshold": 1_000, "starts_on": "2026-01-01"}

    assert own.post("/api/v1/withholding-rules/", ask).json()["code"] == "staff_set_taxes"
    assert boss.post("/api/v1/withholding-rules/", ask).json()["currency"] == "CNY"
    assert boss.post("/api/v1/withholding-rules/", ask).json()["code"] == "two_taxes"
    assert own.get("/api/v1/withholding-rules/").status_code == 403
    assert len(boss.get("/api/v1/withholding-rules/").json()["results"]) == 1
    told = {"creator": creator.handle, "kind": "person", "place": "CN"}
    assert own.post("/api/v1/payees/", told).json()["code"] == "staff_set_taxes"
    assert boss.post("/api/v1/payees/", told | {"tax_id": "1"}).json()["code"] == "bad_tax_id"
    assert boss.post("/api/v1/payees/", told).json()["kind"] == "person"
    assert [len(who.get("/api/v1/payees/").json()["results"]) for who in (own, stranger)] == [1, 0]

    payouts = [draft(creator, key=f"{n}", minor=minor) for n, minor in enumerate((10_000, 16_820), start=1)]
    assert own.get("/api/v1/payouts/").json()["results"][0]["withheld"] == payouts[1].withheld == 3_364
    with django_assert_max_num_queries(9):
        year = own.get("/api/v1/withheld/").json()
    assert year == [{"year": 2026, "currency": "CNY", "gross": 26_820, "withheld": 5_164}]
    assert stranger.get("/api/v1/withheld/").json() == []


def test_what_a_bank_is_told_is_what_is_left(course: Item) -> None:
    rule()
    payout = approved(earner(course, "bank_file"))
    batch = paying.make_batch(by=staff(), currency="CNY", at=LATER)

    assert "80.00" in "".join(paying.lines_of(batch))
    assert now(payout).withheld == 2_000
