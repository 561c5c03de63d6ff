"""What a provider divides is followed to its end: while it is away, is not connected, or has lost what it was told."""

import pytest

from billing import operations
from billing.models import Payment, SplitOrder
from billing.operations import splitting
from billing.providers import ProviderUnavailable
from billing.providers.sandbox.server import Server
from billing.providers.splits.sandbox import SandboxSplits
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import splits
from tests.billing.shop import jobs
from tests.billing.splits import LATER, matured, paid, receiver
from tests.billing.test_maturity import stands

divides = splits.divides  # the fixture


def test_what_is_pending_and_then_not_found_is_asked_for_again(sandbox: Server, viewer: Member, course: Item) -> None:
    receiver(course.creator)
    order = matured(viewer, course)
    assert splitting.begin_split(order=order, at=LATER)

    splitting.resolve_split(order=order, at=LATER)

    assert (SplitOrder.objects.get().state, jobs("resolve_split")) == ("submitted", 1)


def test_a_provider_that_is_not_connected_keeps_no_other_payment_waiting(
    sandbox: Server, viewer: Member, course: Item
) -> None:
    receiver(course.creator)
    for number in range(2):
        paid(make.member(), course, f"{number}")
    Payment.objects.filter(pk=min(Payment.objects.values_list("pk", flat=True))).update(provider="stripe")
    operations.mature(at=LATER)

    assert [splitting.plan_splits(at=LATER) for _ in range(2)] == [1, 0]

    assert SplitOrder.objects.get().payment.provider == "sandbox"
    assert stands(course.creator) == {"in_transit": 8_940, "available": 8_940}


def test_a_receiver_is_made_known_when_the_provider_answers_again(
    sandbox: Server, course: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ProviderUnavailable("Please try again.")

    monkeypatch.setattr(SandboxSplits, "add_receiver", away)

    made = receiver(course.creator)

    assert (made.registered_at, jobs("register_receiver")) == (None, 2)
