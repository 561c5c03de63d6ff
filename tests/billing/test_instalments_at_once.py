"""Parts asked for by several workers at once, and killed on the way: one order, one charge."""

import signal

import pytest

from billing import ledger
from billing import operations as billing
from billing.models import Charge, InstalmentPart, InstalmentPlan
from billing.operations import due_parts, instalments
from billing.providers.sandbox.server import Server
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import members, parts, shop
from tests.billing.shop import yuan
from tests.billing.test_concurrency import CLIENTS, at_once
from tests.billing.test_crashes import run
from tests.billing.test_instalments import JUNE
from tests.conftest import COMMITTED, NOON


@pytest.fixture
def plan(school: Tenant, sandbox: Server) -> InstalmentPlan:
    with scope(school):
        return parts.begun(sandbox, shop.course_for(10_000), make.member())


@COMMITTED
def test_asked_for_by_many_workers_a_part_is_charged_once(
    school: Tenant, sandbox: Server, plan: InstalmentPlan
) -> None:
    asked = at_once(school, lambda _: due_parts.charge_parts(at=JUNE))
    collected = at_once(school, lambda _: billing.collect_next(at=JUNE))

    assert (sum(asked), sum(collected)) == (1, 1)
    assert len(sandbox.bank.book.tables["charges"]) == 1
    with scope(school):
        assert (InstalmentPart.objects.count(), Charge.objects.count()) == (2, 1)
        assert parts.now(plan).paid == 2
        assert shop.books_are_good()


@COMMITTED
def test_many_clicks_on_the_rest_are_one(school: Tenant, plan: InstalmentPlan) -> None:
    at = plan.placed_at + members.DAY
    with scope(school):
        viewer = parts.now(plan).viewer

    ends = at_once(school, lambda _: instalments.pay_rest(plan=plan, by=viewer, at=at).state)

    assert (ends.count("active"), ends.count("charge_under_way")) == (1, CLIENTS - 1)
    with scope(school):
        assert Charge.objects.get().amount == 6_666


@COMMITTED
def test_who_pays_two_first_parts_at_once_is_charged_for_one_plan_only(school: Tenant, sandbox: Server) -> None:
    with scope(school):
        course, viewer = shop.course_for(10_000), make.member()
        payments = [shop.payment_of(parts.placed(course, viewer, key=key)) for key in ("one tab", "another")]

    at_once(school, lambda n: n < 2 and billing.capture(payment=payments[n], reference=f"co_{n}", at=NOON))

    with scope(school):
        plans = InstalmentPlan.objects.order_by("state")
        assert [(of.state, of.paid) for of in plans] == [("active", 1), ("forgiven", 1)]
        assert shop.books_are_good()
        second = plans[1].parts.get().order
        billing.refund(line=shop.line_of(second), by=viewer, amount=None, key="twice", at=NOON)
        assert members.may_watch(viewer, course, NOON)
        assert shop.books_are_good()


@COMMITTED
@pytest.mark.parametrize("point", ["after_charge_call", "after_post"])
def test_killed_while_charging_the_buyer_is_charged_once(
    school: Tenant, sandbox: Server, plan: InstalmentPlan, point: str
) -> None:
    with scope(school):
        due_parts.charge_parts(at=JUNE)
        charge = Charge.objects.get()

    assert run(sandbox, "collect", charge.pk, crash_at=point) == -signal.SIGKILL
    with scope(school):
        assert ledger.clearing("CNY").balance == yuan(-3_334)
    assert run(sandbox, "collect", charge.pk) == 0

    assert len(sandbox.bank.book.tables["charges"]) == 1
    with scope(school):
        assert ledger.clearing("CNY").balance == yuan(-6_667)
        assert shop.books_are_good()
