"""What papers say at the edges: the year's end, nothing paid, people's numbers, and which invoice is credited."""

import io
from datetime import UTC, datetime

import pytest
from django.db.models import Sum
from hypothesis import given
from hypothesis import strategies as some
from pypdf import PdfReader
from rest_framework.test import APIClient

from billing import operations, queries
from billing.api.invoice_sheet import pdf_of
from billing.models import Dispute, Invoice, InvoiceRequest
from billing.operations import papers
from billing.operations.tax_ids import BadTaxId, checked_tax_id
from billing.providers import Stand
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.disputes import say
from tests.billing.paying import LATER
from tests.billing.test_taxes import GOOD, rule
from tests.billing.test_verification import by_hand
from tests.catalog import things
from tests.conftest import COMMITTED, NOON

PERSON = "11010519491231002X"  # the example of GB 11643-1999
NEW_YEAR = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)  # half an hour of it have passed in Shanghai


def test_an_invoice_bears_the_day_of_the_year_that_it_is_numbered_in(client: APIClient, viewer: Member) -> None:
    shop.bought(viewer, shop.course_for(1_000), at=NEW_YEAR)
    invoice = Invoice.objects.get()
    url = f"/api/v1/invoices/{invoice.pk}"

    page = PdfReader(io.BytesIO(client.get(f"{url}/pdf/").content)).pages[0].extract_text()

    assert str(invoice) == "INV-2027-000001"
    assert "2027-01-01" in page
    assert "2027-01-01" in client.get(f"{url}/printed/").content.decode()
    assert client.get(f"{url}/").json()["issued_on"] == "2027-01-01"


def test_a_credit_note_says_on_each_paper_which_invoice_it_credits_in_the_readers_language(
    client: APIClient, viewer: Member
) -> None:
    refund = shop.give_back(shop.bought(viewer, shop.course_for(1_000)))
    operations.settle_refund(refund=refund, reference="re", at=NOON)
    url = f"/api/v1/invoices/{Invoice.objects.get(kind='credit_note').pk}"

    printed = client.get(f"{url}/printed/", headers={"accept-language": "zh-hans"}).content.decode()

    assert "INV-2026-000001" in printed
    assert "贷记单" in printed
    assert "买家" in printed
    assert client.get(f"{url}/csv/").content.decode().splitlines()[1].endswith(",INV-2026-000001")


def test_what_is_lost_in_a_dispute_is_credited_once_and_before_that_it_is_not(
    client: APIClient, viewer: Member
) -> None:
    rule("", 600)
    courses = [shop.course_for(minor) for minor in (10_600, 5_300)]
    order = shop.bought_all(viewer, *(operations.Wanted(item=course) for course in courses))
    say(order, Stand.NEEDS_RESPONSE)
    assert not Invoice.objects.filter(kind="credit_note").exists()

    for _ in range(2):
        say(order, Stand.LOST, is_withdrawn=True)

    credited = Invoice.objects.filter(kind="credit_note").order_by("pk")
    assert [(str(of), of.amount, of.tax) for of in credited] == [
        ("CN-2026-000001", 10_600, 600),
        ("CN-2026-000002", 5_300, 300),
    ]
    told = client.get("/api/v1/invoices/").json()["results"]
    assert [row["dispute"] for row in told] == [Dispute.objects.get().pk] * 2 + [None]
    assert shop.books_are_good()


def test_what_was_given_back_before_is_not_credited_again_when_the_rest_is_lost(viewer: Member) -> None:
    rule("", 600)
    order = shop.bought(viewer, shop.course_for(10_600))
    operations.settle_refund(refund=shop.give_back(order, 3_333), reference="re", at=NOON)

    say(order, Stand.LOST, is_withdrawn=True)

    credited = Invoice.objects.filter(kind="credit_note")
    assert credited.count() == 2
    assert credited.aggregate(amount=Sum("amount"), tax=Sum("tax")) == {"amount": 10_600, "tax": 600}


def test_what_is_won_is_never_credited(viewer: Member) -> None:
    order = shop.bought(viewer, shop.course_for(10_600))
    say(order, Stand.NEEDS_RESPONSE)
    say(order, Stand.WON)

    assert not Invoice.objects.filter(kind="credit_note").exists()


@COMMITTED
def test_what_was_never_billed_or_never_credited_is_missed(school: Tenant) -> None:
    with scope(school):
        order = shop.bought(make.member(), shop.course_for(1_000))
        operations.settle_refund(refund=shop.give_back(order), reference="re", at=NOON)
        shop.bought(make.member(), shop.course_for(1_000), at=LATER)
        assert shop.books_are_good()

    by_hand(school, "DELETE FROM billing_invoice WHERE kind = 'credit_note'")
    by_hand(school, f"DELETE FROM billing_invoice WHERE order_id <> {order.pk}")

    with scope(school):
        found = {(fault.promise, fault.table) for fault in queries.ledger_report().faults}
        assert found == {("L10", "invoice series"), ("L10", "payment"), ("L10", "refund")}


def test_nobody_asks_for_the_fapiao_of_what_a_coupon_paid_for(viewer: Member) -> None:
    course = shop.course_for(1_000)
    free = shop.coupon(course.creator, bps=10_000)
    order = operations.order_all(
        viewer=viewer, wanted=[operations.Wanted(item=course)], coupon=free.code, key="free", at=NOON
    )
    assert order.state == "paid"

    with pytest.raises(papers.NothingToBill):
        papers.ask_for_invoice(order=order, by=viewer, title="Li", at=NOON)
    assert not InvoiceRequest.objects.exists()


def test_a_creator_who_is_a_person_has_a_persons_number_and_a_company_a_companys(viewer: Member) -> None:
    creator, staff = things.creator(), make.member(Member.Role.STAFF)

    def kept(kind: str, said: str) -> str:
        return papers.tax_as(creator=creator, by=staff, place="CN", kind=kind, tax_id=said, at=NOON).tax_id

    assert kept("person", " 110105 19491231 002x") == PERSON
    assert kept("person", GOOD) == GOOD, "Who trades alone has one as companies do."
    assert kept("company", GOOD) == GOOD
    for kind, said in (("company", PERSON), ("person", "110105194912310021")):
        with pytest.raises(BadTaxId):
            kept(kind, said)


@given(place=some.sampled_from(["CN", "US", "DE", "IS", "JP", "BR", "MX"]), said=some.text(min_size=1, max_size=20))
def test_whatever_is_said_is_a_tax_id_that_can_be_kept_or_refused(place: str, said: str) -> None:
    for is_person in (False, True):
        try:
            assert len(checked_tax_id(said, place=place, is_person=is_person)) <= 20
        except BadTaxId:
            continue


HOSTILE = [
    "W" * 200,
    "שלום " * 40,
    "\u202egpj.exe\u202c",
    "😀" * 100,
    "<b>&amp;</b>" * 15,
    "a\r\nb\tc\x07\x1b[2J",
    "𠀀𠮷" * 50,
    "e\u0301" * 100,
    "(\\) Tj ET Q" * 15,
    "\u200b\ufffe\uffff" * 60,
    "",
]


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_name_or_a_title_says_the_paper_is_made_and_its_sums_can_be_read(
    in_school: Tenant, words: str
) -> None:
    line = {"title": words, "amount": 10**11, "tax": 10**10, "invoice": "INV-2026-000001"}
    told = {"kind": "credit_note", "series": "CN-2026", "number": 1, "lines": [line] * 60, "issued_at": NOON}
    party = {"name": words, "place": words, "tax_id": words}

    paper = pdf_of(Invoice(seller=party, buyer=party, amount=6 * 10**12, tax=6 * 10**11, currency="CNY", **told))

    pages = [page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages]
    assert len(pages) >= 2
    assert all(said in pages[-1] for said in ("合计 Sum", "60,000,000,000.00 CNY", "6,000,000,000.00 CNY"))
