"""What creators earn on other platforms: told by statements, booked apart, and never money of the tenant's."""

from functools import partial
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from billing import ledger, queries
from billing.models import Account, Channel, Journal, OutsideIncome, OutsideStatement, Transfer
from billing.money import Money
from billing.operations import outside, outside_rows
from billing.operations.outside_rows import SOME, Row
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.elsewhere import ADS, BACK, channel, told
from tests.billing.paying import found, staff
from tests.billing.test_console_of_money import console_of, done, shown
from tests.billing.test_promises import planted
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON


@pytest.fixture
def tube(creator: Creator) -> Channel:
    """The creator's channel at YouTube."""
    return channel(creator)


def row(line: int, reference: str, gross: int = 100, fee: int = 0, currency: str = "EUR") -> Row:
    return Row(line, NOON.date(), "ads", "", reference, gross, fee, currency)


def booked(of: Channel, currency: str = "EUR") -> list[int]:
    """Return what is there, what was earned, and what the platform has kept, as the ledger has it."""
    accounts = (ledger.outside, ledger.outside_income, ledger.outside_fees)
    return [account(of, currency).balance.minor for account in accounts]


def test_what_is_earned_elsewhere_is_booked_in_accounts_of_its_own(tube: Channel) -> None:
    statement = told(tube, ADS, BACK)

    assert booked(tube) == [-4_950, 9_000, -4_050]
    names = {f"{kind}/EUR/channel/{tube.pk}" for kind in ("outside", "outside_income", "outside_fees")}
    assert set(Account.objects.values_list("name", flat=True)) == names
    assert (statement.rows, statement.duplicates, f"{statement.since}") == (2, 0, "2026-04-30")
    journal = Journal.objects.get(kind="outside")
    assert list(journal.transfers.order_by("amount").values_list("amount", flat=True)) == [450, 1_000, 4_500, 10_000]
    assert list(queries.balances_of(tube.creator.member)) == [], "None of it can be paid out."
    assert shop.books_are_good()


def test_the_same_file_is_the_same_statement_and_a_known_reference_is_a_duplicate(tube: Channel) -> None:
    first = told(tube, ADS, BACK)

    assert told(tube, ADS, "", BACK).pk == first.pk, "An empty line tells nothing."
    second = told(tube, ADS, "2026-05-01,tip,,T1,200,0,USD")

    assert (second.rows, second.duplicates, booked(tube)) == (2, 1, [-4_950, 9_000, -4_050])
    rows = queries.rows_of_statement(second)
    assert [(of.is_counted, of.duplicate_of and of.duplicate_of.statement_id) for of in rows] == [
        (False, first.pk),
        (True, None),
    ]
    assert booked(tube, "USD") == [-200, 200, 0]
    assert told(channel(tube.creator, "bilibili"), ADS).duplicates == 0, "Elsewhere the reference means another thing."
    assert shop.books_are_good()


def test_a_statement_that_tells_nothing_new_moves_nothing(tube: Channel) -> None:
    told(tube, ADS)

    again = told(tube, ADS.replace("April", "april"), "2026-05-01,other,nothing,N1,0,,EUR")

    assert (again.journal, again.duplicates) == (None, 1)
    outside.withdraw_statement(statement=again, by=tube.creator.member, why="twice", at=NOON)
    assert shop.books_are_good()


def test_a_statement_is_withdrawn_and_can_be_told_anew(tube: Channel) -> None:
    by = tube.creator.member
    first = told(tube, ADS)
    second = told(tube, ADS, BACK)
    withdrawn = partial(outside.withdraw_statement, by=by, why="wrong", at=NOON)

    with pytest.raises(outside.ToldAgain, match=f"{second.pk}"):
        withdrawn(statement=first)
    for statement in (second, second, first):
        assert withdrawn(statement=statement).reason == "wrong"

    assert booked(tube) == [0, 0, 0]
    assert Journal.objects.filter(kind="outside_back").count() == 2
    assert told(tube, ADS, BACK).pk not in {first.pk, second.pk}
    assert booked(tube) == [-4_950, 9_000, -4_050]
    assert shop.books_are_good()
    with pytest.raises(outside.ReasonNeeded):
        withdrawn(statement=told(tube, ADS, BACK), why=" ")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2026-05-01,ads,,X,12.34,0,EUR", "Line 3: amounts are whole minor units"),
        ("2026-05-01,ads,,X,１,0,EUR", "Line 3: amounts are whole minor units"),
        ("2026-05-01,ads,,X,999999999999,0,EUR", "Line 3: that is too much"),
        ("2026-05-03,ads,,X,1,0,EUR", "Line 3: 2026-05-03 is not a day that was"),
        ("2026-02-30,ads,,X,1,0,EUR", "Line 3: there is no day 2026-02-30"),
        ("1.5.2026,ads,,X,1,0,EUR", "Line 3: 1.5.2026 is no day"),
        ("2026-05-01,lottery,,X,1,0,EUR", "Line 3: the kind is one of"),
        ("2026-05-01,ads,,X,1,0,XXX", "Line 3: there is no currency XXX"),
        ("2026-05-01,ads,, ,1,0,EUR", "Line 3: a reference is one line of at most 100 letters"),
        ("2026-05-01,ads,a\0b,X,1,0,EUR", "Line 3: a title is one line of at most 200 letters"),
        ("2026-05-01,ads,X,1,0,EUR", "Line 3: it has not 7 columns"),
        ('2026-05-01,ads,"', "cannot be read"),
    ],
)
def test_the_first_bad_line_is_named_and_nothing_is_written(tube: Channel, line: str, said: str) -> None:
    with pytest.raises(outside.BadStatement) as refused:
        told(tube, ADS, line, "nonsense")

    assert said in str(refused.value.detail)
    assert not OutsideStatement.objects.exists()
    assert not Journal.objects.exists()


@pytest.mark.parametrize("later", [2, SOME + 1])
def test_a_reference_that_comes_again_is_seen_however_much_later(tube: Channel, later: int) -> None:
    rows = [row(line, f"{line}") for line in range(1, later)]

    with pytest.raises(outside.BadStatement, match=f"Line {later}: its reference stands in line 1 already"):
        outside.import_statement(channel=tube, by=tube.creator.member, rows=[*rows, row(later, "1")], at=NOON)

    assert not OutsideIncome.objects.exists()


def test_what_has_too_many_rows_is_not_read_to_its_end(tube: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside_rows, "MOST_ROWS", SOME)
    lines = count(1)
    endless = (row(line, f"{line}") for line in lines)

    with pytest.raises(outside.BadStatement, match="at most"):
        outside.import_statement(channel=tube, by=tube.creator.member, rows=endless, at=NOON)

    assert next(lines) == SOME + 2


def test_only_the_creator_and_staff_tell_it(tube: Channel) -> None:
    other = things.creator(make.member(Member.Role.CREATOR))

    with pytest.raises(outside.NotYourChannel):
        told(tube, ADS, by=other.member)
    statement = told(tube, ADS, by=staff())
    with pytest.raises(outside.NotYourChannel):
        outside.withdraw_statement(statement=statement, by=other.member, why="mine", at=NOON)
    with pytest.raises(outside.NotYourChannel):
        outside.add_channel(creator=tube.creator, by=other.member, platform="weibo", name="x", at=NOON)


def test_it_never_becomes_money_of_the_tenant_s(tube: Channel) -> None:
    told(tube, ADS)
    there, one = ledger.outside(tube, "EUR"), Money(1, "EUR")

    for other in (ledger.available(tube.creator, "EUR"), ledger.outside(channel(tube.creator, "weibo"), "EUR")):
        with pytest.raises(ledger.OutsideMoney):
            ledger.post(kind=Journal.Kind.TOP_UP, key="mixed", transfers=[(there, other, one)], at=NOON)

    assert not Journal.objects.filter(key="mixed").exists()


amounts = some.tuples(
    some.integers(-(10**10), 10**10), some.integers(-(10**9), 10**9), some.sampled_from(["EUR", "JPY"])
).map(lambda of: (of[0], abs(of[1]) if of[0] > 0 else of[1], of[2]))


@given(some.lists(amounts, min_size=1, max_size=12), some.integers(0, 12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_accounts_are_the_sums_of_what_counts(
    creator: Creator, told_of: list[tuple[int, int, str]], cut: int
) -> None:
    of = channel(creator, name=f"{next(make.numbers)}")
    rows = [row(line, f"{line}", *amount) for line, amount in enumerate(told_of, start=1)]
    by = creator.member
    made = [outside.import_statement(channel=of, by=by, rows=part, at=NOON) for part in (rows[:cut], rows) if part]

    for currency in ("EUR", "JPY"):
        gross = sum(paid for paid, _, of_row in told_of if of_row == currency)
        fee = sum(kept for _, kept, of_row in told_of if of_row == currency)
        assert booked(of, currency) == [fee - gross, gross, -fee]
    for statement in sorted(made, key=lambda statement: -statement.pk):
        outside.withdraw_statement(statement=statement, by=by, why="undone", at=NOON)

    assert [booked(of, currency) for currency in ("EUR", "JPY")] == [[0, 0, 0]] * 2
    assert shop.books_are_good()


@COMMITTED
def test_two_at_once_tell_it_once_and_who_changes_it_by_hand_is_found(school: Tenant) -> None:
    with scope(school):
        tube = channel(things.creator(make.member(Member.Role.CREATOR)))

    ends = at_once(school, [partial(told, tube, ADS)] * 2)
    assert [end.pk for end in ends if isinstance(end, OutsideStatement)] == [ends[0].pk] * 2

    with scope(school):
        told(tube, ADS, BACK)
        assert found() == set()
        ads = OutsideIncome.objects.get(reference="A1", is_counted=True)
        way = (ledger.clearing("EUR"), ledger.wallet(make.member(), "EUR"), Money(1, "EUR"))
        ledger.post(kind=Journal.Kind.TOP_UP, key="1", transfers=[way], at=NOON)
        paid_in = Transfer.objects.get(journal__kind="top_up")
    with planted(school, f"UPDATE billing_outsideincome SET gross = gross + 1 WHERE id = {ads.pk}") as faults:
        assert faults == {("L2", "channel")}
    with planted(
        school,
        f"UPDATE billing_outsideincome SET gross = gross - 1 WHERE id = {ads.pk}",
        f"UPDATE billing_outsideincome SET is_counted = false WHERE id = {ads.pk}",
    ) as faults:
        assert faults == {("L2", "channel"), ("L6", "outside income")}
    back = f"UPDATE billing_outsideincome SET is_counted = true WHERE id = {ads.pk}"
    with planted(school, back) as faults:
        assert faults == set()
    there = "(SELECT id FROM billing_account WHERE kind = 'outside')"
    with planted(school, f"UPDATE billing_transfer SET debit_id = {there} WHERE id = {paid_in.pk}") as faults:
        assert ("L1", "transfer") in faults


def test_in_the_console_it_is_looked_at_and_booked_back(tube: Channel) -> None:
    statement, console = told(tube, ADS), console_of(tube.creator.member)

    assert "A1" in shown(console, statement)
    assert "Say why." in done(console, "outsidestatement", "withdraw", statement)
    done(console, "outsidestatement", "withdraw", statement, words="wrong month")

    statement.refresh_from_db()
    assert (statement.reason, booked(tube)) == ("wrong month", [0, 0, 0])
