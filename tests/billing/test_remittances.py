"""Tax that was collected or withheld is handed over to the tax office: drafted, paid outside, confirmed."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import ledger, operations, queries
from billing.models import Order, Remittance
from billing.operations import papers, paying
from billing.operations.payouts import FourEyes
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.paying import LATER, approved, earner, found, sent, staff
from tests.billing.shop import yuan
from tests.billing.test_console_of_money import console_of, done
from tests.billing.test_verification import by_hand
from tests.billing.test_withholding import rule as withheld
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON

JUNE = NOON.replace(day=1) + timedelta(days=40)  # May is over
MAY = date(2026, 5, 1)


@pytest.fixture
def taxed(in_school: Tenant) -> Tenant:
    """A school that collects 6 % with what it sells, of which one course for 106.00 was sold in May."""
    in_school.settings = {"tax_bps": 600}
    shop.bought(make.member(), shop.course_for(10_600))
    return in_school


def drafted(by: Member, minor: int | None = None, key: str = "may", **more: Any) -> Remittance:
    told: dict[str, Any] = {"of": "tax", "currency": "CNY", "month": MAY, "at": JUNE} | more
    return papers.draft_remittance(by=by, amount=None if minor is None else yuan(minor), key=key, **told)


def confirmed(remittance: Remittance, by: Member, reference: str = "R1") -> Remittance:
    return papers.confirm_remittance(remittance=remittance, by=by, reference=reference, at=JUNE)


def test_what_was_owed_at_the_months_end_is_handed_over_once(taxed: Tenant) -> None:
    shop.bought(make.member(), shop.course_for(5_300), at=JUNE - timedelta(hours=1))
    by = staff()

    remittance = drafted(by)
    assert (drafted(by).pk, remittance.amount) == (remittance.pk, 600)
    for _ in range(2):
        remittance = confirmed(remittance, by)

    assert (remittance.state, remittance.reference) == ("paid", "R1")
    assert ledger.tax("CNY").balance == yuan(300), "The tax of June is owed in July."
    assert ledger.clearing("CNY").balance == yuan(-15_900 + 600)
    with pytest.raises(papers.NothingOwed):
        drafted(by, key="again")
    assert shop.books_are_good()


def test_what_is_drafted_is_not_drafted_twice_and_may_be_given_up(taxed: Tenant) -> None:
    by = staff()
    first = drafted(by, 400)
    with pytest.raises(papers.NothingOwed):
        drafted(by, 201, key="more")

    for _ in range(2):
        assert papers.withdraw_remittance(remittance=first, by=by, why="wrong", at=JUNE).state == "withdrawn"

    assert drafted(by, key="all").amount == 600
    with pytest.raises(paying.WrongState):
        confirmed(first, by)


def test_a_large_one_needs_somebody_else_also_in_parts(taxed: Tenant) -> None:
    taxed.settings["payout_four_eyes"] = {"CNY": 500}
    one, other = staff(), staff()
    small, rest = drafted(one, 300), drafted(one, 300, key="rest")
    confirmed(small, one)

    with pytest.raises(FourEyes):
        confirmed(rest, one, "R2")
    with pytest.raises(papers.ReceiptUsed):
        confirmed(rest, other)
    with pytest.raises(papers.ReceiptNeeded):
        confirmed(rest, other, " ")
    assert confirmed(rest, other, "R2").state == "paid"


def test_no_more_is_handed_over_than_was_owed_by_then(taxed: Tenant) -> None:
    by = staff()
    remittance = drafted(by)
    shop.give_back(Order.objects.get(), 100)

    with pytest.raises(papers.NothingOwed):
        confirmed(remittance, by)


def test_what_was_given_back_in_june_is_of_junes_tax(taxed: Tenant) -> None:
    by, order = staff(), Order.objects.get()
    operations.refund(line=shop.line_of(order), by=by, amount=None, key="june", at=JUNE - timedelta(hours=1))

    assert confirmed(drafted(by), by).amount == 600

    assert ledger.tax("CNY").balance == yuan(-600)
    assert shop.books_are_good()


def test_what_comes_back_after_it_was_handed_over_is_owed_by_the_tax_office(sandbox: Any, course: Item) -> None:
    withheld()
    payout, by = sent(approved(earner(course))), staff()
    confirmed(drafted(by, of="withholding"), by)
    assert ledger.withholding("CNY").balance == yuan(0)

    paying.reverse_payout(payout=payout, by=staff(), why="closed", at=LATER)

    assert ledger.withholding("CNY").balance == yuan(-2_000)
    assert shop.books_are_good()
    [owed] = [row for row in queries.taxes_owed(JUNE) if row.of == "withholding"]
    assert (owed.owed, owed.due) == (-2_000, 0)


@COMMITTED
def test_two_at_once_do_not_draft_the_same_twice_and_who_changes_it_by_hand_is_found(school: Tenant) -> None:
    with scope(school):
        school.settings = {"tax_bps": 600}
        shop.bought(make.member(), shop.course_for(10_600))
        people = [staff(), staff()]

    ends = at_once(school, [partial(drafted, by) for by in people])

    assert sorted(type(end).__name__ for end in ends) == ["NothingOwed", "Remittance"]
    with scope(school):
        remittance = Remittance.objects.get()
        confirmed(remittance, people[0])
        assert found() == set()
    by_hand(school, "UPDATE billing_remittance SET amount = 599")
    with scope(school):
        assert found() == {("L8", "remittance")}


def test_in_the_console_it_is_drafted_by_a_press_and_confirmed_with_the_receipt_as_the_note(taxed: Tenant) -> None:
    console = console_of(staff())
    press = reverse("admin:billing_remittance_press")

    for number in (1, 0):
        assert f"Drafted: {number}." in console.post(press, follow=True).content.decode()
    remittance = Remittance.objects.get()
    assert "is needed" in done(console, "remittance", "confirm", remittance)
    done(console, "remittance", "confirm", remittance, words="R-7")

    remittance.refresh_from_db()
    assert (remittance.amount, remittance.state, remittance.reference) == (600, "paid", "R-7")


def test_it_is_done_over_http_by_staff_only(
    client: APIClient, taxed: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    boss, url = make.client(staff()), "/api/v1/remittances/"
    ask = {"of": "tax", "month": "2026-05-31", "amount": 200}

    assert [client.get(path).status_code for path in (url, f"{url}owed/")] == [403, 403]
    assert client.post(url, ask).json()["code"] == "staff_only"
    made = boss.post(url, ask, headers={"Idempotency-Key": "1"}).json()
    assert boss.post(url, ask, headers={"Idempotency-Key": "1"}).json()["id"] == made["id"]
    assert boss.post(url, ask | {"amount": 401}).json()["code"] == "nothing_owed"
    assert boss.get(f"{url}owed/").json() == [{"of": "tax", "currency": "CNY", "owed": 600, "due": 400}]
    assert client.post(f"{url}{made['id']}/confirm/", {"reference": "R"}).status_code == 403
    assert boss.post(f"{url}{made['id']}/confirm/", {"reference": "R"}).json()["state"] == "paid"
    boss.post(url, ask | {"amount": 100})
    boss.post(f"{url}{boss.post(url, ask).json()['id']}/withdraw/", {"reason": "wrong"})
    with django_assert_max_num_queries(9):
        assert [row["state"] for row in boss.get(url).json()["results"]] == ["withdrawn", "draft", "paid"]
