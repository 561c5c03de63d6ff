"""Invoices and credit notes without a gap, and 发票 asked for."""

import io
from functools import partial

import pytest
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import ledger, operations, queries
from billing.models import Invoice, InvoiceRequest, Order, Payment, StateChange
from billing.operations import papers
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.billing.test_taxes import GOOD, rule
from tests.billing.test_verification import by_hand
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON


def test_a_sale_is_billed_and_what_was_given_back_is_credited(viewer: Member) -> None:
    rule("", 600)
    papers.bill_to(member=viewer, place="CN", title="Li Ltd", tax_id=GOOD, at=NOON)
    order = shop.bought(viewer, shop.course_for(10_600))
    refund = shop.give_back(order, 5_300)
    assert Invoice.objects.get().kind == "invoice"
    for _ in range(2):
        operations.settle_refund(refund=refund, reference="re", at=NOON)

    billed, credited = Invoice.objects.order_by("pk")

    assert [str(billed), billed.amount, billed.tax] == ["INV-2026-000001", 10_600, 600]
    assert [str(credited), credited.amount, credited.tax, credited.buyer] == [
        "CN-2026-000001",
        5_300,
        300,
        billed.buyer,
    ]
    assert (billed.buyer["name"], billed.buyer["tax_id"], billed.seller["name"]) == ("Li Ltd", GOOD, "School")


@COMMITTED
def test_numbers_have_no_gap_whatever_is_taken_back_in_between(school: Tenant) -> None:
    with scope(school):
        course = shop.course_for(1_000)
        orders = [shop.ordered(viewer, course) for viewer in shop.viewers(10)]

    ends = at_once(school, [partial(paid_or_not, order, place % 2 == 0) for place, order in enumerate(orders)])

    assert sum(isinstance(end, ZeroDivisionError) for end in ends) == 5
    with scope(school):
        assert sorted(Invoice.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
        assert shop.books_are_good()


def paid_or_not(order: Order, is_good: bool) -> bool:  # noqa: FBT001  one of two ends
    payment = Payment.objects.select_related("order__viewer").get(order=order)
    operations.capture(payment=payment, reference=f"co_{order.pk}", at=NOON)
    return bool(1 / is_good)


@COMMITTED
def test_an_invoice_that_is_gone_is_missed(school: Tenant) -> None:
    with scope(school):
        shop.bought(make.member(), shop.course_for(1_000))

    by_hand(school, "DELETE FROM billing_invoice")

    with scope(school):
        assert [(fault.promise, fault.table) for fault in queries.ledger_report().faults] == [("L10", "invoice series")]


def test_a_fapiao_is_asked_for_rejected_asked_for_again_and_issued_over_http(client: APIClient, viewer: Member) -> None:
    order = shop.bought(viewer, shop.course_for(1_000))
    staff, stranger = make.client(make.member(Member.Role.STAFF)), make.client(make.member())
    url, ask = "/api/v1/invoice-requests/", {"order": order.pk, "title": "Li Ltd", "tax_id": GOOD}

    assert client.post(url, ask | {"tax_id": GOOD[:-1] + "M"}).json()["code"] == "bad_tax_id"
    assert stranger.post(url, ask).status_code == 404
    first = client.post(url, ask).json()
    assert client.post(url, ask).json()["code"] == "asked_before"
    assert client.post(f"{url}{first['id']}/issue/", {"number": "1"}).json()["code"] == "staff_issue"
    assert staff.post(f"{url}{first['id']}/reject/", {"reason": "wrong title"}).json()["state"] == "rejected"
    again = client.post(url, ask).json()
    issued = staff.post(f"{url}{again['id']}/issue/", {"number": "24312000000012345678"}).json()
    assert (issued["state"], issued["number"]) == ("issued", "24312000000012345678")
    assert staff.post(f"{url}{again['id']}/reject/", {"reason": "x"}).json()["code"] == "decided"

    changes = StateChange.objects.filter(of=StateChange.Of.INVOICE_REQUEST).order_by("pk").values_list("after", "why")
    assert list(changes) == [("asked", ""), ("rejected", "wrong title"), ("asked", ""), ("issued", issued["number"])]
    assert stranger.get(url).json()["results"] == []


def test_an_order_that_was_not_paid_has_no_fapiao(viewer: Member) -> None:
    order = shop.ordered(viewer, shop.course_for(1_000))

    with pytest.raises(papers.NothingToBill):
        papers.ask_for_invoice(order=order, by=viewer, title="Li", at=NOON)
    assert not InvoiceRequest.objects.exists()


def test_an_invoice_is_read_printed_and_taken_as_a_table_by_who_it_is_for(client: APIClient, viewer: Member) -> None:
    course = shop.course_for(1_000)
    course.title = "=1+1 <b>"
    course.save()
    shop.bought(viewer, course)
    url = f"/api/v1/invoices/{client.get('/api/v1/invoices/').json()['results'][0]['id']}/"

    assert client.get(url).json()["name"] == "INV-2026-000001"
    assert client.get(f"{url}csv/").content.decode().splitlines()[1].endswith(",'=1+1 <b>,1000,0,CNY,")
    page = client.get(f"{url}printed/").content.decode()
    assert "INV-2026-000001" in page
    assert "=1+1 &lt;b&gt;" in page
    assert "10.00 CNY" in page
    stranger = make.client(make.member())
    assert [stranger.get(f"{url}{way}").status_code for way in ("", "csv/", "printed/")] == [404] * 3


def test_an_invoice_and_its_credit_note_are_taken_as_pdf(client: APIClient, viewer: Member) -> None:
    rule("", 600)
    papers.bill_to(member=viewer, place="CN", title="北京某某科技有限公司", tax_id=GOOD, at=NOON)
    course = shop.course_for(10_600)
    course.title = "钢琴入门 " * 20
    course.save()
    refund = shop.give_back(shop.bought(viewer, course), 5_300)
    operations.settle_refund(refund=refund, reference="re", at=NOON)

    credited, billed = (row["id"] for row in client.get("/api/v1/invoices/").json()["results"])
    files = [client.get(f"/api/v1/invoices/{pk}/pdf/").content for pk in (billed, credited)]
    pages = [PdfReader(io.BytesIO(file)).pages[0].extract_text() for file in files]

    assert all(
        word in pages[0] for word in ("账单", "INV-2026-000001", "北京某某科技有限公司", GOOD, "106.00 CNY", "6.00 CNY")
    )
    assert pages[0].count("琴") == 20, "A long title goes on in the next row."
    assert all(word in pages[1] for word in ("贷记单", "CN-2026-000001", "(INV-2026-000001)", "53.00 CNY", "3.00 CNY"))
    assert all(b"/FontFile2" in file for file in files)
    assert make.client(make.member()).get(f"/api/v1/invoices/{billed}/pdf/").status_code == 404


def test_taxes_are_set_by_staff_over_http_and_one_is_billed_as_one_says(client: APIClient) -> None:
    staff, ask = make.client(make.member(Member.Role.STAFF)), {"place": "CN", "bps": 600, "starts_on": "2026-01-01"}

    assert client.post("/api/v1/tax-rules/", ask).json()["code"] == "staff_set_taxes"
    assert staff.post("/api/v1/tax-rules/", ask).json()["bps"] == 600
    assert staff.post("/api/v1/tax-rules/", ask).json()["code"] == "two_taxes"
    assert [client.get("/api/v1/tax-rules/").status_code, len(staff.get("/api/v1/tax-rules/").json()["results"])] == [
        403,
        1,
    ]
    assert client.put("/api/v1/billing/", {"place": "CN", "title": "Li", "tax_id": GOOD}).json()["tax_id"] == GOOD
    assert client.put("/api/v1/billing/", {"tax_id": "1"}).json()["code"] == "bad_tax_id"
    assert client.get("/api/v1/billing/").json() == {"place": "CN", "title": "Li", "tax_id": GOOD}


@pytest.mark.parametrize("path", ["invoices/", "invoice-requests/"])
def test_lists_ask_as_often_for_one_row_as_for_many(
    client: APIClient, viewer: Member, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for turn in range(3):
        order = shop.bought(viewer, shop.course_for(1_000), key=f"{turn}")
        papers.ask_for_invoice(order=order, by=viewer, title="Li", at=NOON)

    with django_assert_max_num_queries(9):
        assert len(client.get(f"/api/v1/{path}").json()["results"]) == 3


def test_an_invoice_is_never_changed(viewer: Member) -> None:
    shop.bought(viewer, shop.course_for(1_000))
    assert ledger.clearing("CNY").balance == yuan(-1_000)

    with pytest.raises(Exception, match="permission denied"):
        Invoice.objects.update(amount=1)
