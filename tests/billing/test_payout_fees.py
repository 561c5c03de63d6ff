"""What providers keep of payouts: it stands in their reports, and is booked once, as the platform's cost."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from billing import ledger, operations, providers
from billing.models import Journal, Payment, Payout, ReconciliationException, ReportRow
from billing.money import Money
from billing.operations import Report
from billing.providers import Reported
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.scope import current_tenant
from tests.billing import shop
from tests.billing.paying import LATER, approved, earner, found, now, sent
from tests.billing.shop import yuan
from tests.billing.test_maturity import stands

NOW = datetime.now(UTC)


@pytest.fixture
def payout(sandbox: Server, course: Item) -> Payout:
    """100 yuan that the sandbox has paid; nothing that was sold there is looked at."""
    made = sent(approved(earner(course)))
    Payment.objects.update(provider="stripe")
    return made


def told(payout: Payout, kind: str = "payout", minor: int = 10_000, fee: int | None = None) -> Reported:
    return Reported(kind, "", payout.key, yuan(minor), fee, NOW)


def compared(*rows: Reported, hours: int = 1) -> int:
    until = NOW + timedelta(hours=hours)
    return operations.reconcile(report=Report("sandbox", LATER, until, rows), at=until).matched


def shown() -> tuple[int, int, int]:
    """Return what the platform has earned, what the provider keeps, and in how many journals that is of payouts."""
    count = Journal.objects.filter(kind="payout_fee").count()
    return ledger.fees("CNY").balance.minor, ledger.processor("CNY").balance.minor, count


def listed() -> list[tuple[str, str, int | None, int | None]]:
    rows = ReconciliationException.objects.order_by("pk")
    return list(rows.values_list("reason", "kind", "expected", "found"))


def test_what_is_kept_of_a_payout_is_the_platforms_cost(payout: Payout) -> None:
    assert shown() == (2_000, 120, 0), "Of two sales of 100.00."

    assert compared(told(payout, fee=50)) == 1

    assert (shown(), now(payout).fee, listed()) == ((1_950, 170, 1), 50, [])
    assert stands(payout.creator) == {"available": 7_880}, "It costs the creator nothing."
    assert shop.books_are_good()


def test_what_is_kept_is_told_in_a_row_of_its_own_or_beside_and_counted_together(payout: Payout) -> None:
    assert compared(told(payout, fee=50), told(payout, "fee", 30)) == 2

    assert (shown(), now(payout).fee, listed()) == ((1_920, 200, 1), 80, [])


def test_what_was_told_first_is_booked_and_anything_else_is_a_difference(payout: Payout) -> None:
    compared(told(payout, fee=50), told(payout, fee=50))
    compared(told(payout, fee=70), hours=2)
    compared(told(payout, "fee", 20), hours=3)

    assert shown() == (1_950, 170, 1)
    assert listed() == [
        ("twice", "payout", None, 10_000),
        ("twice", "payout", None, 10_000),
        ("amount", "fee", 50, 20),
    ]
    assert shop.books_are_good()


def test_the_same_report_books_nothing_twice(payout: Payout) -> None:
    for hours in (1, 1, 2):
        compared(told(payout, fee=50), hours=hours)

    assert (shown(), listed()) == ((1_950, 170, 1), [])


def test_what_is_kept_of_a_payout_that_we_do_not_know_to_have_left_is_booked_when_we_do(payout: Payout) -> None:
    Payout.objects.update(state="unknown")
    compared(told(payout, fee=50))
    assert (shown(), listed()) == ((2_000, 120, 0), [("not_booked", "payout", 0, 10_000)])

    Payout.objects.update(state="paid")
    compared(hours=2)

    assert (shown(), ReconciliationException.objects.get().state) == ((1_950, 170, 1), "resolved")


def test_a_fee_in_another_currency_is_not_booked(payout: Payout) -> None:
    compared(Reported("payout", "", payout.key, Money(10_000, "USD"), 50, NOW))

    assert (shown(), listed()) == ((2_000, 120, 0), [("currency", "payout", 10_000, 10_000)])


def test_of_many_payouts_it_is_booked_some_at_a_time(
    sandbox: Server, course: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("billing.operations.payout_fees.SOME", 2)
    current_tenant().settings["payout_thresholds"] = {"CNY": 1}
    creator = earner(course)
    made = [sent(approved(creator, 3_000, key=str(number))) for number in range(3)]
    Payment.objects.update(provider="stripe")

    compared(*(told(payout, minor=3_000, fee=10 + number) for number, payout in enumerate(made)))

    assert (shown(), [now(payout).fee for payout in made]) == ((1_967, 153, 2), [10, 11, 12])
    assert shop.books_are_good()


def test_a_fee_that_is_not_the_one_booked_is_named_by_verify_ledger(payout: Payout) -> None:
    compared(told(payout, fee=50))
    assert found() == set()

    Payout.objects.update(fee=51)
    assert found() == {("L12", "journal")}
    Payout.objects.update(fee=50, fee_journal=payout.journal)
    assert found() == {("L12", "journal"), ("L12", "payout")}


def test_a_file_may_tell_it(payout: Payout) -> None:
    line = f"fee,,{payout.key},30,,CNY,{NOW.isoformat()}\n"
    file = BytesIO(f"kind,reference,key,amount,fee,currency,at\n{line}".encode())

    compared(told(payout), *providers.read_file(file, provider="sandbox"))

    assert (shown(), ReportRow.objects.filter(payout=payout).count()) == ((1_970, 150, 1), 2)
