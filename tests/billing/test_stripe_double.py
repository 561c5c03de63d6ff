"""What we tell Stripe is what Stripe takes: the double beside the types of the official package."""

import json
import re
import sys
from typing import Any

import pytest
from stripe.params import (
    BalanceTransactionListParams,
    DisputeCloseParams,
    DisputeUpdateParams,
    FileCreateParams,
    PaymentIntentCreateParams,
    PaymentIntentListParams,
    RefundCreateParams,
    RefundListParams,
    TransferCreateParams,
    TransferCreateReversalParams,
    TransferListParams,
)
from stripe.params.checkout import SessionCreateParams, SessionListParams

from billing import providers
from billing.money import Money
from billing.providers import stripe_amounts as driver
from tests.billing.doubles.stripe import (
    ACCEPTED,
    BALANCE,
    FILES,
    INTENTS,
    LISTED,
    METADATA,
    REFUNDS,
    REVERSALS,
    SESSIONS,
    TRANSFERS,
    StripeDouble,
)
from tests.billing.doubles.stripe_disputes import DISPUTES


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Money(1_234, "CNY"), 1_234),
        (Money(500, "JPY"), 500),
        (Money(500, "KRW"), 500),
        (Money(5, "ISK"), 500),
        (Money(5, "UGX"), 500),
        (Money(1_230, "KWD"), 1_230),
    ],
)
def test_amounts_are_counted_as_stripe_does(ours: Money, theirs: int) -> None:
    assert driver.to_stripe(ours) == theirs
    assert driver.from_stripe(theirs, ours.currency.lower()) == ours


def test_what_stripe_cannot_count_is_refused() -> None:
    with pytest.raises(providers.ProviderRefused):
        driver.to_stripe(Money(1_234, "KWD"))
    with pytest.raises(ValueError, match="no amount"):
        driver.from_stripe(150, "isk")


def test_the_double_takes_what_the_package_says_that_stripe_takes() -> None:
    agree(ACCEPTED[SESSIONS], SessionCreateParams)
    agree(ACCEPTED[REFUNDS], RefundCreateParams)
    agree(ACCEPTED[TRANSFERS], TransferCreateParams)
    agree(ACCEPTED[REVERSALS], TransferCreateReversalParams)
    agree(ACCEPTED[DISPUTES], DisputeUpdateParams)
    agree(ACCEPTED[f"{DISPUTES}/close"], DisputeCloseParams)
    agree(ACCEPTED[FILES], FileCreateParams)
    assert LISTED[SESSIONS] <= SessionListParams.__annotations__.keys()
    assert LISTED[REFUNDS] <= RefundListParams.__annotations__.keys()
    ranges = {name.partition("[")[0] for name in LISTED[BALANCE]}
    assert ranges <= BalanceTransactionListParams.__annotations__.keys()
    assert LISTED[TRANSFERS] <= TransferListParams.__annotations__.keys()
    agree(ACCEPTED[INTENTS], PaymentIntentCreateParams)
    assert LISTED[INTENTS] <= PaymentIntentListParams.__annotations__.keys()


def agree(accepted: dict[str, Any], typed: Any) -> None:
    """Check that each parameter is one of the TypedDict's, nested as there."""
    module = sys.modules[typed.__module__]
    for name, inside in accepted.items():
        assert name in typed.__annotations__, f"{typed.__name__} has no {name}."
        said = str(typed.__annotations__[name])
        found = re.search(rf"{typed.__name__}\w+", said)
        if inside == METADATA:
            assert "Dict[str, str]" in said
            continue
        assert (found is not None) == (inside is not None), (name, said)
        assert isinstance(inside, list) == ("List[" in said)
        if found:
            agree(inside[0] if isinstance(inside, list) else inside, getattr(module, found[0]))


def test_the_double_refuses_what_stripe_does_not_know() -> None:
    stripe = StripeDouble()
    headers = {"Authorization": f"Bearer {stripe.key}", "Idempotency-Key": "k"}

    status, said, _ = stripe.answer("POST", SESSIONS, headers, b"line_items[0][prize]=1")

    assert (status, json.loads(said)["error"]["param"]) == (400, "line_items[prize]")
