"""A dispute is followed to its end: while the provider is away, before the payment is known, and beside another one."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import ledger, operations
from billing.models import Dispute
from billing.operations import disputing
from billing.providers import Stand
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from tests.billing import members, parts, shop
from tests.billing.disputes import NOW, disputed, say
from tests.billing.shop import bought, give_back, payment_of, yuan
from tests.billing.test_disputes_heard import may_watch
from tests.billing.test_maturity import stands
from tests.conftest import NOON


def test_it_is_asked_again_within_the_hour_while_the_provider_does_not_answer(
    sandbox: Server, viewer: Member, course: Item, in_school: Tenant, settings: Any
) -> None:
    disputed(sandbox, viewer, course)
    (reference,) = sandbox.bank.book.tables["disputes"]
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    assert not disputing.hear_of_dispute(provider="sandbox", reference=reference, at=NOW)

    waiting = Job.objects.get(name="billing.tasks.hear_of_dispute")
    assert waiting.due_at == NOW + timedelta(hours=1), "A job that fails is given up after a few minutes."


def test_what_was_lost_before_the_payment_was_known_is_held_when_it_is(
    sandbox: Server, viewer: Member, course: Item, in_school: Tenant
) -> None:
    payment = disputed(sandbox, viewer, course)
    shop.press(payment.checkout_url, "lose")
    (reference,) = sandbox.bank.book.tables["disputes"]
    late = operations.pay(order=shop.ordered(viewer, shop.course_for(3_000), "late"), at=NOON)
    sandbox.bank.book.tables["disputes"][reference] |= {"key": late.key, "amount": 3_000}

    disputing.hear_of_dispute(provider="sandbox", reference=reference, at=NOW)
    assert (Dispute.objects.get().state, Dispute.objects.get().held) == ("lost", 0)
    assert shop.jobs("hear_of_dispute") == 1, "Nothing is held yet: it has to be looked at again."
    operations.capture(payment=late, reference="co_late", at=NOON)
    disputing.hear_of_dispute(provider="sandbox", reference=reference, at=NOW)

    assert (Dispute.objects.get().held, may_watch(viewer, late.order.lines.get().item)) == (3_000, False)
    assert shop.books_are_good()


def test_what_one_dispute_gives_back_another_one_that_was_lost_takes(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    say(order, Stand.NEEDS_RESPONSE, reference="dp_1", is_withdrawn=True)
    say(order, Stand.LOST, reference="dp_2", is_withdrawn=True)
    assert list(Dispute.objects.order_by("pk").values_list("held", flat=True)) == [10_000, 0]

    say(order, Stand.WON, reference="dp_1", is_withdrawn=True, is_reinstated=True)

    assert list(Dispute.objects.order_by("pk").values_list("held", flat=True)) == [0, 10_000]
    assert (stands(course.creator), ledger.dispute("CNY").balance.minor) == ({}, 0)
    assert not may_watch(viewer, course)
    assert payment_of(order).disputes.count() == 2
    assert shop.books_are_good()


def test_a_complaint_that_was_closed_can_go_on(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    say(order, Stand.WARNING)
    say(order, Stand.CLOSED)

    dispute = say(order, Stand.WARNING)

    assert (dispute.state, dispute.decided_at, disputing.is_settled(dispute)) == ("warning", None, False)


def test_who_bears_the_fee_does_not_depend_on_when_it_is_heard_of(
    in_school: Tenant, viewer: Member, course: Item
) -> None:
    in_school.settings = {"dispute_fee_by": "creator"}
    told: dict[str, Any] = {"is_withdrawn": True, "fee": yuan(1_500), "is_reinstated": True, "fee_back": yuan(0)}

    dispute = say(bought(viewer, course), Stand.WON, **told)

    assert (dispute.fee_by, stands(course.creator)) == ("creator", {"pending": 8_940, "clawback": -1_500})
    assert shop.books_are_good()


@pytest.mark.parametrize("sold", ["parts", "membership"])
@pytest.mark.parametrize("what", ["lost", "refund failed"])
def test_what_was_sold_is_locked_before_the_ledger(
    sandbox: Server, viewer: Member, course: Item, sold: str, what: str
) -> None:
    if sold == "parts":
        order, table = parts.in_parts(course, viewer).parts.get().order, "billing_instalmentplan"
    else:
        joined = members.joined(sandbox, viewer, members.plan(course.creator))
        order, table = joined.periods.get().order, "billing_subscription"
    given = give_back(order) if what == "refund failed" else None

    with CaptureQueriesContext(connection) as asked:
        if given:
            operations.fail_refund(refund=given, reason="no", at=NOW)
        else:
            say(order, Stand.LOST)

    asked_for = [query["sql"] for query in asked]
    held = next(place for place, sql in enumerate(asked_for) if "FOR NO KEY UPDATE" in sql and table in sql)
    posted = next(place for place, sql in enumerate(asked_for) if "billing_post(" in sql)
    assert held < posted, "Who renews holds it, and then waits for the ledger."
