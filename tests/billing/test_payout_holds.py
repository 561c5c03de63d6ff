"""What holds payouts up, where creators are paid, and how the bank is told without an interface."""

import csv
import io
from datetime import date
from functools import partial

import pytest
from django.db import connection

from billing.models import Payout, PayoutAccount
from billing.operations import paying
from billing.operations.payout_accounts import destination_of
from billing.providers import Destination
from billing.providers.sandbox.server import Server
from billing.providers.vault import Sealed
from catalog.models import Item
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.paying import (
    BANK,
    BANK_FILE,
    LATER,
    SANDBOX,
    approved,
    draft,
    earner,
    hold,
    now,
    paid_by,
    sent,
    staff,
)
from tests.billing.shop import jobs
from tests.billing.test_maturity import stands
from tests.concurrency import at_once
from tests.conftest import COMMITTED


def test_a_hold_stops_drafts_approvals_and_what_was_approved(sandbox: Server, course: Item) -> None:
    creator = earner(course)
    payout, other = approved(creator, 10_000), None
    held = hold(creator)

    with pytest.raises(paying.PayoutsHeld):
        other = draft(creator, key="other")
    assert (other, sent(payout).state) == (None, "approved")
    before = jobs("send_payout")
    paying.release_hold(hold=held, by=staff(), why="it came", at=LATER)

    assert jobs("send_payout") == before + 1
    assert (sent(payout).state, paid_by(sandbox)) == ("paid", [10_000])


@pytest.mark.parametrize(
    "told", [{"reason": "because"}, {"required_action": " "}, {"reason": ""}], ids=["reason", "action", "none"]
)
def test_a_hold_without_words_is_none(course: Item, told: dict[str, str]) -> None:
    whole = {"reason": "tax", "expected_on": date(2026, 6, 1), "required_action": "Send us the form."}

    with pytest.raises(Refused, match="A hold says why"):
        paying.place_hold(creator=course.creator, by=staff(), at=LATER, **whole | told)  # type: ignore[arg-type]


def test_where_a_creator_is_paid_is_sealed(course: Item) -> None:
    earner(course)
    account = PayoutAccount.objects.get()

    with connection.cursor() as cursor:
        cursor.execute("SELECT details FROM billing_payoutaccount")
        stored = bytes(cursor.fetchone()[0])
    assert b"6222" not in stored
    assert (destination_of(account), account.hint) == (BANK, "2233")
    with scope(make.tenant("other")), pytest.raises(Sealed):
        destination_of(account)


def test_another_account_takes_the_place_of_the_first(course: Item) -> None:
    creator = earner(course)
    payout = draft(creator)
    other = Destination(holder="张三", number="99998888", bank="CCB")

    paying.set_payout_account(creator=creator, by=creator.member, currency="CNY", rail=SANDBOX, to=other, at=LATER)

    assert PayoutAccount.objects.get(withdrawn_at=None).hint == "8888"
    assert now(payout).account.hint == "2233"
    with pytest.raises(paying.BadAccount):
        paying.set_payout_account(
            creator=creator, by=creator.member, currency="CNY", rail=SANDBOX,
            to=Destination(holder="=HYPERLINK()", number="99998888", bank="CCB"), at=LATER,
        )  # fmt: skip


def test_a_file_for_the_bank_and_what_the_bank_says(course: Item) -> None:
    creator, one, other = earner(course, BANK_FILE, sales=3), staff(), staff()
    for n in range(2):
        payout = draft(creator, by=one, key=f"{n}")
        paying.approve_payout(payout=payout, by=one, at=LATER)
    batch = paying.make_batch(by=one, currency="CNY", at=LATER)
    rows = list(csv.DictReader(io.StringIO("".join(paying.lines_of(batch)))))
    assert [(row["holder"], row["number"], row["amount"]) for row in rows] == [("张三", BANK.number, "100.00")] * 2

    said = "key,status,reference,reason\n{},paid,B1,\n{},failed,,closed\n".format(*(row["key"] for row in rows))
    assert paying.apply_result(batch=batch, text=said, by=other, at=LATER) == 2
    assert paying.apply_result(batch=batch, text=said, by=other, at=LATER) == 0

    assert sorted(Payout.objects.values_list("state", "reference", "reason")) == [
        ("failed", "", "closed"),
        ("paid", "B1", ""),
    ]
    assert stands(creator) == {"available": 26_820 - 10_000}
    contradiction = said.replace(",paid,B1,", ",failed,,")
    with pytest.raises(paying.WrongState):
        paying.apply_result(batch=batch, text=contradiction, by=other, at=LATER)
    with pytest.raises(paying.BadResult):
        paying.apply_result(batch=batch, text="key,status,reference,reason\nx,paid,,\n", by=other, at=LATER)
    with pytest.raises(paying.NothingToPay):
        paying.make_batch(by=one, currency="CNY", at=LATER)
    assert shop.books_are_good()


def test_by_hand_it_is_marked_by_somebody_else(course: Item) -> None:
    creator, one, other = earner(course, BANK_FILE), staff(), staff()
    payout = paying.approve_payout(payout=draft(creator), by=one, at=LATER)
    with pytest.raises(paying.WrongState):
        paying.mark_paid(payout=payout, by=other, reference="B1", at=LATER)
    paying.make_batch(by=one, currency="CNY", at=LATER)

    with pytest.raises(paying.FourEyes):
        paying.mark_paid(payout=payout, by=one, reference="B1", at=LATER)

    assert paying.mark_paid(payout=payout, by=other, reference="B1", at=LATER).state == "paid"
    assert shop.books_are_good()


HEAD = "key,status,reference,reason\n"


LONG = '{key},paid,"' + "x" * 140_000


@pytest.mark.parametrize(
    "text",
    ["{key},paid\n", "{key},paid,,\n", "{key}\n", '{key},paid,"B1\rx,\n', "{key},paid,B1\rB2,\n",
     pytest.param(LONG, id="long")],
)  # fmt: skip
def test_a_file_that_the_bank_never_wrote_is_refused(course: Item, text: str) -> None:
    creator, one, other = earner(course, BANK_FILE), staff(), staff()
    payout = paying.approve_payout(payout=draft(creator), by=one, at=LATER)
    batch = paying.make_batch(by=one, currency="CNY", at=LATER)

    with pytest.raises(paying.BadResult):
        paying.apply_result(batch=batch, text=HEAD + text.replace("{key}", payout.key), by=other, at=LATER)

    assert now(payout).state == "submitted"


@COMMITTED
def test_two_who_tell_of_the_same_payouts_in_another_order_do_not_block_each_other(school: Tenant) -> None:
    with scope(school):
        creator, one, other = earner(shop.course_for(10_000), BANK_FILE, sales=8), staff(), staff()
        payouts = [draft(creator, by=one, key=f"{n}") for n in range(6)]
        for payout in payouts:
            paying.approve_payout(payout=payout, by=one, at=LATER)
        batch = paying.make_batch(by=one, currency="CNY", at=LATER)
    texts = [HEAD + "".join(f"{of.key},paid,B,\n" for of in some) for some in (payouts, payouts[::-1])]

    told = at_once(
        school,
        [partial(paying.apply_result, batch=batch, text=text, by=other, at=LATER) for text in texts * 2],
    )

    assert sorted(told) == [0, 0, 0, 6]
