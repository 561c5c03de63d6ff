"""Renewals by several at once, and killed on the way: one invoice, one charge."""

import signal

import pytest

from billing import ledger, operations
from billing.models import Charge, Order, Period, Subscription
from billing.providers.sandbox.server import Server
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import members, shop
from tests.billing.shop import yuan
from tests.billing.test_concurrency import CLIENTS, at_once
from tests.billing.test_crashes import run
from tests.catalog import things
from tests.conftest import COMMITTED


@pytest.fixture
def due(school: Tenant, sandbox: Server) -> Subscription:
    """Return a subscription whose period is over."""
    with scope(school):
        return members.joined(sandbox, make.member(), members.plan(things.creator()))


@COMMITTED
def test_renewed_by_many_at_once_there_is_one_invoice_and_one_charge(
    school: Tenant, sandbox: Server, due: Subscription
) -> None:
    renewed = at_once(school, lambda _: operations.renew_some(at=due.ends_at))
    collected = at_once(school, lambda _: operations.collect_next(at=due.ends_at))

    assert (sum(renewed), collected.count(True)) == (1, 1)
    assert len(sandbox.bank.book.tables["charges"]) == 1
    with scope(school):
        assert (Order.objects.count(), Period.objects.count(), Charge.objects.count()) == (2, 2, 1)
        assert members.now(due).state == "active"
        assert shop.books_are_good()


@COMMITTED
def test_subscriptions_that_one_worker_holds_another_does_not_wait_for(school: Tenant, sandbox: Server) -> None:
    with scope(school):
        club = members.plan(things.creator())
        ends = [members.joined(sandbox, make.member(), club).ends_at for _ in range(CLIENTS)]

    renewed = at_once(school, lambda _: operations.renew_some(at=ends[0], most=1))

    with scope(school):
        while operations.renew_some(at=ends[0]):
            pass
        assert sum(renewed) > 1
        assert Order.objects.count() == 2 * CLIENTS


@COMMITTED
def test_many_clicks_on_upgrade_are_one_upgrade(school: Tenant, sandbox: Server, due: Subscription) -> None:
    with scope(school):
        dearer = members.other_plan(members.now(due).plan)
        viewer = members.now(due).viewer
    ask = {"subscription": due, "by": viewer, "plan": dearer, "at": due.starts_at + members.DAY}

    ends = at_once(school, lambda _: operations.upgrade_now(**ask).state)

    assert (ends.count("active"), ends.count("charge_under_way")) == (1, CLIENTS - 1)
    with scope(school):
        assert Charge.objects.count() == 1


@COMMITTED
@pytest.mark.parametrize("point", ["before_charge_call", "after_charge_call", "after_post"])
def test_killed_while_charging_the_member_is_charged_once(
    school: Tenant, sandbox: Server, due: Subscription, point: str
) -> None:
    with scope(school):
        operations.renew_some(at=due.ends_at)
        charge = Charge.objects.get()

    assert run(sandbox, "collect", charge.pk, crash_at=point) == -signal.SIGKILL
    with scope(school):
        assert Charge.objects.get().state == Charge.State.NEW
        assert ledger.clearing("CNY").balance == yuan(-3_000)
    for _ in range(2):
        assert run(sandbox, "collect", charge.pk) == 0

    assert len(sandbox.bank.book.tables["charges"]) == 1
    with scope(school):
        assert Charge.objects.get().state == Charge.State.PAID
        assert ledger.clearing("CNY").balance == yuan(-6_000)
        assert shop.books_are_good()


@COMMITTED
def test_what_is_counted_in_for_an_upgrade_is_not_given_back_at_the_same_time(
    school: Tenant, due: Subscription
) -> None:
    at = due.starts_at
    with scope(school):
        dearer, viewer = members.other_plan(members.now(due).plan), members.now(due).viewer
        line = shop.line_of(Order.objects.get())

    def one(number: int) -> None:
        if number % 2:
            operations.refund(line=line, by=viewer, amount=None, key="back", at=at)
        else:
            operations.upgrade_now(subscription=due, by=viewer, plan=dearer, at=at + members.DAY)

    at_once(school, one)

    with scope(school):
        given_back = sum(refund.amount for refund in line.refunds.all())
        counted_in = sum(period.credit for period in Period.objects.all())
        assert given_back + counted_in <= 3_000
