"""What members pay for all that is the tenant's: shared month by month, and given back though it was shared."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from billing import ledger, operations
from billing.models import Order, Refund
from billing.operations import Wanted, paying
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import line_of, yuan
from tests.billing.test_maturity import stands
from tests.billing.test_settlements import AFTER_JUNE, AFTER_MAY, JULY, JUNE, MAY, watched
from tests.catalog import things
from tests.conftest import COMMITTED, NOON

IN_JUNE = NOON + timedelta(days=40)


def bought(key: str = "own") -> Order:
    """Return a paid order of something that is the tenant's own, for 100 yuan: 89.40 of them go into the pool."""
    everything = shop.bundle(None, things.course(), minor=10_000)
    return shop.bought_all(make.member(), Wanted(product=everything), key=key)


def given_back(order: Order, minor: int | None = None, key: str = "back") -> Refund:
    amount = None if minor is None else yuan(minor)
    staff = make.member(Member.Role.STAFF)
    return operations.refund(line=line_of(order), by=staff, amount=amount, key=key, at=AFTER_MAY)


def pool() -> tuple[int, int]:
    return ledger.pool("CNY").balance.minor, ledger.pool_debt("CNY").balance.minor


def test_what_is_given_back_after_it_was_shared_is_repaid_by_the_next_months(course: Item) -> None:
    order = bought()
    watched(course, 60_000)
    paying.settle(month=MAY, at=AFTER_MAY)
    assert (pool(), stands(course.creator)) == ((0, 0), {"available": 8_940})

    given_back(order, 5_000)
    bought("more")
    given_back(order, key="rest")  # out of what has come in since
    assert pool() == (8_940 - 4_470, -4_470)

    watched(course, 60_000, at=IN_JUNE)
    paying.settle(month=JUNE, at=AFTER_JUNE)

    assert (pool(), stands(course.creator)) == ((0, 0), {"available": 8_940})
    assert shop.books_are_good()


def test_a_debt_is_repaid_though_nobody_watched_and_by_several_months(in_school: Tenant, course: Item) -> None:
    order = bought()
    watched(course, 60_000)
    paying.settle(month=MAY, at=AFTER_MAY)
    given_back(order)
    in_school.settings = {"platform_bps": 9_000}
    bought("small")

    paying.settle(month=JUNE, at=AFTER_JUNE)

    assert pool() == (0, -8_940 + 940)
    paying.settle(month=JULY, at=AFTER_JUNE + timedelta(days=31))
    assert shop.books_are_good()


@pytest.mark.parametrize("is_repaid", [False, True])
def test_a_refund_that_fails_is_the_pools_again(course: Item, is_repaid: bool) -> None:  # noqa: FBT001  pytest's
    order = bought()
    watched(course, 60_000)
    paying.settle(month=MAY, at=AFTER_MAY)
    refund = given_back(order)
    if is_repaid:
        bought("more")
        paying.settle(month=JUNE, at=AFTER_JUNE)

    operations.fail_refund(refund=refund, reason="no", at=AFTER_JUNE)

    assert pool() == ((8_940 if is_repaid else 0), 0)
    assert shop.books_are_good()


def test_no_hour_is_lost_when_a_tenant_moves(in_school: Tenant, course: Item) -> None:
    bought("may")
    watched(course, 60_000)
    paying.settle(month=MAY, at=AFTER_MAY)
    in_school.time_zone = "America/New_York"
    bought("june")

    watched(course, 60_000, at=datetime(2026, 5, 31, 20, tzinfo=UTC))  # June in Shanghai, May in New York
    paying.settle(month=JUNE, at=AFTER_JUNE)

    assert pool() == (0, 0)


def test_a_pool_is_shared_once_though_nothing_came_of_the_statements(course: Item) -> None:
    bought("may")
    watched(course, 60_000)
    paying.share_next(at=AFTER_MAY)
    bought("june")

    paying.share_next(at=AFTER_MAY)
    period = paying.settle_all(at=AFTER_MAY)

    assert period is not None
    assert (pool(), stands(course.creator)) == ((8_940, 0), {"available": 8_940})
    assert period.settlements.get().closing == 8_940
    assert shop.books_are_good()


@COMMITTED
def test_what_is_sold_does_not_wait_while_statements_are_written(school: Tenant) -> None:
    with scope(school):
        course = shop.course_for(10_000)
        watched(course, 60_000)
        bought("may")
    with scope(school):
        paying.share_next(at=AFTER_MAY)

    with scope(school), ThreadPoolExecutor(1) as thread:
        paying.settle(month=MAY, at=AFTER_MAY)
        done = thread.submit(_sell, school, course)
        assert done.result(timeout=20) == 8_940

    with scope(school):
        assert shop.books_are_good()


def _sell(school: Tenant, course: Item) -> int:
    try:
        with scope(school):
            shop.bought(make.member(), course)
            return ledger.pending(course.creator, "CNY").balance.minor
    finally:
        connection.close()
