"""Disputes as Stripe and WeChat Pay tell of them, over HTTP; and many at once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing import ledger
from billing.models import Dispute, DisputeAnswer, Payment, ReportRow, WebhookEvent
from billing.operations import disputing
from billing.providers import Stand
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop, test_stripe, test_wechatpay
from tests.billing.disputes import NOW, disputed, say
from tests.billing.doubles.stripe import FILES, StripeDouble
from tests.billing.doubles.stripe_disputes import DISPUTES
from tests.billing.doubles.wechatpay import WechatDouble
from tests.billing.paying import staff
from tests.billing.shop import bought, give_back, yuan
from tests.billing.test_concurrency import CLIENTS, at_once
from tests.billing.test_dispute_answers import sent, words
from tests.billing.test_maturity import stands
from tests.billing.test_reconciliation import compared, listed
from tests.conftest import COMMITTED

stripe, wechat = test_stripe.stripe, test_wechatpay.wechat  # the fixtures
EVENTS = ("created", "funds_withdrawn", "updated", "closed", "funds_reinstated")


def at_stripe(stripe: StripeDouble, viewer: Member, course: Item) -> Payment:
    """Return a payment through Stripe that is disputed there."""
    payment = test_stripe.paid(stripe, viewer, course)
    stripe.dispute("dp_1", amount=10_000, payment_intent="pi_1", status="needs_response", moved=-10_000, fee=1_500)
    return payment


def tell(stripe: StripeDouble, kind: str, number: str = "dp_1") -> None:
    test_stripe.told(stripe, f"charge.dispute.{kind}", stripe.disputes[number])


@pytest.mark.parametrize(("status", "ends"), [("lost", {}), ("won", {"pending": 8_940})])
def test_stripe_tells_of_a_dispute_in_any_order(
    stripe: StripeDouble, viewer: Member, course: Item, status: str, ends: dict[str, int]
) -> None:
    payment = at_stripe(stripe, viewer, course)
    tell(stripe, "funds_withdrawn")
    dispute = Dispute.objects.get(payment=payment)
    assert (dispute.state, dispute.held, dispute.fee, dispute.reason) == ("needs_response", 10_000, 1_500, "fraudulent")
    assert dispute.due_at is not None

    stripe.dispute("dp_1", status=status, **({"moved": 10_000, "fee": -1_500} if status == "won" else {}))
    for kind in reversed(EVENTS):
        tell(stripe, kind)

    assert (Dispute.objects.get().state, stands(course.creator)) == (status, ends)
    told = WebhookEvent.objects.order_by("pk").values_list("state", flat=True)[1:]
    assert list(told) == ["applied", "applied", "duplicate", "duplicate", "duplicate", "duplicate"]
    assert shop.books_are_good()


def test_stripe_gets_evidence_with_a_file(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    at_stripe(stripe, viewer, course)
    tell(stripe, "created")
    dispute, by = Dispute.objects.select_related("payment__order__viewer").get(), staff()
    words(dispute, by)
    disputing.add_evidence(dispute=dispute, by=by, kind="access_log", at=NOW)
    disputing.add_evidence(dispute=dispute, by=by, kind="file", content=b"%PDF-\xff\x00", at=NOW)

    stripe.fail(f"{DISPUTES}/dp_1", "500_after")
    answer = disputing.submit_evidence(dispute=dispute, by=by, key="submit", at=NOW)
    assert sent(answer) == "unknown"
    disputing.resolve_dispute_answer(answer=answer, at=NOW)

    assert (DisputeAnswer.objects.get().state, Dispute.objects.get().state) == ("done", "under_review")
    assert stripe.files == {"file_1": b"%PDF-\xff\x00"}
    evidence = stripe.disputes["dp_1"]["evidence"]
    assert evidence.keys() == {"uncategorized_text", "access_activity_log", "uncategorized_file"}
    assert [path for method, path in stripe.requests if method == "POST"][-2:] == [FILES, f"{DISPUTES}/dp_1"]


def test_stripe_is_told_that_a_dispute_is_accepted(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    at_stripe(stripe, viewer, course)
    tell(stripe, "created")
    dispute = Dispute.objects.select_related("payment__order__viewer").get()

    answer = disputing.accept_dispute(dispute=dispute, by=staff(), key="accept", at=NOW)
    assert sent(answer) == "done"
    tell(stripe, "closed")

    assert Dispute.objects.get().state == "lost"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount": 10_001}, "wrong_amount"),
        ({"currency": "usd"}, "wrong_currency"),
        ({"payment_intent": "pi_of_somebody"}, "unknown_payment"),
        ({"payment_intent": None}, "unknown_payment"),
        ({"status": "something_new"}, "unknown_state"),
    ],
)
def test_what_stripe_says_of_others_is_quarantined(
    stripe: StripeDouble, viewer: Member, course: Item, changed: dict[str, Any], reason: str
) -> None:
    at_stripe(stripe, viewer, course)
    stripe.dispute("dp_1", **changed)

    tell(stripe, "created")
    tell(stripe, "created")
    stripe.disputes["dp_2"] = stripe.disputes.pop("dp_1") | {"id": "dp_3"}
    tell(stripe, "created", "dp_2")

    states = WebhookEvent.objects.order_by("-pk").values_list("state", "reason")
    assert list(states[:3]) == [("quarantined", "unknown_dispute"), *[("quarantined", reason)] * 2]
    assert not Dispute.objects.exists()


@pytest.mark.usefixtures("_fresh_cache")
def test_a_complaint_at_wechat_is_answered_and_closed_and_moves_no_money(
    wechat: WechatDouble, viewer: Member, course: Item
) -> None:
    payment, number = test_wechatpay.opened(viewer, course)
    test_wechatpay.told(wechat, wechat.pay(number))
    body = wechat.complain("2000", wechat.orders[number])
    assert test_wechatpay.deliver(body, wechat.signature(body)).status_code == 200
    shop.work()
    dispute, by = Dispute.objects.select_related("payment__order__viewer").get(), staff()
    assert (dispute.payment, dispute.state, dispute.amount, dispute.held) == (payment, "warning", 10_000, 0)

    words(dispute, by, "We have written to you. " * 20)
    answer = disputing.submit_evidence(dispute=dispute, by=by, key="submit", at=NOW)
    wechat.fail("/v3/merchant-service/complaints-v2/2000/response", "500_after")
    assert sent(answer) == "unknown"
    disputing.resolve_dispute_answer(answer=answer, at=NOW)
    assert (DisputeAnswer.objects.get().state, Dispute.objects.get().state) == ("done", "warning")
    assert len(wechat.complaints["2000"]["history"]) == 1
    assert sent(disputing.accept_dispute(dispute=dispute, by=by, key="accept", at=NOW)) == "done"
    disputing.hear_of_dispute(provider="wechatpay", reference="2000", at=NOW)

    assert Dispute.objects.get().state == "closed"
    assert stands(course.creator) == {"pending": 8_940}


@pytest.mark.usefixtures("_fresh_cache")
def test_a_complaint_is_about_what_was_sold_here(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    payment, number = test_wechatpay.opened(viewer, course)
    test_wechatpay.told(wechat, wechat.pay(number))
    body = wechat.complain("2000", wechat.orders[number])
    of_another_shop = {"transaction_id": "43", "out_trade_no": "shop-1", "amount": 500}
    wechat.complaints["2000"]["complaint_order_info"].insert(0, of_another_shop)
    test_wechatpay.deliver(body, wechat.signature(body))
    shop.work()
    assert Dispute.objects.get().payment == payment

    body = wechat.complain("3000")
    del wechat.complaints["3000"]["complaint_order_info"]
    test_wechatpay.deliver(body, wechat.signature(body))
    shop.work()
    assert WebhookEvent.objects.latest("pk").reason == "unknown_dispute"


@pytest.mark.usefixtures("_fresh_cache")
def test_a_second_answer_to_a_complaint_is_found_wherever_it_stands(
    wechat: WechatDouble, viewer: Member, course: Item
) -> None:
    _, number = test_wechatpay.opened(viewer, course)
    test_wechatpay.told(wechat, wechat.pay(number))
    wechat.complain("2000", wechat.orders[number])
    disputing.hear_of_dispute(provider="wechatpay", reference="2000", at=NOW)
    dispute, by = Dispute.objects.select_related("payment__order__viewer").get(), staff()
    words(dispute, by)
    assert sent(disputing.submit_evidence(dispute=dispute, by=by, key="1", at=NOW)) == "done"
    wechat.fail("/v3/merchant-service/complaints-v2/2000/response", "500_after")
    second = disputing.submit_evidence(dispute=dispute, by=by, key="2", at=NOW)
    assert sent(second) == "unknown"
    wechat.complaints["2000"]["history"].reverse()  # the oldest first

    disputing.resolve_dispute_answer(answer=second, at=NOW)

    assert DisputeAnswer.objects.get(pk=second.pk).state == "done"


@COMMITTED
def test_a_dispute_and_refunds_at_once_take_no_more_than_was_paid(school: Tenant) -> None:
    with scope(school):
        order = bought(make.member(), shop.course_for(10_000))

    def do(number: int) -> Any:
        if number % 2:
            return say(order, Stand.NEEDS_RESPONSE, reference=f"dp_{number}", amount=yuan(4_000))
        give_back(order, 4_000, key=f"{number}")
        return "given"

    given = sum(end == "given" for end in at_once(school, do))

    with scope(school):
        line, held = order.lines.get(), sum(Dispute.objects.values_list("held", flat=True))
        assert Dispute.objects.count() == CLIENTS // 2
        assert (line.left, line.disputed, line.refunded) == (0, held, 4_000 * given)
        assert ledger.refund_clearing("CNY").balance == yuan(line.refunded)
        assert ledger.dispute("CNY").balance == yuan(held)
        assert shop.books_are_good()


@COMMITTED
def test_a_dispute_that_many_hear_of_is_booked_once(school: Tenant, sandbox: Server) -> None:
    with scope(school):
        order = bought(make.member(), shop.course_for(10_000))

    at_once(school, lambda _: say(order, Stand.LOST, is_withdrawn=True, fee=yuan(1_500)).held)

    with scope(school):
        assert (Dispute.objects.get().held, ledger.clearing("CNY").balance) == (10_000, yuan(0))
        assert shop.books_are_good()


def test_a_dispute_of_what_was_given_back_holds_nothing(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    give_back(order)

    dispute = say(order, Stand.LOST, is_withdrawn=True)

    assert (dispute.held, ledger.dispute("CNY").balance) == (0, yuan(-10_000)), "The bank has taken what had gone."
    assert shop.books_are_good()


def test_what_a_dispute_took_and_gave_back_is_reported(sandbox: Server, viewer: Member, course: Item) -> None:
    now = datetime.now(UTC)
    payment = disputed(sandbox, viewer, course)
    shop.deliver_all(sandbox.bank, tenant=viewer.tenant)
    shop.press(payment.checkout_url, "win")
    Dispute.objects.update(fee=1_499)
    run = compared(now)

    assert (run.rows, run.matched) == (3, 1)
    assert listed() == [("fee", 1_499, 1_500, "open"), ("not_booked", 0, 10_000, "open"), ("fee", 0, 1_500, "open")]
    assert shop.jobs("hear_of_dispute") == 2
    shop.deliver_all(sandbox.bank, tenant=viewer.tenant)
    compared(now, shift=1)
    assert [state for *_, state in listed()][1] == "resolved"
    rows = ReportRow.objects.filter(run=run, dispute__isnull=False).order_by("pk").values_list("kind", "amount", "fee")
    assert list(rows) == [("dispute", 10_000, 1_500), ("reinstated", 10_000, 1_500)]
