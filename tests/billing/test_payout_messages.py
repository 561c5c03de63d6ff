"""What providers tell about payouts by message, besides being asked: applied, duplicate or quarantined."""

from typing import Any

import pytest

from billing.models import Payout, WebhookEvent
from billing.operations import paying
from catalog.models import Item
from kpplatform.tenancy.models import Tenant
from tests.billing import shop, test_alipay, test_stripe, test_wechatpay
from tests.billing.doubles.wechatpay import MCHID
from tests.billing.paying import LATER, approved, earner, now, sent
from tests.billing.rails import Rail, paid_at, rail_on
from tests.billing.test_maturity import stands

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def unknown(rail: Rail, payout: Payout) -> Payout:
    """A payout that has left, and we do not know it."""
    rail.fail("500_after")
    assert sent(payout).state == "unknown"
    return payout


def told(rail: Rail, state: str = "SUCCESS", **changed: Any) -> None:
    """Let the provider tell about its transfer, in its own words."""
    (number,) = rail.double.transfers
    made = rail.double.transfers[number]
    if rail.name == "stripe":
        kind = "transfer.reversed" if made["reversed"] else "transfer.created"
        test_stripe.told(rail.double, kind, made, **changed)
    elif rail.name == "wechatpay":
        about = {**made, "mch_id": MCHID, "state": state} | changed
        test_wechatpay.told(rail.double, about, "MCHTRANSFER.BILL.FINISHED")
    else:
        test_alipay.told(rail.double, rail.double.transfer_told(number, **{"status": state} | changed))


def states() -> list[tuple[str, str]]:
    return list(WebhookEvent.objects.order_by("pk").values_list("state", "reason"))


def test_a_message_says_that_a_payout_has_left(rail: Rail, unknown: Payout) -> None:
    for _ in range(2):
        told(rail)

    assert states() == [("applied", ""), ("duplicate", "")]
    assert (now(unknown).state, stands(unknown.creator)) == ("paid", {"available": 7_880})
    paying.resolve_payout(payout=unknown, at=LATER)
    assert shop.books_are_good()


def test_a_message_says_that_nothing_has_left(rail: Rail, unknown: Payout) -> None:
    if rail.name == "stripe":
        return  # a transfer is made or refused at once

    for _ in range(2):
        told(rail, "FAIL", fail_reason="收款账户异常")
    told(rail)

    assert states() == [("applied", ""), ("duplicate", ""), ("quarantined", "payout_is_failed")]
    assert (now(unknown).reason, stands(unknown.creator)) == ("收款账户异常", {"available": 17_880})
    assert shop.books_are_good()


def back(rail: Rail, minor: int = 10_000) -> None:
    """Take money back at the provider."""
    if rail.name == "stripe":
        rail.double.transfers["tr_1"] |= {"amount_reversed": minor, "reversed": minor == 10_000}


@pytest.mark.parametrize("is_known", [True, False])
def test_what_comes_back_is_the_creators_again(rail: Rail, unknown: Payout, is_known: bool) -> None:  # noqa: FBT001
    if rail.name == "wechatpay":
        return  # what was accepted there stays
    if is_known:
        told(rail)
    back(rail)

    for _ in range(2):
        told(rail, "REFUND")

    assert states()[-2:] == [("applied", ""), ("duplicate", "")]
    assert (now(unknown).state, stands(unknown.creator)) == ("reversed", {"available": 17_880})
    assert shop.books_are_good()


AMOUNT = {"stripe": {"amount": 9_999}, "wechatpay": {"transfer_amount": 9_999}, "alipay": {"trans_amount": "99.99"}}
KEY = {"stripe": {"metadata": {"tenant": "school", "key": "po_1"}}, "wechatpay": {"out_bill_no": "other1"}}
NUMBER = {"stripe": {"id": "tr_2"}, "wechatpay": {"transfer_bill_no": "2"}, "alipay": {"order_id": "2"}}
GARBLED = {"stripe": {"amount": None}, "wechatpay": {"transfer_amount": "1"}, "alipay": {"trans_amount": "1"}}
OTHERS = {"stripe": {"metadata": {}}, "wechatpay": {"mch_id": "1"}, "alipay": {"out_biz_no": "po_2"}}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (AMOUNT, "wrong_amount"),
        (KEY | {"alipay": {"out_biz_no": "po_1"}}, "unknown_payout"),
        (GARBLED, "garbled"),
        (OTHERS, "wrong_account"),
    ],
)
def test_what_is_signed_but_not_true_goes_into_quarantine(
    rail: Rail, unknown: Payout, changed: dict[str, dict[str, Any]], reason: str
) -> None:
    told(rail, **changed[rail.name])

    expected = "unknown_payout" if (rail.name, reason) == ("alipay", "wrong_account") else reason
    assert states() == [("quarantined", expected)]
    assert now(unknown).state == "unknown"


def test_a_message_about_another_transfer_goes_into_quarantine(rail: Rail, payout: Payout) -> None:
    sent(payout)
    rail.accept()
    paying.resolve_payout(payout=payout, at=LATER)

    told(rail, **NUMBER[rail.name])

    assert states() == [("quarantined", "wrong_reference")]


@pytest.mark.parametrize(
    ("kind", "minor", "reason"),
    [
        ("transfer.updated", 4_000, "partly_reversed"),
        ("payout.failed", 0, "bank_of_the_connected_account"),
    ],
)
def test_what_stripe_tells_that_is_for_staff_to_look_at(
    in_school: Tenant, course: Item, kind: str, minor: int, reason: str
) -> None:
    with rail_on("stripe") as rail:
        creator = earner(course)
        paid_at(creator, "stripe")
        payout = sent(approved(creator))
        back(rail, minor)

        test_stripe.told(rail.double, kind, rail.double.transfers["tr_1"])

    assert (states(), now(payout).state) == ([("quarantined", reason)], "paid")


def test_what_nobody_was_told_of_cannot_have_left(in_school: Tenant, course: Item) -> None:
    with rail_on("alipay") as rail:
        creator = earner(course)
        paid_at(creator, "alipay")
        payout = approved(creator)
        sent(payout)
        Payout.objects.update(state="draft")

        told(rail)

    assert (states(), now(payout).state) == ([("quarantined", "payout_is_draft")], "draft")
