"""What a provider reports is compared with the books: a planted difference is found, and only it."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import operations, providers, queries
from billing.models import Charge, Order, Payment, ReconciliationException, ReconciliationRun, ReportRow
from billing.money import Money
from billing.operations import Report
from billing.operations.refunds import send_refund
from billing.providers import Reported
from billing.providers.sandbox.server import Server
from billing.tasks import ask_again
from catalog.models import Item
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import members, shop
from tests.billing.shop import deliver_all, fault, give_back, ordered, payment_of, press, yuan
from tests.catalog import things

HOUR = timedelta(hours=1)
HEADER = "kind,reference,key,amount,fee,currency,at\n"
PATH = "/v1/report"


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def order(sandbox: Server, viewer: Member, course: Item, now: datetime) -> Order:
    """An order that was paid at the sandbox, of which a part was given back."""
    payment = operations.pay(order=ordered(viewer, course), at=now)
    press(payment.checkout_url)
    deliver_all(sandbox.bank, tenant=viewer.tenant)
    send_refund(refund=give_back(payment.order, 4_000, at=now), at=now)
    paid: Order = payment.order
    return paid


def compared(now: datetime, shift: int = 0) -> ReconciliationRun:
    """Compare what the sandbox reports of yesterday and today, as if it were tomorrow."""
    since, until = now - 24 * HOUR, now + (2 + shift) * HOUR
    driver: Any = providers.provider_for(Tenant.objects.get(slug="school"), "sandbox")
    rows = driver.fetch_report(since=since, until=until)
    return operations.reconcile(report=Report("sandbox", since, until, rows), at=until + HOUR)


def listed() -> list[tuple[str, int | None, int | None, str]]:
    found = ReconciliationException.objects.order_by("pk")
    return list(found.values_list("reason", "expected", "found", "state"))


def test_what_is_as_it_was_booked_has_no_difference(order: Order, now: datetime) -> None:
    run = compared(now)

    assert (run.rows, run.matched, listed()) == (2, 2, [])
    assert [(row.kind, row.amount, row.fee) for row in ReportRow.objects.order_by("pk")] == [
        ("payment", 10_000, 60),
        ("refund", 4_000, 24),
    ]


def test_what_was_charged_without_the_buyer_is_reported_as_it_was_booked(
    viewer: Member, sandbox: Server, now: datetime
) -> None:
    of = members.joined(sandbox, viewer, members.plan(things.creator()), at=now - 31 * 24 * HOUR)
    members.tick(max(of.ends_at, now))

    run = compared(now)

    charged = ReportRow.objects.get(reference__startswith="ch_")
    assert (charged.amount, charged.payment) == (3_000, Charge.objects.get().payment)
    assert (run.rows, run.matched, listed()) == (2, 2, [])


def test_a_charge_that_came_through_after_it_was_given_up_is_listed_asked_about_and_booked(
    viewer: Member, sandbox: Server, now: datetime
) -> None:
    of = members.joined(sandbox, viewer, members.plan(things.creator()), at=now - 31 * 24 * HOUR)
    operations.renew_some(at=max(of.ends_at, now))
    operations.cancel_subscription(**members.of_(of), at=max(of.ends_at, now))
    assert operations.collect_next(at=max(of.ends_at, now))
    charge = Charge.objects.get(state="stopped")
    asked = {"method": charge.method.reference, "order": str(charge.payment.order_id), "webhook_url": "x"}
    asked |= {"amount": charge.amount, "currency": "CNY"}
    sandbox.bank.write(account="school", path=members.CHARGES, asked=asked, key=charge.key)

    compared(now)

    assert listed() == [("not_booked", 0, 3_000, "open")]
    (ask,) = Job.objects.filter(name="billing.tasks.ask_again")
    assert ask.ids == {"payment_id": charge.payment_id, "charge_key": charge.key}
    ask_again(**ask.ids)
    assert operations.collect_next(at=now + 4 * HOUR)
    assert payment_of(charge.payment.order).state == Payment.State.CAPTURED
    compared(now, shift=1)
    assert ReconciliationException.objects.get(reason="not_booked").note == "Booked later."
    assert shop.books_are_good()


@pytest.mark.parametrize(
    ("kind", "differences", "rows"),
    [
        ("wrong_fee", [("fee", 60, 67, "open")], 2),
        ("wrong_amount", [("amount", 10_000, 10_007, "open")], 2),
        ("missing_row", [("missing", 10_000, None, "open")], 1),
        ("extra_row", [("unknown", None, 10_000, "open")], 3),
        ("twice_row", [("twice", None, 10_000, "open")], 3),
    ],
)
def test_a_planted_difference_is_found_and_only_it(
    sandbox: Server, order: Order, now: datetime, kind: str, differences: list[Any], rows: int
) -> None:
    fault(sandbox, PATH, kind)

    run = compared(now)

    assert listed() == differences
    assert run.rows == rows
    assert run.matched == rows - (kind != "missing_row")


def test_a_report_of_nothing_leaves_the_planted_difference_to_the_next(
    sandbox: Server, order: Order, now: datetime
) -> None:
    fault(sandbox, PATH, "wrong_fee")

    assert compared(now - timedelta(days=3)).rows == 0
    compared(now)

    assert listed() == [("fee", 60, 67, "open")]


def test_a_report_that_was_compared_is_not_compared_again(sandbox: Server, order: Order, now: datetime) -> None:
    fault(sandbox, PATH, "missing_row")
    first = compared(now)
    fault(sandbox, PATH, "missing_row")

    assert compared(now) == first
    assert len(listed()) == 1


def test_what_is_reported_later_resolves_what_was_missing(sandbox: Server, order: Order, now: datetime) -> None:
    fault(sandbox, PATH, "missing_row")
    compared(now)

    compared(now, shift=1)

    assert [(reason, state) for reason, *_, state in listed()] == [("missing", "resolved")]
    assert ReconciliationException.objects.earliest("pk").note == "Reported later."


def test_what_was_booked_at_the_end_of_a_span_is_looked_for_in_the_next(order: Order, now: datetime) -> None:
    def report(since: datetime, until: datetime) -> ReconciliationRun:
        return operations.reconcile(report=Report("sandbox", since, until, []), at=until + HOUR)

    report(now - 24 * HOUR, now + HOUR / 2)
    assert listed() == []

    report(now + HOUR / 2, now + 24 * HOUR)
    assert [reason for reason, *_ in listed()] == ["missing", "missing"]


def test_what_the_provider_has_and_we_have_not_booked_is_asked_about(
    sandbox: Server, viewer: Member, course: Item, now: datetime
) -> None:
    payment = operations.pay(order=ordered(viewer, course), at=now)
    press(payment.checkout_url)  # and the message gets lost
    asked = shop.jobs("resolve_payment")

    compared(now)

    assert listed() == [("not_booked", 0, 10_000, "open")]
    assert shop.jobs("resolve_payment") == asked + 1
    operations.resolve_payment(payment=payment, at=now)
    compared(now, shift=1)
    assert next((reason, state) for reason, *_, state in listed()) == ("not_booked", "resolved")


def test_another_currency_is_no_amount(order: Order, now: datetime) -> None:
    key = payment_of(order).key
    rows = [Reported("payment", "", key, Money(10_000, "USD"), None, now)]

    operations.reconcile(report=Report("sandbox", now - HOUR, now, rows), at=now)

    assert listed() == [("currency", 10_000, 10_000, "open")]


def test_a_payment_of_another_provider_is_unknown_to_this_one(order: Order, now: datetime) -> None:
    rows = [Reported("payment", "", payment_of(order).key, yuan(10_000), None, now)]

    operations.reconcile(report=Report("stripe", now - HOUR, now, rows), at=now)

    assert [reason for reason, *_ in listed()] == ["unknown"]


def test_another_tenants_payment_is_unknown_here(order: Order, agency: Tenant, now: datetime) -> None:
    rows = [Reported("payment", "", payment_of(order).key, yuan(10_000), None, now)]

    with scope(agency):
        operations.reconcile(report=Report("sandbox", now - HOUR, now, rows), at=now)
        assert [reason for reason, *_ in listed()] == ["unknown"]
    assert listed() == []


def test_each_day_that_is_over_is_compared_once(order: Order, now: datetime) -> None:
    tomorrow = now + timedelta(days=1)

    runs = operations.reconcile_days(at=tomorrow)

    assert [run.rows for run in runs] == [0, 0, 0, 0, 0, 0, 2]
    assert operations.reconcile_days(at=tomorrow) == []
    Payment.objects.update(provider="offline")
    assert operations.reconcile_days(at=tomorrow + timedelta(days=1)) == []  # nobody is there to be asked


def test_staff_upload_a_report_and_explain_what_differs(order: Order, now: datetime) -> None:
    staff = make.client(make.member(Member.Role.STAFF))
    payment = payment_of(order)
    csv = f"{HEADER}payment,{payment.reference},,9000,54,CNY,{now.isoformat()}\nother,x,,1,,CNY,{now.isoformat()}\n"
    sent = {"provider": "sandbox", "since": (now - 24 * HOUR).isoformat(), "until": now.isoformat(), "csv": csv}

    made = staff.post("/api/v1/reconciliations/", sent)

    assert (made.status_code, made.json()["rows"], made.json()["matched"]) == (201, 2, 0)
    found = staff.get("/api/v1/reconciliation-exceptions/?state=open").json()["results"]
    assert [one["reason"] for one in found] == ["unknown", "fee", "amount"]
    path = f"/api/v1/reconciliation-exceptions/{found[2]['id']}/explain/"
    assert staff.post(path, {"note": " "}).status_code == 400
    told = staff.post(path, {"note": "A discount of theirs."}).json()
    assert (told["state"], told["note"]) == ("explained", "A discount of theirs.")
    assert staff.post(path, {"note": "Paid back.", "is_resolved": True}).json()["state"] == "resolved"
    assert staff.post(path, {"note": "Again."}).json()["code"] == "closed_already"


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "kind,reference\n",
        HEADER + "payment,a,b,1.5,,CNY,2026-05-01T12:00:00Z\n",
        HEADER + "payment,a,b,1,,XXX,2026-05-01T12:00:00Z\n",
        HEADER + "payment,a,b,1,,CNY,2026-05-01T12:00:00\n",
        HEADER + "gift,a,b,1,,CNY,2026-05-01T12:00:00Z\n",
        HEADER + "payment,a,b,1\n",
        HEADER + f"payment,a,b,{10**20},,CNY,2026-05-01T12:00:00Z\n",
    ],
)
def test_a_report_that_cannot_be_read_is_refused_as_a_whole(lines: str) -> None:
    with pytest.raises(providers.BadReport):
        list(providers.read_file(BytesIO(lines.encode()), provider="sandbox"))


def test_a_span_that_is_not_over_is_refused(in_school: Tenant, now: datetime) -> None:
    for since, until in ((now, now), (now - HOUR, now + HOUR)):
        with pytest.raises(operations.WrongSpan):
            operations.reconcile(report=Report("sandbox", since, until, []), at=now)


def test_the_lists_are_for_staff_and_ask_as_often_for_many_as_for_one(order: Order, now: datetime) -> None:
    assert make.client(order.viewer).get("/api/v1/reconciliations/").json()["code"] == "staff_only"
    staff, counts = make.client(make.member(Member.Role.STAFF)), []
    for number in (1, 2):
        rows = [Reported("payment", f"x{number}", "", yuan(1), None, now)]
        operations.reconcile(report=Report("sandbox", now - HOUR, now, rows), at=now)
        staff.get("/api/v1/reconciliation-exceptions/")
        with CaptureQueriesContext(connection) as asked:
            assert len(staff.get("/api/v1/reconciliation-exceptions/").json()["results"]) == number
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_reported_row_that_is_nowhere_listed_is_named_by_verify_ledger(order: Order, now: datetime) -> None:
    run = compared(now)
    assert shop.books_are_good()

    told = {"kind": "payment", "reference": "x", "amount": 1, "currency": "CNY", "at": now}
    row = ReportRow.objects.create(run=run, **told)

    assert [(wrong.promise, wrong.row) for wrong in queries.ledger_report().faults] == [("L12", row.pk)]


def test_the_fee_of_coins_is_as_it_was_booked(sandbox: Server, viewer: Member, now: datetime) -> None:
    pack = operations.offer_pack(by=make.member(Member.Role.STAFF), coins=1_000, title="A thousand", at=now)
    order = operations.order_all(viewer=viewer, wanted=[operations.Wanted(product=pack)], key="coins", at=now)
    press(operations.pay(order=order, at=now).checkout_url)
    deliver_all(sandbox.bank, tenant=viewer.tenant)
    send_refund(refund=give_back(order, 4_000, at=now), at=now)

    assert (compared(now).rows, listed()) == (2, [])
