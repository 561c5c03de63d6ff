"""Prices that are tried on viewers: begun, shown, ended, and one of them taken for good."""

from billing.operations.price_experiments import (
    AdoptedAlready,
    BadPrices,
    BadSpan,
    CannotBeTried,
    NameTaken,
    PriceExperimentsClosed,
    TriedAlready,
    adopt_price,
    end_price_experiment,
    end_price_experiments,
    try_prices,
)
from billing.operations.tried import holds, show_prices

__all__ = [
    "AdoptedAlready",
    "BadPrices",
    "BadSpan",
    "CannotBeTried",
    "NameTaken",
    "PriceExperimentsClosed",
    "TriedAlready",
    "adopt_price",
    "end_price_experiment",
    "end_price_experiments",
    "holds",
    "show_prices",
    "try_prices",
]
