"""Whether what was paid out is in the books, and who may ask about it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import ledger, operations
from billing.models import Journal, Payout
from billing.operations import paying
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.paying import LATER, approved, draft, earner, found, hold, sent, staff
from tests.billing.shop import bought, yuan
from tests.billing.test_verification import by_hand, lifted
from tests.conftest import COMMITTED


def test_the_books_tell_of_a_payout_that_left_twice_or_never(sandbox: Server, course: Item) -> None:
    payout = sent(approved(earner(course)))
    assert found() == set()

    Payout.objects.update(state="unknown")
    assert found() == {("L8", "payout"), ("L8", "account")}
    Payout.objects.update(state="paid", amount=9_999)
    assert found() == {("L8", "journal")}
    Payout.objects.update(amount=10_000, key="another")
    assert found() == {("L8", "journal"), ("L8", "payout")}
    Payout.objects.update(key=payout.key)
    assert found() == set()


def test_the_books_tell_of_money_in_transit_that_is_no_payout(course: Item) -> None:
    creator = earner(course)
    moved = (ledger.available(creator, "CNY"), ledger.in_transit(creator, "CNY"), yuan(1))
    ledger.post(kind=Journal.Kind.PAYOUT, key="lost", transfers=[moved], at=LATER)

    assert found() == {("L8", "account")}


def test_the_books_tell_of_a_payout_that_left_while_held(sandbox: Server, course: Item) -> None:
    creator = earner(course)
    sent(approved(creator))
    hold(creator)
    assert found() == set(), "It had left before."

    Payout.objects.update(submitted_at=LATER + timedelta(seconds=1))
    assert found() == {("L14", "payout")}


@COMMITTED
def test_the_books_tell_of_a_hold_that_says_nothing(school: Tenant) -> None:
    with scope(school):
        hold(shop.course_for(1).creator)
    with lifted("billing_payouthold", "a_hold_says_why_and_what_to_do"):
        by_hand(school, "UPDATE billing_payouthold SET required_action = ''")
        with scope(school):
            assert found() == {("L14", "hold")}
        by_hand(school, "DELETE FROM billing_payouthold")


@pytest.mark.usefixtures("_fresh_cache")
def test_a_creator_asks_staff_approve_and_the_creator_sees_why_it_waits(sandbox: Server, course: Item) -> None:
    creator, boss = course.creator, make.client(staff())
    own = make.client(creator.member)
    for n in range(2):
        bought(make.member(), course, key=f"{n}")
    operations.mature(at=LATER)
    account = {"rail": "sandbox", "holder": "张三", "number": "6222020200112233", "bank": "ICBC"}
    assert own.post("/api/v1/payout-accounts/", account).json()["hint"] == "2233"

    asked = own.post("/api/v1/payouts/", {"amount": 10_000}).json()
    assert (asked["state"], asked["amount"], asked["account"]) == ("draft", 10_000, "2233")
    url = f"/api/v1/payouts/{asked['id']}/approve/"
    assert own.post(url).json()["code"] == "staff_decide"
    assert make.client(make.member()).post(url).status_code == 404
    ends = {"reason": "tax", "expected_on": "2126-01-01", "required_action": "Send us the form."}
    held = boss.post("/api/v1/holds/", ends | {"creator": creator.handle}).json()
    assert boss.post(url).json()["code"] == "payouts_held"
    assert [(row["reason"], row["required_action"]) for row in own.get("/api/v1/holds/").json()["results"]] == [
        ("tax", "Send us the form.")
    ]
    assert own.post(f"/api/v1/holds/{held['id']}/release/", {}).json()["code"] == "staff_decide"
    assert boss.post(f"/api/v1/holds/{held['id']}/release/", {"why": "it came"}).json()["released_at"]
    assert boss.post(url).json()["state"] == "approved"
    assert [change["after"] for change in own.get(f"/api/v1/payouts/{asked['id']}/").json()["changes"]] == [
        "draft",
        "approved",
    ]


@pytest.mark.usefixtures("_fresh_cache")
@pytest.mark.parametrize("path", ["payouts", "holds", "payout-accounts"])
def test_lists_ask_no_more_for_more_rows(course: Item, path: str) -> None:
    creator, boss = earner(course, sales=5), make.client(staff())
    boss.get("/api/v1/holds/")  # what is asked once, and remembered
    counts = []
    for n in range(2):
        draft(creator, key=f"{n}")
        paying.release_hold(hold=hold(creator), by=staff(), why="", at=LATER)
        with CaptureQueriesContext(connection) as asked:
            assert boss.get(f"/api/v1/{path}/").json()["results"]
        counts.append(len(asked))

    assert counts[0] == counts[1]
