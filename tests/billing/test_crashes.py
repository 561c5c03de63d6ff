"""Killed at the worst moment, and run again: everything has happened once."""

import signal
import subprocess
import sys

import pytest
from django.utils import timezone

from billing import ledger
from billing.models import Payment, Payout, Refund, WebhookEvent
from billing.providers.sandbox.server import Server
from catalog.queries import watchable_by
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.paying import approved, earner
from tests.billing.shop import body_of, give_back, ordered, payment_of, press, told, yuan
from tests.conftest import COMMITTED
from tests.processes import ROOT, environment


def run(sandbox: Server, doing: str, pk: int | str, *, crash_at: str = "", **others: str) -> int:
    """Do it in another process; return how that ended."""
    env = environment(CRASH_AT=crash_at, SANDBOX_URL=sandbox.address, SANDBOX_KEY=sandbox.key, **others)
    command = [sys.executable, "-m", "tests.billing.child", "school", doing, str(pk)]
    return subprocess.run(command, cwd=ROOT, env=env, check=False, timeout=60).returncode


@COMMITTED
@pytest.mark.parametrize("point", ["before_provider_call", "after_provider_call"])
def test_a_crash_while_paying_opens_no_second_checkout(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        order = ordered(make.member(), shop.course_for(10_000))

    assert run(sandbox, "pay", order.pk, crash_at=point) == -signal.SIGKILL
    with scope(school):
        assert payment_of(order).state == Payment.State.NEW
    assert run(sandbox, "pay", order.pk) == 0

    with scope(school):
        payment = payment_of(order)
    assert payment.state == Payment.State.OPEN
    assert list(sandbox.bank.book.tables["checkouts"]) == [payment.reference]


@COMMITTED
def test_a_crash_while_booking_a_sale_leaves_nothing_or_all(school: Tenant, sandbox: Server) -> None:
    with scope(school):
        viewer, course = make.member(), shop.course_for(10_000)
        body = body_of(told(payment_of(ordered(viewer, course))))
    assert shop.deliver(body, tenant=school).status_code == 200
    with scope(school):
        event = WebhookEvent.objects.get()

    assert run(sandbox, "apply", event.pk, crash_at="after_post") == -signal.SIGKILL
    with scope(school):
        assert ledger.clearing("CNY").balance == yuan(0)
        assert not watchable_by(viewer, at=event.received_at).filter(pk=course.pk).exists()
    for _ in range(2):
        assert run(sandbox, "apply", event.pk) == 0

    with scope(school):
        assert ledger.clearing("CNY").balance == yuan(-10_000)
        assert shop.books_are_good()


@COMMITTED
@pytest.mark.parametrize("point", ["before_refund_call", "after_refund_call"])
def test_a_crash_while_refunding_sends_the_money_once(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        order = ordered(make.member(), shop.course_for(10_000))
    assert run(sandbox, "pay", order.pk) == 0
    with scope(school):
        press(payment_of(order).checkout_url)
        shop.deliver_all(sandbox.bank, tenant=school)
    with scope(school):
        refund = give_back(order, 2_500, at=timezone.now())

    assert run(sandbox, "refund", refund.pk, crash_at=point) == -signal.SIGKILL
    for _ in range(2):
        assert run(sandbox, "refund", refund.pk) == 0

    assert [r["amount"] for r in sandbox.bank.book.tables["refunds"].values()] == [2_500]
    with scope(school):
        assert Refund.objects.get().state == Refund.State.SENT
        assert ledger.clearing("CNY").balance == yuan(-7_500)
        assert shop.books_are_good()


@COMMITTED
@pytest.mark.parametrize("point", ["before_payout_call", "after_payout_call", "after_payout_post"])
def test_a_crash_while_paying_out_pays_once(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        payout = approved(earner(shop.course_for(10_000)))

    assert run(sandbox, "pay_out", payout.pk, crash_at=point) == -signal.SIGKILL
    with scope(school):
        assert Payout.objects.get().state == Payout.State.SUBMITTED
    for doing in ("pay_out", "resolve", "pay_out", "resolve"):
        assert run(sandbox, doing, payout.pk) == 0

    assert [row["amount"] for row in sandbox.bank.book.tables["payouts"].values()] == [10_000]
    with scope(school):
        assert Payout.objects.get().state == Payout.State.PAID
        assert ledger.clearing("CNY").balance == yuan(-20_000 + 10_000)
        assert shop.books_are_good()


@COMMITTED
def test_a_crash_while_money_matures_leaves_nothing_or_all(school: Tenant, sandbox: Server) -> None:
    with scope(school):
        course = shop.course_for(10_000)
        shop.bought(make.member(), course)

    assert run(sandbox, "mature", 0, crash_at="after_maturity") == -signal.SIGKILL
    with scope(school):
        assert ledger.pending(course.creator, "CNY").balance == yuan(8_940)
    for _ in range(2):
        assert run(sandbox, "mature", 0) == 0

    with scope(school):
        assert ledger.available(course.creator, "CNY").balance == yuan(8_940)
        assert shop.books_are_good()
