"""What currencies are worth in another: for reports, never for the books."""

from bisect import bisect_right
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import QuerySet

from billing.models import ExchangeRate
from billing.money import EXPONENTS


def exchange_rates() -> QuerySet[ExchangeRate]:
    """Return every rate that was ever set, the latest first."""
    return ExchangeRate.objects.order_by("-pk")


class Rates:
    """What some currencies were worth in another on the days of a span: asked of the database once."""

    def __init__(self, bases: Collection[str], into: str, *, since: date, until: date) -> None:
        self.into = into
        self._rates: dict[str, list[ExchangeRate]] = {}
        told = ExchangeRate.objects.filter(base__in=bases, quote=into)
        # Of a day the last one set holds; of the days before the span only the last of each currency is needed.
        before = told.filter(day__lt=since).order_by("base", "-day", "-pk").distinct("base")
        within = told.filter(day__gte=since, day__lte=until).order_by("base", "day", "-pk").distinct("base", "day")
        for rate in (*before, *within):
            self._rates.setdefault(rate.base, []).append(rate)

    def on(self, base: str, day: date) -> ExchangeRate | None:
        """Return the rate of a day, else the last one before it; None when there is none, for nothing is guessed."""
        rates = self._rates.get(base, [])
        place = bisect_right(rates, day, key=lambda rate: rate.day)
        return rates[place - 1] if place else None


def exactly(minor: int, base: str, into: str, rate: Decimal | None) -> Fraction:
    """Return an amount in minor units of another currency, as it is before it is rounded; None: at par."""
    units = Fraction(rate) if rate else Fraction(1)
    return minor * units * Fraction(10) ** (EXPONENTS[into] - EXPONENTS[base])


def rounded(amount: Fraction) -> int:
    """Return whole minor units: the nearest, and of a half the one farther from nothing, below zero as above."""
    whole = (2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator)
    return whole if amount >= 0 else -whole
