"""Amounts as Stripe counts them."""

from typing import Any

from billing.money import Money
from billing.providers.protocol import ProviderRefused

# Currencies without decimals that Stripe counts in hundredths all the same (docs.stripe.com/currencies).
HUNDREDFOLD = {"ISK", "UGX"}
THREE_DECIMALS = {"BHD", "JOD", "KWD", "OMR", "TND"}  # the last digit must be 0


def to_stripe(money: Money) -> int:
    """Return the amount as Stripe counts it. Raises ProviderRefused for what it cannot count."""
    if money.currency in THREE_DECIMALS and money.minor % 10:
        raise ProviderRefused(f"Stripe takes no third decimal: {money}.")
    return money.minor * (100 if money.currency in HUNDREDFOLD else 1)


def from_stripe(minor: Any, currency: str) -> Money:
    """Return what Stripe has counted, in our minor units. Raises ValueError and TypeError for what is no amount."""
    code = currency.upper()
    whole, rest = divmod(minor, 100 if code in HUNDREDFOLD else 1)
    if rest:
        raise ValueError(f"{minor} {code} is no amount.")
    return Money(whole, code)
