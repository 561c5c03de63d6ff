"""How a dispute is heard of: in any order, twice, late, before the payment, or not at all."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from billing import ledger, operations
from billing.models import Dispute, Journal, WebhookEvent
from billing.money import Money
from billing.operations import disputing
from billing.providers import Stand
from billing.providers.sandbox.server import Server
from catalog.models import Item
from catalog.queries import watchable_by
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.disputes import NOW, disputed, say
from tests.billing.shop import bought, payment_of, yuan
from tests.billing.test_maturity import stands
from tests.conftest import NOON

WEEK = timedelta(days=7)


def held() -> int:
    return ledger.dispute("CNY").balance.minor


def may_watch(viewer: Member, course: Item) -> bool:
    return watchable_by(viewer, at=NOW).filter(pk=course.pk).exists()


NEEDS, REVIEW = Stand.NEEDS_RESPONSE, Stand.UNDER_REVIEW
TAKEN: dict[str, Any] = {"is_withdrawn": True, "fee": yuan(1_500)}
BACK = TAKEN | {"is_reinstated": True, "fee_back": yuan(1_500)}


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        ([(NEEDS, {}), (NEEDS, TAKEN), (REVIEW, TAKEN), (Stand.LOST, TAKEN)], {}),
        ([(NEEDS, {}), (NEEDS, TAKEN), (Stand.WON, TAKEN), (Stand.WON, BACK)], {"pending": 8_940}),
    ],
)
def test_whatever_the_provider_says_first_and_however_often_it_ends_the_same(
    viewer: Member, course: Item, steps: list[tuple[Stand, dict[str, Any]]], ends: dict[str, int]
) -> None:
    whose = [make.member() for _ in range(6)]
    for number, (buyer, told) in enumerate(zip(whose, list(permutations(steps))[::4], strict=True)):
        order = bought(buyer, course, key=f"{number}")
        for stand, moved in (*told, *told[::-1]):
            say(order, stand, **moved)

    known = set(Dispute.objects.values_list("state", "fee", "withdrawn_at", "held"))
    assert known == {(steps[-1][0].value, 1_500, NOW, 0 if ends else 10_000)}
    assert stands(course.creator) == {kind: 6 * minor for kind, minor in ends.items()}
    assert ledger.dispute("CNY").balance == yuan(0)
    assert Journal.objects.filter(kind="dispute_withdrawn").count() == 6
    assert shop.books_are_good()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"key": "pay_of_somebody"}, "unknown_payment"),
        ({"amount": yuan(10_001)}, "wrong_amount"),
        ({"amount": Money(10_000, "USD")}, "wrong_currency"),
    ],
)
def test_what_is_not_true_of_our_rows_is_not_believed(
    viewer: Member, course: Item, said: dict[str, Any], reason: str
) -> None:
    order = bought(viewer, course)

    with pytest.raises(disputing.CannotBe) as no:
        say(order, Stand.LOST, **said)

    assert (no.value.reason, Dispute.objects.count()) == (reason, 0)


def test_what_was_won_is_not_lost_afterwards(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    say(order, Stand.WON)

    with pytest.raises(disputing.CannotBe, match="was_won"):
        say(order, Stand.LOST)


def test_a_dispute_is_heard_of_before_the_payment(viewer: Member, course: Item) -> None:
    order = shop.ordered(viewer, course)

    assert (say(order, Stand.NEEDS_RESPONSE, is_withdrawn=True).held, shop.jobs("resolve_payment")) == (0, 1)
    operations.capture(payment=payment_of(order), reference="co", at=NOON)
    say(order, Stand.NEEDS_RESPONSE, is_withdrawn=True)

    assert (Dispute.objects.get().held, held(), stands(course.creator)) == (10_000, 0, {})
    assert shop.books_are_good()


def test_a_button_disputes_and_the_messages_say_so(
    sandbox: Server, viewer: Member, course: Item, in_school: Tenant
) -> None:
    payment = disputed(sandbox, viewer, course)
    shop.deliver_all(sandbox.bank, tenant=in_school)

    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.held, dispute.fee, dispute.fee_by) == ("needs_response", 10_000, 1_500, "platform")
    assert dispute.due_at is not None
    assert (shop.jobs("hear_of_dispute"), dispute.payment) == (1, payment)
    shop.press(payment.checkout_url, "win")
    shop.deliver_all(sandbox.bank, tenant=in_school)

    assert (Dispute.objects.get().state, stands(course.creator)) == ("won", {"pending": 8_940})
    assert shop.books_are_good()


def test_a_message_waits_while_the_provider_does_not_answer(
    sandbox: Server, viewer: Member, course: Item, in_school: Tenant, settings: Any
) -> None:
    disputed(sandbox, viewer, course)
    there, settings.SANDBOX_URL = settings.SANDBOX_URL, "http://127.0.0.1:1"
    shop.deliver_all(sandbox.bank, tenant=in_school)
    assert not Dispute.objects.exists()

    settings.SANDBOX_URL = there
    shop.work()
    assert Dispute.objects.get().held == 10_000
    # The two messages about it were heard as one.
    assert set(WebhookEvent.objects.values_list("state", flat=True)) == {"applied", "duplicate"}


def test_if_every_message_is_lost_it_is_asked_each_day(
    sandbox: Server, viewer: Member, course: Item, in_school: Tenant
) -> None:
    payment = disputed(sandbox, viewer, course)
    shop.deliver_all(sandbox.bank, tenant=in_school)
    dispute = Dispute.objects.get()
    shop.press(payment.checkout_url, "lose")

    assert disputing.hear_of_dispute(provider="sandbox", reference=dispute.reference, at=NOW)

    assert Dispute.objects.get().state == "lost"
    assert not disputing.hear_of_dispute(provider="sandbox", reference=dispute.reference, at=NOW)
    assert not may_watch(viewer, course)
