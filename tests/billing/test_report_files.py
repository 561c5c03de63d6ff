"""Reports as they come in practice: hostile, cut off, of another day, told once more, from another account."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import pytest

from billing import operations, providers
from billing.models import Order, Payment, ReconciliationException, ReconciliationRun
from billing.money import Money
from billing.operations import Report, paying, reconciliation
from billing.providers import Reported
from billing.providers.bills.chinese import BEIJING
from billing.providers.bills.spooling import texts_in
from billing.providers.sandbox.driver import Sandbox
from billing.providers.sandbox.server import Server
from billing.tasks import reconcile
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope, tenant_or_none
from tests import make
from tests.billing.doubles.bills import Moved, wechat_flows
from tests.billing.doubles.wechatpay import FLOWS
from tests.billing.paying import LATER, approved, earner, sent, staff
from tests.billing.rails import paid_at, rail_on
from tests.billing.shop import bought, course_for, payment_of, yuan
from tests.billing.test_own_reports import HEADER, STRIPES
from tests.concurrency import at_once
from tests.conftest import COMMITTED

DAY = datetime(2026, 5, 1, tzinfo=BEIJING)
NEXT, BOOKED = DAY + timedelta(days=1), DAY + timedelta(hours=20)
OURS = "kind,reference,key,amount,fee,currency,at\n"
OPEN = 'payment,"' + "a\n" * 70_000
LINE = STRIPES.format(key="k").removeprefix(HEADER)


@pytest.fixture
def order(in_school: Tenant, viewer: Member, course: Item) -> Order:
    """An order of 100 yuan, paid at WeChat on the day."""
    made = bought(viewer, course, at=BOOKED)
    Payment.objects.update(provider="wechatpay", reference="42")
    return made


def listed() -> list[tuple[str, str]]:
    return list(ReconciliationException.objects.order_by("pk").values_list("reason", "state"))


def compared(rows: list[Reported], *, until: datetime = NEXT, provider: str = "wechatpay") -> ReconciliationRun:
    return operations.reconcile(report=Report(provider, DAY, until, rows), at=NEXT + timedelta(days=2))


def paid(order: Order, minor: int = 10_000, at: datetime = BOOKED) -> Reported:
    return Reported("payment", "42", payment_of(order).key, yuan(minor), 60, at)


@pytest.mark.parametrize(
    ("provider", "content", "said"),
    [
        ("sandbox", OURS + OPEN, "cannot be read"),
        ("stripe", HEADER + OPEN, "cannot be read"),
        ("stripe", HEADER + LINE + LINE[:30], "Line 3"),
        ("stripe", HEADER + LINE + "txn_2,2026-05-01\n", "Line 3"),
        ("stripe", HEADER + LINE.replace("100.00", "1e99999999"), "Line 2"),
        ("stripe", HEADER + LINE.replace(",0.60,", ",NaN,"), "Line 2"),
        ("stripe", HEADER + LINE.replace("cny", "xyz"), "Line 2"),
        ("stripe", HEADER + LINE.replace(",charge,", ",refund,"), "lacks the column refund_metadata"),
    ],
)
def test_what_is_hostile_or_cut_off_is_refused_with_its_line(provider: str, content: str, said: str) -> None:
    with pytest.raises(providers.BadReport, match=said):
        list(providers.read_file(BytesIO(content.encode()), provider=provider))


def test_a_line_without_anything_says_nothing() -> None:
    assert len(list(providers.read_file(BytesIO((HEADER + LINE + "\n").encode()), provider="stripe"))) == 1


def test_a_first_line_longer_than_what_is_looked_at_is_read_as_it_is_written() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bill.csv", "账" * 400 + "\n单\n")
    file.seek(0)

    assert [list(lines) for lines in texts_in(file)] == [["账" * 400 + "\n", "单\n"]]


def test_what_was_paid_in_another_currency_than_the_balance_is_kept_in() -> None:
    header = HEADER.replace("source_id", "source_id,customer_facing_amount,customer_facing_currency")
    line = LINE.replace(",ch_1,", ",ch_1,13.90,usd,")

    (row,) = providers.read_file(BytesIO((header + line).encode()), provider="stripe")

    assert (row.amount, row.fee) == (Money(1_390, "USD"), None)


def test_what_a_dispute_takes_and_gives_back_at_stripe_is_reported(in_school: Tenant) -> None:
    with rail_on("stripe") as rail:
        about = {"id": "du_1", "object": "dispute", "amount": 10_000, "currency": "cny", "metadata": {"key": "a"}}
        at = int(BOOKED.timestamp())
        rail.double.moved("adjustment", about, at=at, fee=1_500, category="dispute")
        rail.double.moved("adjustment", about, at=at, fee=-1_500, category="dispute_reversal")
        rail.double.moved("adjustment", about, at=at, category="other_adjustment")

        rows = list(reconciliation.report_of_day(provider="stripe", since=DAY, until=NEXT).rows)

    assert {(row.kind, row.reference, row.key, row.amount, abs(row.fee or 0)) for row in rows} == {
        ("dispute", "du_1", "", yuan(10_000), 1_500),
        ("reinstated", "du_1", "", yuan(10_000), 1_500),
    }


def test_what_left_of_wechats_account_for_operations_is_reported_too(in_school: Tenant, course: Item) -> None:
    with rail_on("wechatpay") as rail:
        creator = earner(course)
        paid_at(creator, "wechatpay")
        payout = sent(approved(creator))
        out = [Moved(payout.reference, payout.key.removeprefix("po_"), "100.00")]
        rail.double.bills[f"{FLOWS}?OPERATION"] = wechat_flows(out)

        (row,) = reconciliation.report_of_day(provider="wechatpay", since=DAY, until=NEXT).rows

    assert (row.kind, row.key, row.amount) == ("payout", payout.key, yuan(10_000))


@pytest.mark.parametrize("has_key", [True, False])
def test_a_day_that_is_reported_once_more_differs_in_what_is_new_only(order: Order, *, has_key: bool) -> None:
    key = payment_of(order).key if has_key else ""
    compared([paid(order, 9_900)])
    other = Reported("payment", "43", "pay_x", yuan(100), None, BOOKED)
    assert listed() == [("amount", "open")]

    run = compared([replace(paid(order, 9_900), key=key), other])

    assert (run.rows, run.matched, listed()) == (2, 0, [("amount", "open"), ("unknown", "open")])


def archive(files: int = 1, packed_by: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed_by) as made:
        for number in range(files):
            made.writestr(f"{number}.csv", OURS)
    return file.getvalue()


def larger(content: bytes) -> bytes:
    """Let an archive end as those do that are too large for the usual end."""
    at = content.rfind(b"PK\x05\x06")
    return content[:at] + b"PK\x06\x07" + bytes(16) + content[at:]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive(101), "too large"),
        (archive(3_000), "too large"),
        (larger(archive()), "too large"),
        (archive(packed_by=zipfile.ZIP_LZMA), "cannot be unpacked"),
        (archive()[:-30], "cannot be unpacked"),
        (archive().replace(OURS.encode()[:9], b"kind,refe", 1)[:60] + archive()[60:-4] + b"    ", "cannot be unpacked"),
    ],
)
def test_an_archive_that_wants_too_much_is_not_opened(content: bytes, said: str) -> None:
    with pytest.raises(providers.BadReport, match=said):
        list(providers.read_file(BytesIO(content), provider="sandbox"))


def test_an_archive_of_ours_is_read() -> None:
    assert list(providers.read_file(BytesIO(archive(2)), provider="sandbox")) == []


@pytest.mark.parametrize("minutes", [0, 1])
def test_the_same_payment_reported_twice_is_a_difference(order: Order, minutes: int) -> None:
    compared([paid(order)])

    again = paid(order, at=BOOKED + timedelta(minutes=minutes))
    compared([again, again] if not minutes else [again])

    assert listed() == [("twice", "open")]


def test_a_report_of_another_day_is_not_compared(order: Order) -> None:
    for days in (-2, 2):
        with pytest.raises(operations.WrongSpan, match="2026-"):
            compared([paid(order, at=BOOKED + timedelta(days=days))])

    assert (ReconciliationRun.objects.count(), listed()) == (0, [])


def test_what_came_back_does_not_resolve_that_it_is_not_reported_to_have_left(sandbox: Server, course: Item) -> None:
    payout = sent(approved(earner(course)))
    Payment.objects.update(provider="stripe")
    paying.reverse_payout(payout=payout, by=staff(), why="no such account", at=LATER)
    now = datetime.now(UTC)

    def report(rows: list[Reported], hours: int) -> None:
        until = now + timedelta(hours=hours)
        operations.reconcile(report=Report("sandbox", LATER - timedelta(days=1), until, rows), at=until)

    report([], 3)
    report([Reported("reversal", payout.reference, "", yuan(10_000), None, now)], 4)

    rows = ReconciliationException.objects.order_by("kind").values_list("kind", "state")
    assert list(rows) == [("payout", "open"), ("reversal", "resolved")]


def test_nobody_waits_for_the_database_while_a_report_is_downloaded(
    school: Tenant, sandbox: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(school):
        bought(make.member(), course_for(10_000))
    seen: list[Any] = []

    def told(_self: Sandbox, **_span: Any) -> Iterator[Reported]:
        seen.append(tenant_or_none())
        yield from ()

    monkeypatch.setattr(Sandbox, "fetch_report", told)

    reconcile.do(tenant=school)

    assert set(seen) == {None}


@COMMITTED
def test_two_reports_at_once_know_of_each_other(school: Tenant) -> None:
    with scope(school):
        order = bought(make.member(), course_for(10_000), at=BOOKED)
        Payment.objects.update(provider="wechatpay", reference="42")

    def tell(minutes: int) -> ReconciliationRun:
        return compared([paid(order, at=BOOKED + timedelta(minutes=minutes))])

    runs = at_once(school, [partial(tell, minutes) for minutes in range(3)])

    with scope(school):
        assert ReconciliationRun.objects.count() == len(runs)
        assert listed() == [("twice", "open")] * 2
