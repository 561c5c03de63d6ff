"""A course for 100 yuan, of which the provider gives the creator 89.40 directly, when it has matured."""

import signal
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import ledger, operations, queries
from billing.models import LineShare, Payment, Split, SplitOrder, SplitReceiver, StateChange
from billing.operations import paying, splitting
from billing.providers import Receiver
from billing.providers.sandbox.server import Server
from billing.tasks import send_split
from catalog.models import Item
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop, splits
from tests.billing.paying import BANK, SANDBOX, draft, hold, staff
from tests.billing.shop import fault, jobs, line_of, payment_of, yuan
from tests.billing.splits import (
    LATER,
    divided_by_the_provider,
    given,
    matured,
    paid,
    receiver,
    sent,
    split_of,
)
from tests.billing.test_crashes import run
from tests.billing.test_maturity import refunded, stands
from tests.billing.test_withholding import rule as withheld
from tests.catalog import things
from tests.conftest import COMMITTED, NOON

divides = splits.divides  # the fixture


def test_what_matured_is_given_by_the_provider(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)

    order = matured(viewer, course)
    assert (stands(course.creator), jobs("send_split")) == ({"in_transit": 8_940}, 1)
    order = sent(order)

    assert (order.state, given(sandbox), split_of(order).state) == ("done", [8_940], "done")
    assert (stands(course.creator), ledger.clearing("CNY").balance) == ({}, yuan(-10_000 + 8_940))
    told = StateChange.objects.filter(of="split", row=order.pk).order_by("pk").values_list("after", flat=True)
    assert list(told) == ["asked", "submitted", "done"]
    assert splitting.plan_splits(at=LATER) == 0
    assert shop.books_are_good()


def test_whoever_is_taxed_gets_nothing_from_the_provider_and_is_paid_out_less_the_tax(
    sandbox: Server, viewer: Member, course: Item
) -> None:
    divided_by_the_provider(payout_thresholds={"CNY": 1})
    receiver(course.creator)
    withheld(1_000)

    sent(matured(viewer, course))

    assert (given(sandbox), stands(course.creator)) == ([], {"available": 8_940})
    paying.set_payout_account(
        creator=course.creator, by=course.creator.member, currency="CNY", rail=SANDBOX, to=BANK, at=LATER
    )
    assert draft(course.creator, None).withheld == 894


def test_nothing_is_divided_before_it_has_matured_or_in_the_other_mode(
    sandbox: Server, viewer: Member, course: Item, in_school: Tenant
) -> None:
    receiver(course.creator)
    paid(viewer, course)
    assert splitting.plan_splits(at=LATER) == 0

    in_school.settings = {"settlement_mode": "collected"}
    other = paid(make.member(), course, "collected")
    operations.mature(at=LATER)

    assert (splitting.plan_splits(at=LATER), payment_of(other).is_split) == (1, False)
    assert stands(course.creator) == {"in_transit": 8_940, "available": 8_940}


def test_who_has_no_receiver_is_paid_out_and_the_rest_is_unfrozen(
    sandbox: Server, viewer: Member, course: Item
) -> None:
    order = sent(matured(viewer, course))

    assert (order.state, given(sandbox), stands(course.creator)) == ("done", [], {"available": 8_940})
    assert len(sandbox.bank.book.tables["splits"]) == 1


def test_several_creators_get_theirs_and_one_who_cannot_is_paid_out(
    sandbox: Server, viewer: Member, course: Item
) -> None:
    other, third = things.creator(make.member()), things.creator(make.member())
    order = shop.ordered(viewer, course)
    for creator, role, amount in (
        (course.creator, "owner", 6_000),
        (other, "collaborator", 2_000),
        (third, "affiliate", 940),
    ):
        LineShare.objects.create(line=line_of(order), creator=creator, role=role, amount=amount)
    receiver(course.creator)
    receiver(other, "closed_1")
    receiver(third, "acct_5678")
    hold(third)

    done = sent(matured(viewer, course))

    assert (done.state, given(sandbox)) == ("done", [6_000])
    assert list(done.splits.order_by("pk").values_list("state", "reason")) == [
        ("done", ""),
        ("failed", "account_closed"),
    ]
    assert (stands(course.creator), stands(other), stands(third)) == ({}, {"available": 2_000}, {"available": 940})
    assert shop.books_are_good()


def test_after_the_providers_limit_nothing_is_divided(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    paid(viewer, course)
    assert splitting.plan_splits(at=NOON + timedelta(days=26)) == 0
    operations.mature(at=LATER)

    splitting.plan_splits(at=NOON + timedelta(days=31))

    assert (SplitOrder.objects.get().state, stands(course.creator)) == ("done", {"available": 8_940})


def test_what_was_refunded_before_is_not_divided(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    order = paid(viewer, course)
    operations.mature(at=LATER)
    refunded(order, 5_000)

    splitting.plan_splits(at=LATER)

    assert split_of(SplitOrder.objects.get()).amount == 4_470
    assert shop.books_are_good()


@pytest.mark.parametrize("kind", ["fail_after_commit", "too_many"])
def test_a_lost_answer_is_unknown_until_the_provider_is_asked(
    sandbox: Server, viewer: Member, course: Item, kind: str
) -> None:
    receiver(course.creator)
    fault(sandbox, "/v1/splits", kind)

    order = sent(matured(viewer, course))
    assert (order.state, jobs("resolve_split")) == ("unknown", 1)
    assert sent(order).state == "unknown", "It is not told a second time."
    splitting.resolve_split(order=order, at=LATER)

    assert SplitOrder.objects.get().state == ("done" if kind == "fail_after_commit" else "asked")
    assert (sent(order).state, given(sandbox)) == ("done", [8_940])
    assert shop.books_are_good()


def test_a_provider_that_is_away_leaves_it_unknown(
    sandbox: Server, viewer: Member, course: Item, settings: Any
) -> None:
    receiver(course.creator)
    order = matured(viewer, course)
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    splitting.resolve_split(order=sent(order), at=LATER)

    assert (SplitOrder.objects.get().state, jobs("resolve_split")) == ("unknown", 2)


def test_a_refused_division_is_paid_out_and_unfrozen(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    fault(sandbox, "/v1/splits", "refuse")

    order = sent(matured(viewer, course))
    assert (order.state, stands(course.creator)) == ("asked", {"available": 8_940})
    order = sent(order)

    assert (order.state, given(sandbox), len(sandbox.bank.book.tables["splits"])) == ("done", [], 1)
    assert shop.books_are_good()


@COMMITTED
@pytest.mark.parametrize("point", ["before_split_call", "after_split_call", "after_split_post"])
def test_a_crash_while_dividing_gives_once(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        divided_by_the_provider()
        course = shop.course_for(10_000)
        receiver(course.creator)
        order = matured(make.member(), course)

    assert run(sandbox, "split", order.pk, crash_at=point) == -signal.SIGKILL
    for _ in range(2):
        send_split(tenant=school, order_id=order.pk)
        with scope(school):
            assert SplitOrder.objects.get().state != "asked" or point == "before_split_call"
            splitting.resolve_split(order=SplitOrder.objects.select_related("payment__order").get(), at=LATER)

    assert given(sandbox) == [8_940]
    with scope(school):
        assert (SplitOrder.objects.get().state, stands(course.creator)) == ("done", {})
        assert shop.books_are_good()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda creator: set_by(creator, make.member()), "not_your_money"),
        (lambda creator: set_by(creator, creator.member, provider="alipay"), "bad_account"),
        (lambda creator: set_by(creator, creator.member, to=Receiver("abc", "x")), "bad_account"),
        (lambda creator: set_by(creator, creator.member, provider="stripe"), "provider_not_connected"),
    ],
)
def test_a_receiver_that_cannot_be_is_refused(course: Item, act: Any, code: str) -> None:
    with pytest.raises(Refused) as no:
        act(course.creator)

    assert no.value.code == code


def set_by(creator: Any, by: Member, **told: Any) -> SplitReceiver:
    plain: dict[str, Any] = {"provider": "sandbox", "kind": "merchant", "to": Receiver("acct_1", "x")}
    return splitting.set_split_receiver(creator=creator, by=by, at=NOON, **plain | told)


def test_the_books_tell_of_a_split_that_was_not_booked(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    sent(matured(viewer, course))

    def found() -> set[tuple[str, str]]:
        return {(fault.promise, fault.table) for fault in queries.ledger_report().faults}

    assert found() == set()
    Split.objects.update(state="asked", returned=0)
    assert found() == {("L8", "split"), ("L8", "account")}
    Split.objects.update(state="done", returned=1)
    assert found() == {("L8", "split")}
    Split.objects.update(amount=8_939, returned=0)
    assert found() == {("L8", "journal"), ("L9", "split order")}


@pytest.mark.usefixtures("_fresh_cache")
def test_a_creator_says_where_and_sees_what_became_of_it(sandbox: Server, viewer: Member, course: Item) -> None:
    own, boss, other = make.client(course.creator.member), make.client(staff()), make.client(make.member())
    ask = {"provider": "sandbox", "kind": "merchant", "account": "acct_secret_9876", "name": "张三"}
    made = own.post("/api/v1/split-receivers/", ask)
    assert (made.json()["hint"], "secret" in made.content.decode()) == ("9876", False)
    splitting.register_receiver(receiver=SplitReceiver.objects.get(), at=NOON)
    sent(matured(viewer, course))

    (row,) = own.get("/api/v1/splits/").json()["results"]
    assert (row["amount"], row["state"], row["told"], row["receiver"]) == (8_940, "done", "done", "9876")
    whole = boss.get(f"/api/v1/splits/{row['id']}/").json()
    assert [change["after"] for change in whole["changes"]] == ["asked", "submitted", "done"]
    assert other.get(f"/api/v1/splits/{row['id']}/").status_code == 404
    assert other.get("/api/v1/splits/").json()["results"] == []


@pytest.mark.usefixtures("_fresh_cache")
@pytest.mark.parametrize("path", ["splits", "split-receivers"])
def test_lists_ask_no_more_for_more_rows(sandbox: Server, course: Item, path: str) -> None:
    boss, counts = make.client(staff()), []
    boss.get("/api/v1/holds/")  # what is asked once, and remembered
    receiver(course.creator)
    for number in range(2):
        matured(make.member(), course, f"{number}")
        receiver(things.creator(make.member()), f"acct_000{number}")
        with CaptureQueriesContext(connection) as asked:
            assert boss.get(f"/api/v1/{path}/").json()["results"]
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_what_was_divided_is_a_line_of_the_statement(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    sent(matured(viewer, course))

    period = paying.settle(month=LATER.date(), at=LATER + timedelta(days=40))

    settlement = queries.settlements_seen_by(staff()).get(period=period)
    assert [(line.kind, line.amount) for line in settlement.lines.order_by("kind")] == [
        ("sale:item", 8_940),
        ("split_done", -8_940),
    ]
    assert (settlement.closing, Payment.objects.get().is_split) == (0, True)
