"""What members pay for all that is the tenant's: shared month by month, and given back though it was shared."""

from datetime import timedelta

import pytest

from billing import ledger, operations
from billing.models import Order, Product, Refund
from billing.operations import Wanted, paying
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.shop import line_of, yuan
from tests.billing.test_maturity import stands
from tests.billing.test_settlements import AFTER_JUNE, AFTER_MAY, JULY, JUNE, MAY, watched
from tests.catalog import things
from tests.conftest import NOON

IN_JUNE = NOON + timedelta(days=40)


def bought(key: str = "own") -> Order:
    """Return a paid order of something that is the tenant's own, for 100 yuan: 89.40 of them go into the pool."""
    named = {"kind": Product.Kind.BUNDLE, "title": "All", "currency": "CNY", "made_at": NOON}
    everything = Product.objects.create(amount=10_000, **named)
    everything.contents.create(item=things.course())
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
