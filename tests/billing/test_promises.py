"""Faults that were planted in what creators are told and owed: each is found, and by the question that promises it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction

from billing import ledger, operations
from billing.models import Journal, LineShare, Maturity, Payout
from billing.operations import paying
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.paying import LATER, approved, earner, found, sent
from tests.billing.shop import bought, give_back, line_of, yuan
from tests.billing.test_pool import bought as pooled
from tests.billing.test_settlements import AFTER_JUNE, AFTER_MAY, JUNE, MAY
from tests.catalog import things
from tests.conftest import COMMITTED, NOON


@contextmanager
def planted(tenant: Tenant, *statements: str) -> Iterator[set[tuple[str, str]]]:
    """Show what is found after the owner of the database did this; then it is undone."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('kp.tenant', %s, true)", [str(tenant.pk)])
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount == 1
    with scope(tenant):
        yield found()


@COMMITTED
def test_a_statement_that_says_something_else_than_the_ledger_is_named(school: Tenant) -> None:
    with scope(school):
        course = shop.course_for(10_000)
        bought(make.member(), course)
        paying.settle(month=MAY, at=AFTER_MAY)
        paying.settle(month=JUNE, at=AFTER_JUNE)  # without a movement
        assert found() == set()
    of_may = "period_id = (SELECT min(period_id) FROM billing_settlement)"
    of_june = "period_id = (SELECT max(period_id) FROM billing_settlement)"

    where = "UPDATE billing_settlement SET pending = pending {} 1, available = available {} 1 WHERE {}"
    with planted(school, where.format("-", "+", of_june)) as faults:
        assert faults == {("L10", "settlement")}
    kind = "UPDATE billing_settlementline SET kind = 'sale:tip' WHERE kind = 'sale:item'"
    with planted(school, where.format("+", "-", of_june), kind) as faults:
        assert faults == {("L10", "settlement")}
    count = "UPDATE billing_settlementline SET kind = 'sale:item', count = 2 WHERE kind = 'sale:tip'"
    with planted(school, count) as faults:
        assert faults == {("L10", "settlement")}
    gone = f"DELETE FROM billing_settlement WHERE {of_june}"
    with planted(school, "UPDATE billing_settlementline SET count = 1 WHERE count = 2", gone) as faults:
        assert faults == {("L10", "settlement")}
    with planted(
        school, f"UPDATE billing_settlement SET closing = 0, movements = 0, pending = 0 WHERE {of_may}"
    ) as faults:
        assert faults == {("L10", "settlement")}


def test_a_share_that_somebody_else_got_is_named(course: Item) -> None:
    line = line_of(bought(make.member(), course))

    LineShare.objects.create(line=line, creator=things.creator(), role="owner", amount=line.share)

    assert found() == {("L9", "payment")}


def test_what_was_given_back_before_and_matures_too_is_named(course: Item) -> None:
    first, _ = (bought(buyer, course) for buyer in shop.viewers(2))
    give_back(first, 5_000)
    operations.mature(at=LATER)
    assert found() == set()

    matured = Maturity.objects.get(line=line_of(first))
    more = (ledger.pending(course.creator, "CNY"), ledger.available(course.creator, "CNY"), yuan(1))
    bought(make.member(), course, key="third")
    posted = ledger.post(kind=Journal.Kind.MATURITY, key="twice", transfers=[more], at=LATER)
    told = {"line": matured.line, "creator": course.creator, "currency": "CNY", "repaid": 0, "reserved": 0}
    Maturity.objects.create(amount=1, journal=posted, **told)

    assert found() == {("L7", "order line")}


def test_what_matured_for_somebody_else_is_named(course: Item) -> None:
    order, other = shop.ordered(make.member(), course), things.creator(make.member())
    line = line_of(order)
    for creator, role, amount in ((course.creator, "owner", 6_000), (other, "collaborator", 2_940)):
        LineShare.objects.create(line=line, creator=creator, role=role, amount=amount)
    operations.capture(payment=shop.payment_of(order), reference="co", at=NOON)
    halves = [
        (ledger.pending(creator, "CNY"), ledger.available(creator, "CNY"), yuan(2_940))
        for creator in (course.creator, other)
    ]
    posted = ledger.post(kind=Journal.Kind.MATURITY, key="mixed", transfers=halves, at=LATER)
    told = {"line": line, "currency": "CNY", "repaid": 0, "reserved": 0, "journal": posted}
    Maturity.objects.create(amount=5_000, creator=course.creator, **told)
    Maturity.objects.create(amount=880, creator=other, **told)

    assert found() == {("L7", "journal")}


def test_a_pool_that_lost_something_is_named(course: Item) -> None:
    pooled()
    assert found() == set()

    lost = (ledger.pool("CNY"), ledger.fees("CNY"), yuan(1))
    ledger.post(kind=Journal.Kind.TIP, key="lost", transfers=[lost], at=NOON)

    assert found() == {("L7", "account")}


def test_a_payout_that_came_back_in_part_or_to_somebody_else_is_named(sandbox: Server, course: Item) -> None:
    creator, other = earner(course), things.creator()
    payout = sent(approved(creator))
    back = (ledger.clearing("CNY"), ledger.available(creator, "CNY"), yuan(9_999))
    ledger.post(kind=Journal.Kind.PAYOUT_REVERSED, key=f"payout-reversed:{payout.key}", transfers=[back], at=LATER)
    Payout.objects.update(state="reversed")
    assert found() == {("L8", "journal")}

    Payout.objects.update(amount=9_999)
    assert found() == {("L8", "journal")}, "Now what left is another amount."
    Payout.objects.update(amount=10_000, creator=other)
    assert found() == {("L8", "journal")}
