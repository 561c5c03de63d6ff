"""Money that leaves for creators: asked for, approved, told to somebody once, and settled by what they say."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing import ledger, operations
from billing.models import Order, Payout, PayoutAccount, PayoutChange
from billing.operations import paying
from billing.operations.payouts import PayoutKeyTaken
from billing.providers import Destination
from billing.providers.sandbox.server import Server
from billing.tasks import send_payout
from catalog.models import Item
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.paying import LATER, approved, draft, earner, now, paid_by, sent, staff
from tests.billing.shop import bought, fault, jobs, yuan
from tests.billing.test_maturity import refunded, stands
from tests.conftest import COMMITTED


def test_a_payout_leaves(sandbox: Server, course: Item) -> None:
    creator = earner(course)

    payout = draft(creator)
    assert stands(creator) == {"available": 7_880, "in_transit": 10_000}
    payout = paying.approve_payout(payout=payout, by=staff(), at=LATER)
    assert (payout.state, jobs("send_payout")) == ("approved", 1)
    payout = sent(payout)

    assert (payout.state, paid_by(sandbox)) == ("paid", [10_000])
    assert payout.reference in sandbox.bank.book.tables["payouts"]
    assert stands(creator) == {"available": 7_880}
    assert ledger.clearing("CNY").balance == yuan(-20_000 + 10_000)
    told = PayoutChange.objects.order_by("pk").values_list("after", flat=True)
    assert list(told) == ["draft", "approved", "submitted", "paid"]
    assert shop.books_are_good()


def test_without_an_amount_it_is_all_there_is_and_once_per_key(course: Item) -> None:
    creator = earner(course)

    first = draft(creator, None)

    assert (first.amount, draft(creator, None)) == (17_880, first)
    with pytest.raises(PayoutKeyTaken):
        draft(creator, 10_001)
    assert stands(creator) == {"in_transit": 17_880}


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda creator: draft(creator, 9_999), "below_threshold"),
        (lambda creator: draft(creator, 17_881), "not_enough_money"),
        (lambda creator: draft(creator, by=make.member()), "not_your_money"),
        (lambda creator: paying.approve_payout(payout=draft(creator), by=creator.member, at=LATER), "staff_decide"),
        (lambda creator: paying.approve_payout(payout=approved(creator), by=staff(), at=LATER), "wrong_state"),
        (lambda creator: paying.reverse_payout(payout=draft(creator), by=staff(), why="", at=LATER), "wrong_state"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(course: Item, act: Callable[[Creator], Any], code: str) -> None:
    creator = earner(course)

    with pytest.raises(Refused) as no:
        act(creator)

    assert no.value.code == code


def test_nobody_is_paid_who_has_not_said_where(course: Item) -> None:
    creator = earner(course)
    PayoutAccount.objects.update(withdrawn_at=LATER)

    with pytest.raises(paying.NoPayoutAccount):
        draft(creator)


def test_the_threshold_is_the_tenants_own(in_school: Tenant, course: Item) -> None:
    creator = earner(course)
    in_school.settings = {"payout_thresholds": {"CNY": 500}}

    assert draft(creator, 500).amount == 500
    with pytest.raises(paying.BelowThreshold):
        draft(creator, 499, key="less")


def test_a_large_payout_needs_two_people(in_school: Tenant, course: Item) -> None:
    creator, one, other = earner(course), staff(), staff()
    in_school.settings = {"payout_four_eyes": {"CNY": 10_000}}
    payout = draft(creator, 10_000, by=one)

    with pytest.raises(paying.FourEyes):
        paying.approve_payout(payout=payout, by=one, at=LATER)
    assert paying.approve_payout(payout=payout, by=other, at=LATER).approved_by == other

    in_school.settings = {"payout_four_eyes": {"CNY": 10_001}, "payout_thresholds": {"CNY": 1}}
    small = draft(creator, 7_880, by=one, key="small")
    assert paying.approve_payout(payout=small, by=one, at=LATER).state == "approved"


@pytest.mark.parametrize("kind", ["fail_after_commit", "time_out_after_commit"])
def test_a_lost_answer_is_unknown_until_the_provider_is_asked(
    sandbox: Server, course: Item, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("billing.providers.sandbox.driver.TIMEOUT_S", 0.2)
    fault(sandbox, "/v1/payouts", kind, seconds=0.5)
    creator = earner(course)

    payout = sent(approved(creator))
    assert (payout.state, stands(creator)["in_transit"], jobs("resolve_payout")) == ("unknown", 10_000, 1)
    assert sent(payout).state == "unknown", "It is not told a second time."
    paying.resolve_payout(payout=payout, at=LATER)

    assert (now(payout).state, paid_by(sandbox)) == ("paid", [10_000])
    paying.resolve_payout(payout=payout, at=LATER)
    assert shop.books_are_good()


def test_what_the_provider_does_not_know_is_told_again_under_the_same_key(sandbox: Server, course: Item) -> None:
    fault(sandbox, "/v1/payouts", "too_many")
    payout = sent(approved(earner(course)))
    assert (payout.state, paid_by(sandbox)) == ("unknown", [])

    paying.resolve_payout(payout=payout, at=LATER)
    assert now(payout).state == "approved"

    with pytest.raises(paying.WrongState):
        paying.withdraw_payout(payout=payout, by=staff(), why="It may still come through.", at=LATER)
    assert (sent(payout).state, paid_by(sandbox)) == ("paid", [10_000])


def test_a_provider_that_is_away_leaves_it_unknown(course: Item, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    payout = sent(approved(earner(course)))

    paying.resolve_payout(payout=payout, at=LATER + timedelta(minutes=1))

    assert (now(payout).state, jobs("resolve_payout")) == ("unknown", 2)


def test_a_refused_payout_is_the_creators_again_and_repays_debts_first(sandbox: Server, course: Item) -> None:
    creator = earner(course)
    payout = approved(creator, 17_000)
    order = bought(make.member(), course, key="third")
    operations.mature(at=LATER)
    refunded(order)
    refunded(Order.objects.order_by("pk")[0], key="first")
    assert stands(creator) == {"in_transit": 17_000, "clawback": 880 - 8_940}

    fault(sandbox, "/v1/payouts", "refuse")
    payout = sent(payout)

    assert (payout.state, payout.reason) == ("failed", "The payment provider refuses: refused.")
    assert stands(creator) == {"available": 8_940}
    assert shop.books_are_good()


def test_a_payout_that_comes_back_is_the_creators_again(sandbox: Server, course: Item) -> None:
    creator = earner(course)
    payout = sent(approved(creator))

    payout = paying.reverse_payout(payout=payout, by=staff(), why="account closed", at=LATER)

    assert (payout.state, stands(creator)) == ("reversed", {"available": 17_880})
    assert ledger.clearing("CNY").balance == yuan(-20_000)
    assert shop.books_are_good()


def test_a_payout_is_given_up_before_anybody_is_told(course: Item) -> None:
    creator = earner(course)

    payout = paying.withdraw_payout(payout=approved(creator), by=staff(), why="wrong", at=LATER)

    assert (payout.state, stands(creator), sent(payout).state) == ("failed", {"available": 17_880}, "failed")


@COMMITTED
def test_the_job_tells_the_provider_once(school: Tenant, sandbox: Server) -> None:
    with scope(school):
        payout = approved(earner(shop.course_for(10_000)))

    for _ in range(2):
        send_payout(tenant=school, payout_id=payout.pk)

    assert paid_by(sandbox) == [10_000]
    with scope(school):
        assert now(payout).state == "paid"


def test_nobody_alone_says_where_a_large_payout_goes_and_lets_it_go(in_school: Tenant, course: Item) -> None:
    creator, one, other = earner(course), staff(), staff()
    in_school.settings = {"payout_four_eyes": {"CNY": 10_000}}
    where = Destination(holder="李四", number="99998888", bank="CCB")
    paying.set_payout_account(creator=creator, by=one, currency="CNY", rail="sandbox", to=where, at=LATER)
    payout = draft(creator, 10_000)  # by the creator, who does not know

    with pytest.raises(paying.FourEyes):
        paying.approve_payout(payout=payout, by=one, at=LATER)

    assert paying.approve_payout(payout=payout, by=other, at=LATER).state == "approved"


def test_a_large_payout_in_small_parts_is_a_large_one(in_school: Tenant, course: Item) -> None:
    creator, one, other = earner(course), staff(), staff()
    in_school.settings = {"payout_four_eyes": {"CNY": 10_000}, "payout_thresholds": {"CNY": 1}}
    first, second = (draft(creator, minor, by=one, key=f"{minor}") for minor in (6_000, 4_000))
    paying.approve_payout(payout=first, by=one, at=LATER)

    with pytest.raises(paying.FourEyes):
        paying.approve_payout(payout=second, by=one, at=LATER + timedelta(hours=23))

    third = draft(creator, 3_999, by=one, key="less")
    assert paying.approve_payout(payout=third, by=one, at=LATER).state == "approved"
    assert paying.approve_payout(payout=second, by=other, at=LATER).state == "approved"


def test_a_payout_that_waits_is_asked_about_until_something_is_known(sandbox: Server, course: Item) -> None:
    payout = sent(approved(earner(course)))
    Payout.objects.update(state="submitted")  # the provider had said: pending
    sandbox.bank.book.tables["payouts"].clear()

    paying.resolve_payout(payout=payout, at=LATER)

    assert (now(payout).state, jobs("resolve_payout")) == ("submitted", 1)
