"""However a provider's messages come, in whatever order, how often and how late: it ends the same."""

from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.models import Account, Journal, Order, Payment, Refund, WebhookEvent
from catalog.models import Access, Item
from kpplatform.tenancy.models import Member
from tests.billing import shop
from tests.billing.shop import body_of, bought, deliver, give_back, ordered, payment_of, told, work

MESSAGES = 6
# Each message at least once, some more often, all in any order; and after which ones the jobs are done.
STREAMS = st.lists(st.integers(0, MESSAGES - 1), max_size=5).flatmap(
    lambda again: st.permutations([*range(MESSAGES), *again])
)
PAUSES = st.lists(st.booleans(), min_size=MESSAGES + 5, max_size=MESSAGES + 5)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(stream=STREAMS, pauses=PAUSES)
def test_permuted_repeated_and_delayed_messages_end_in_the_same_state(
    viewer: Member, course: Item, stream: list[int], pauses: list[bool]
) -> None:
    with transaction.atomic():
        messages = told_of_two_orders(viewer, course)
        for number, waits in zip(stream, pauses, strict=False):
            assert deliver(messages[number], tenant=viewer.tenant).status_code == 200
            if not waits:
                work()
        work()

        assert state() == ENDS
        assert set(WebhookEvent.objects.values_list("state", flat=True)) <= {"applied", "duplicate"}
        assert WebhookEvent.objects.count() == MESSAGES
        assert sum(WebhookEvent.objects.values_list("deliveries", flat=True)) == len(stream)
        assert shop.books_are_good()
        transaction.set_rollback(True)


def told_of_two_orders(viewer: Member, course: Item) -> list[bytes]:
    """Return what is said of an order that is being paid, and of one that is being given back."""
    payment = payment_of(ordered(viewer, course, key="first"))
    other = payment_of(bought(viewer, shop.course_for(5_000), key="second"))
    refund = give_back(other.order)
    of_refund: Any = {"id": "rf_1", "key": refund.key}
    messages = [
        told(payment, "payment.declined"),
        told(payment),
        told(payment),
        told(other),
        told(other, "refund.succeeded", **of_refund),
        told(other, "refund.succeeded", **of_refund),
    ]
    return [body_of(message) for message in messages]


ENDS = {
    "orders": [("paid", 10_000), ("refunded", 5_000)],
    "payments": ["captured", "captured"],
    "refunds": ["sent"],
    "journals": ["refund", "refund_sent", "sale", "sale"],
    "clearing": [-10_000],
    "open": 1,
}


def state() -> dict[str, Any]:
    clearing = Account.objects.filter(kind="clearing")
    return {
        "orders": list(Order.objects.order_by("pk").values_list("state", "amount")),
        "payments": list(Payment.objects.order_by("pk").values_list("state", flat=True)),
        "refunds": list(Refund.objects.values_list("state", flat=True)),
        "journals": sorted(Journal.objects.values_list("kind", flat=True)),
        "clearing": [account.balance.minor for account in clearing],
        "open": Access.objects.filter(viewer__isnull=False, revoked_at=None).count(),
    }
