"""What was given by the provider and is refunded or disputed afterwards: asked back from who got it, else a debt."""

import signal

import pytest

from billing.models import SplitReturn
from billing.operations import splitting
from billing.providers import Stand
from billing.providers.sandbox.server import Server
from billing.tasks import send_split_return
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop, splits
from tests.billing.disputes import say
from tests.billing.shop import fault, jobs
from tests.billing.splits import (
    LATER,
    divided_by_the_provider,
    matured,
    receiver,
    sent,
    sent_back,
    split_of,
)
from tests.billing.test_crashes import run
from tests.billing.test_maturity import refunded, stands
from tests.conftest import COMMITTED

divides = splits.divides  # the fixture


def test_what_is_refunded_after_it_was_given_is_asked_back(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    order = sent(matured(viewer, course))

    refunded(order.payment.order, 5_000)
    assert (stands(course.creator), jobs("ask_back")) == ({"clawback": -4_470}, 2)
    back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None
    back = sent_back(back)

    assert (back.state, back.amount, split_of(order).returned) == ("done", 4_470, 4_470)
    assert stands(course.creator) == {}
    assert splitting.ask_back(split=split_of(order), at=LATER) is None
    refunded(order.payment.order, key="rest")
    rest = splitting.ask_back(split=split_of(order), at=LATER)
    assert rest is not None
    assert sent_back(rest).state == "done"
    assert (split_of(order).state, stands(course.creator)) == ("returned", {})
    assert shop.books_are_good()


def test_what_a_person_got_stays_a_debt(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator, kind="person")
    order = sent(matured(viewer, course))
    say(order.payment.order, Stand.NEEDS_RESPONSE)

    back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None
    back = sent_back(back)

    assert (back.state, back.reason) == ("failed", "The payment provider refuses: not_from_a_person.")
    assert (stands(course.creator), splitting.ask_back(split=split_of(order), at=LATER)) == ({"clawback": -8_940}, None)
    assert shop.books_are_good()


@pytest.mark.parametrize("kind", ["fail_after_commit", "too_many"])
def test_a_lost_answer_to_a_return_is_asked_for(sandbox: Server, viewer: Member, course: Item, kind: str) -> None:
    receiver(course.creator)
    order = sent(matured(viewer, course))
    refunded(order.payment.order)
    back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None
    fault(sandbox, "/v1/returns", kind)

    assert sent_back(back).state == sent_back(back).state == "unknown"
    splitting.resolve_split_return(back=back, at=LATER)
    assert sent_back(back).state == "done"

    assert [row["amount"] for row in sandbox.bank.book.tables["returns"].values()] == [8_940]
    assert shop.books_are_good()


@COMMITTED
@pytest.mark.parametrize("point", ["before_return_call", "after_return_call"])
def test_a_crash_while_asking_back_takes_once(school: Tenant, sandbox: Server, point: str) -> None:
    with scope(school):
        divided_by_the_provider()
        course = shop.course_for(10_000)
        receiver(course.creator)
        order = sent(matured(make.member(), course))
        refunded(order.payment.order)
        back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None

    assert run(sandbox, "give_back", back.pk, crash_at=point) == -signal.SIGKILL
    for _ in range(2):
        send_split_return(tenant=school, return_id=back.pk)
        with scope(school):
            found = SplitReturn.objects.select_related("split__order__payment__order").get()
            splitting.resolve_split_return(back=found, at=LATER)

    assert [row["amount"] for row in sandbox.bank.book.tables["returns"].values()] == [8_940]
    with scope(school):
        assert SplitReturn.objects.get().state == "done"
        assert shop.books_are_good()
