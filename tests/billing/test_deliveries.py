"""The sandbox's messages over real HTTP, while it duplicates, reorders, delays and drops them."""

from typing import Any

import pytest
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from billing import ledger, operations
from billing.models import Order, Payment, WebhookEvent
from billing.providers.sandbox.server import Server
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import fault, ordered, payment_of, press, wait_until, yuan
from tests.conftest import COMMITTED, NOON


@pytest.fixture
def reachable(live_server: LiveServer, settings: Any) -> LiveServer:
    settings.PUBLIC_PORT = live_server.thread.port
    return live_server


def pay_for(tenant: Tenant, number: int) -> Order:
    with scope(tenant):
        order = ordered(make.member(), shop.course_for(10_000), key=f"{number}")
        press(operations.pay(order=order, at=NOON).checkout_url)
    return order


def received(tenant: Tenant) -> list[int]:
    with scope(tenant):
        return list(WebhookEvent.objects.order_by("pk").values_list("deliveries", flat=True))


@COMMITTED
def test_messages_arrive_whatever_happens_on_the_way(
    school: Tenant, reachable: LiveServer, delivering_sandbox: Server
) -> None:
    for kind in ("duplicate", "reorder", "delay"):
        fault(delivering_sandbox, "webhook", kind, seconds=0.2)

    orders = [pay_for(school, number) for number in range(4)]

    wait_until(lambda: received(school) and sorted(received(school)) == [1, 1, 1, 2])
    with scope(school):
        shop.work()
        assert all(payment_of(order).state == Payment.State.CAPTURED for order in orders)
        assert ledger.clearing("CNY").balance == yuan(-40_000)
        assert shop.books_are_good()
    connection.close()


@COMMITTED
def test_a_message_that_was_dropped_is_made_up_for_by_asking(
    school: Tenant, reachable: LiveServer, delivering_sandbox: Server
) -> None:
    fault(delivering_sandbox, "webhook", "drop")
    order = pay_for(school, 1)
    wait_until(lambda: delivering_sandbox.bank.undelivered() == [])
    assert received(school) == []

    with scope(school):
        operations.resolve_payment(payment=payment_of(order), at=NOON)

        assert payment_of(order).state == Payment.State.CAPTURED
        assert shop.books_are_good()


@COMMITTED
def test_a_site_that_is_away_gets_its_messages_later(
    school: Tenant, live_server: LiveServer, delivering_sandbox: Server, settings: Any
) -> None:
    settings.PUBLIC_PORT = 1
    pay_for(school, 1)
    wait_until(lambda: delivering_sandbox.courier.rounds != {})
    (message,) = delivering_sandbox.bank.undelivered()

    there = message["url"].replace(":1/", f":{live_server.thread.port}/")
    delivering_sandbox.bank.book.put({"events": [message | {"url": there}]})

    wait_until(lambda: received(school) == [1])
