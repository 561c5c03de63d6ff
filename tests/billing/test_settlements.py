"""A creator's month: what there was, what moved, what there is; the same on every paper, and never changed."""

import csv
import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from billing import ledger, operations, queries
from billing.api.statements import rows_of
from billing.models import Journal, Settlement, SettlementLine, SettlementPeriod
from billing.operations import paying
from billing.operations.settlements import bounds
from billing.tasks import settle as settle_job
from catalog.models import Item, Watch
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import bought, give_back, yuan
from tests.billing.test_maturity import stands
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON

MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)
AFTER_MAY, AFTER_JUNE = datetime(2026, 6, 2, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)


def statement_of(course: Item, month: date) -> Settlement:
    return queries.settlements_seen_by(make.member(Member.Role.STAFF)).get(
        creator=course.creator, period__starts_on=month
    )


def lines_of(settlement: Settlement) -> dict[str, tuple[int, int]]:
    return {line.kind: (line.count, line.amount) for line in settlement.lines.all()}


def test_a_month_worked_through(viewer: Member, course: Item) -> None:
    give_back(bought(viewer, course), 4_000)
    bought(make.member(), course, key="second", at=NOON + timedelta(days=29))
    operations.mature(at=NOON + timedelta(days=7))

    paying.settle(month=MAY, at=AFTER_MAY)

    may = statement_of(course, MAY)
    assert lines_of(may) == {"sale:item": (2, 17_880), "refund:item": (1, -3_576)}
    assert (may.opening, may.movements, may.closing) == (0, 14_304, 14_304)
    assert (may.pending, may.available, may.debt) == (8_940, 5_364, 0)
    operations.mature(at=AFTER_MAY + timedelta(days=7))
    away = (ledger.available(course.creator, "CNY"), ledger.clearing("CNY"), yuan(14_304))
    ledger.post(kind=Journal.Kind.PAYOUT_PAID, key="x", transfers=[away], at=AFTER_MAY + timedelta(days=8))
    paying.settle(month=JUNE, at=AFTER_JUNE)
    june = statement_of(course, JUNE)
    assert (june.opening, june.movements, june.closing) == (14_304, -14_304, 0)
    assert lines_of(june) == {"payout_paid": (1, -14_304)}


def test_a_month_is_where_the_tenant_is(in_school: Tenant, course: Item) -> None:
    last_in_shanghai = datetime(2026, 5, 31, 15, 59, 59, tzinfo=UTC)
    bought(make.member(), course, at=last_in_shanghai)
    bought(make.member(), course, key="next", at=last_in_shanghai + timedelta(seconds=1))

    paying.settle(month=MAY, at=AFTER_MAY)
    paying.settle(month=JUNE, at=AFTER_JUNE)

    assert [statement_of(course, month).movements for month in (MAY, JUNE)] == [8_940, 8_940]


def test_what_is_booked_late_falls_into_the_next_month(course: Item) -> None:
    bought(make.member(), course)
    paying.settle(month=MAY, at=AFTER_MAY)
    before = list(rows_of(statement_of(course, MAY)))

    bought(make.member(), course, key="late", at=NOON)
    assert paying.settle(month=MAY, at=AFTER_JUNE) == SettlementPeriod.objects.get()
    paying.settle(month=JUNE, at=AFTER_JUNE)

    assert list(rows_of(statement_of(course, MAY))) == before
    assert statement_of(course, JUNE).movements == 8_940
    assert [entry.amount for entry in queries.entries_of(statement_of(course, JUNE))] == [8_940]
    assert shop.books_are_good()


def test_a_creator_who_owes_carries_the_debt_over(course: Item) -> None:
    order = bought(make.member(), course)
    operations.mature(at=NOON + timedelta(days=7))
    away = (ledger.available(course.creator, "CNY"), ledger.clearing("CNY"), yuan(8_940))
    ledger.post(kind=Journal.Kind.PAYOUT_PAID, key="x", transfers=[away], at=NOON + timedelta(days=8))
    paying.settle(month=MAY, at=AFTER_MAY)
    operations.refund(line=shop.line_of(order), by=make.member(Member.Role.STAFF), amount=None, key="x", at=AFTER_MAY)

    paying.settle(month=JUNE, at=AFTER_JUNE)

    june = statement_of(course, JUNE)
    assert (june.closing, june.debt, lines_of(june)) == (-8_940, -8_940, {"refund:item": (1, -8_940)})
    paying.settle(month=JULY, at=AFTER_JUNE + timedelta(days=31))
    assert statement_of(course, JULY).opening == -8_940, "Also without a movement."


def test_months_are_settled_one_after_the_other(course: Item) -> None:
    with pytest.raises(paying.MonthNotOver):
        paying.settle(month=MAY, at=datetime(2026, 5, 31, 15, 59, tzinfo=UTC))
    paying.settle(month=MAY, at=AFTER_MAY)
    with pytest.raises(paying.MonthMissing):
        paying.settle(month=JULY, at=AFTER_JUNE + timedelta(days=31))


@pytest.mark.parametrize("month", [date(1, 1, 1), date(2026, 3, 31), date(9999, 12, 31)])
def test_a_month_that_cannot_be_closed_is_refused(course: Item, month: date) -> None:
    bought(make.member(), course)

    with pytest.raises(Conflict):
        paying.settle(month=month, at=AFTER_JUNE)

    assert not SettlementPeriod.objects.exists()


@COMMITTED
def test_a_month_is_closed_once_though_nothing_was_booked(school: Tenant) -> None:
    closed = at_once(school, [lambda: paying.settle(month=MAY, at=AFTER_MAY).pk for _ in range(4)])

    assert len(set(closed)) == 1


def watched(item: Item, ms: int, at: datetime = NOON) -> None:
    told = {"started_at": at, "received_at": at, "watch_ms": ms, "duration_ms": ms, "source": "feed"}
    Watch.objects.create(event_id=uuid4(), viewer=make.member(), item=item, **told)


def test_the_pool_is_shared_by_what_was_watched_to_the_last_unit(in_school: Tenant, course: Item) -> None:
    other, third = things.video(things.creator()), things.video(things.creator())
    watched(course, 60_000)
    watched(other, 60_000)
    watched(third, 60_000)
    watched(third, 600_000, at=AFTER_MAY)  # in June
    in_school.settings = {"platform_bps": 9_840}
    own = shop.bundle(None, course, minor=10_000)
    shop.bought_all(make.member(), operations.Wanted(product=own))
    owed = (ledger.clawback(other.creator, "CNY"), ledger.clearing("CNY"), yuan(20))
    ledger.post(kind=Journal.Kind.OPENING, key="owed", transfers=[owed], at=NOON)

    paying.settle(month=MAY, at=AFTER_MAY)

    assert ledger.pool("CNY").balance == yuan(0)
    assert [stands(item.creator) for item in (course, other, third)] == [
        {"available": 34}, {"available": 13}, {"available": 33}
    ]  # fmt: skip
    assert lines_of(statement_of(course, MAY)) == {"pool_share": (1, 34)}
    assert shop.books_are_good()


def test_a_pool_that_nobody_watched_waits(in_school: Tenant) -> None:
    paid = (ledger.clearing("CNY"), ledger.pool("CNY"), yuan(100))
    ledger.post(kind=Journal.Kind.SALE, key="member", transfers=[paid], at=NOON)

    paying.settle(month=MAY, at=AFTER_MAY)

    assert ledger.pool("CNY").balance == yuan(100)


def words_of(pdf: bytes) -> list[str]:
    """Return all texts of a PDF, line by line."""
    return [line for page in PdfReader(io.BytesIO(pdf)).pages for line in page.extract_text().splitlines()]


@pytest.mark.usefixtures("_fresh_cache")
def test_api_csv_and_pdf_say_the_same_numbers(course: Item, monkeypatch: pytest.MonkeyPatch) -> None:
    type(course.creator).objects.update(name="钢琴老师")
    for n in range(70):  # more than a page
        bought(make.member(), course, key=f"{n}") if n < 3 else _earned(course, n)
    give_back(bought(make.member(), course, key="r"), 5_000)
    paying.settle(month=MAY, at=AFTER_MAY)
    client = make.client(course.creator.member)
    pk = client.get("/api/v1/settlements/").json()["results"][0]["id"]

    said = client.get(f"/api/v1/settlements/{pk}/").json()
    answer = client.get(f"/api/v1/settlements/{pk}/csv/")
    assert answer.streaming, "However long it is, little of it is held at once."
    sheet = answer.getvalue().decode()
    pdf = client.get(f"/api/v1/settlements/{pk}/pdf/").getvalue()
    words = words_of(pdf)

    rows = list(csv.DictReader(io.StringIO(sheet)))
    sums = {row["kind"]: int(row["amount"]) for row in rows if row["part"] == "sum"}
    assert sums == {name: said[name] for name in sums}
    assert sums["closing"] == sums["opening"] + sums["movements"]
    kinds = {row["kind"]: (int(row["count"]), int(row["amount"])) for row in rows if row["part"] == "kind"}
    assert kinds == {line["kind"]: (line["count"], line["amount"]) for line in said["lines"]}
    entries = [int(row["amount"]) for row in rows if row["part"] == "entry"]
    assert (len(entries), sum(entries)) == (72, said["movements"])
    assert [row["key"] for row in rows if row["part"] == "chain"] == [said["head_link"]]
    cells = [cell for row in csv.reader(io.StringIO(sheet)) for cell in row if cell]
    told = [cell for line in words for cell in line.split()]
    assert Counter(cells) - Counter(told) == Counter()
    assert words[0] == "结算单 Statement  钢琴老师  2026-05  CNY"
    assert client.get(f"/api/v1/settlements/{pk}/pdf/").getvalue() == pdf
    assert b"/FontFile2" in pdf, "The letters are in the file."
    monkeypatch.setattr("billing.api.statements.MOST_PRINTED", 1)
    assert client.get(f"/api/v1/settlements/{pk}/pdf/").json()["code"] == "too_long_to_print"


def _earned(course: Item, n: int) -> None:
    share = (ledger.clearing("CNY"), ledger.pending(course.creator, "CNY"), yuan(n))
    ledger.post(kind=Journal.Kind.AD_CHARGE, key=f"ads:{n}", transfers=[share], at=NOON)


def test_a_statement_cannot_be_changed(course: Item) -> None:
    bought(make.member(), course)
    paying.settle(month=MAY, at=AFTER_MAY)

    for model, column in ((Settlement, "closing"), (SettlementLine, "amount"), (SettlementPeriod, "head_seq")):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            model.objects.update(**{column: 1})
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            model.objects.all()._raw_delete("default")


def found() -> set[tuple[str, str]]:
    return {(fault.promise, fault.table) for fault in queries.ledger_report().faults}


def test_the_books_tell_of_a_statement_that_is_not_the_ledgers(course: Item) -> None:
    bought(make.member(), course)
    period = paying.settle(month=MAY, at=AFTER_MAY)
    assert found() == set()

    other = things.creator()
    told = {"opening": 5, "movements": 1, "closing": 6, "pending": 6, "available": 0, "reserve": 0, "debt": 0}
    Settlement.objects.create(period=period, creator=other, currency="CNY", in_transit=0, **told)

    wrong = sorted(fault.what for fault in queries.ledger_report().faults)
    assert wrong == [
        "its lines sum to 0",
        "moves 1, but the ledger 0, or elsewhere",
        "opens with 5, but 0 was left",
    ]


def test_the_books_tell_of_a_period_on_another_chain(course: Item) -> None:
    bought(make.member(), course)
    SettlementPeriod.objects.create(starts_on=JULY, ends_at=NOON, head_seq=1, head_link=b"x" * 32, issued_at=NOON)

    assert found() == {("L10", "period")}


@pytest.mark.usefixtures("_fresh_cache")
def test_who_sees_and_who_closes(course: Item) -> None:
    bought(make.member(), course)
    boss, own = make.client(make.member(Member.Role.STAFF)), make.client(course.creator.member)

    assert own.post("/api/v1/settlements/", {"month": "2026-05-10"}).json()["code"] == "staff_only"
    assert boss.post("/api/v1/settlements/", {"month": "2126-05-10"}).json()["code"] == "month_not_over"
    assert boss.post("/api/v1/settlements/", {"month": "2026-05-10"}).json()["month"] == "2026-05"
    assert len(own.get("/api/v1/settlements/").json()["results"]) == 1
    assert make.client(make.member()).get("/api/v1/settlements/").json()["results"] == []


@pytest.mark.usefixtures("_fresh_cache")
def test_the_list_asks_no_more_for_more_rows(course: Item) -> None:
    boss, counts = make.client(make.member(Member.Role.STAFF)), []
    boss.get("/api/v1/settlements/")  # what is asked once, and remembered
    for n, month in enumerate((MAY, JUNE), start=1):
        bought(make.member(), course, key=f"{n}")
        paying.settle(month=month, at=AFTER_JUNE)
        with CaptureQueriesContext(connection) as asked:
            assert len(boss.get("/api/v1/settlements/").json()["results"]) == n
        counts.append(len(asked))

    assert counts[0] == counts[1]


@COMMITTED
def test_the_job_settles_the_month_before(school: Tenant) -> None:
    with scope(school):
        bought(make.member(), shop.course_for(10_000))

    for _ in range(2):
        settle_job(tenant=school)

    with scope(school):
        assert SettlementPeriod.objects.count() == 1
        period = SettlementPeriod.objects.get()
        assert bounds(period.starts_on)[1] == period.ends_at
        assert Settlement.objects.get().closing == 8_940
