"""Money: whole minor units of one currency. No float comes in, none goes out, nothing is lost in a split."""

from collections.abc import Sequence
from dataclasses import dataclass

WHOLE_BPS = 10_000

# How many decimals a currency's unit has (ISO 4217).
CURRENCIES = {
    0: "CLP ISK JPY KRW PYG RWF UGX VND XAF XOF XPF",
    2: "AED ARS AUD BDT BRL CAD CHF CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR KES KZT LKR MAD MOP MXN MYR NGN"
    " NOK NZD PEN PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD TZS UAH USD UYU UZS ZAR",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENTS = {currency: decimals for decimals, names in CURRENCIES.items() for currency in names.split()}


class MixedCurrencies(TypeError):
    """Two currencies met where only one makes sense: a bug, said aloud."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units: Money(1_234, "CNY") is 12.34 yuan, Money(1_234, "JPY") is 1,234 yen."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money counts whole minor units, not {self.minor!r}.")
        if self.currency not in EXPONENTS:
            raise ValueError(f"There is no currency {self.currency!r}.")

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        decimals = EXPONENTS[self.currency]
        digits = f"{abs(self.minor):0{decimals + 1}d}"
        whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
        return f"{'-' if self.minor < 0 else ''}{int(whole):,}{'.' if part else ''}{part} {self.currency}"

    def split(self, *weights: int) -> tuple["Money", ...]:
        """Divide by weights (basis points, or any whole numbers): no part is more than one unit off, none is lost.

        By largest remainder; among equals the first comes first. Raises ValueError without a positive weight,
        and for a negative weight or amount.
        """
        whole = sum(weights)
        if whole <= 0 or min(weights) < 0 or self.minor < 0:
            raise ValueError(f"{self} cannot be divided by {weights}.")
        parts, rests = zip(*(divmod(self.minor * weight, whole) for weight in weights), strict=True)
        left = self.minor - sum(parts)
        lucky = set(sorted(range(len(weights)), key=lambda place: -rests[place])[:left])
        return tuple(Money(part + (place in lucky), self.currency) for place, part in enumerate(parts))

    def apportion(self, parts: Sequence["Money"]) -> tuple["Money", ...]:
        """Take this much out of parts, pro rata: what is taken of each part only grows with the amount.

        So cumulative refunds can be told apart by subtraction, and the last one leaves exactly nothing. (The
        largest remainder would not do: with one unit more, a part can get less; the Alabama paradox.)
        Raises ValueError when there is less in the parts.
        """
        left, total = self.minor, sum(self._same(part) for part in parts)
        if not 0 <= left <= total:
            raise ValueError(f"{self} cannot be taken out of {total}.")
        taken: list[Money] = []
        for part in parts:
            share = left * part.minor // total if total else 0
            taken.append(Money(share, self.currency))
            left, total = left - share, total - part.minor
        return tuple(taken)

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self} and {other} are of two currencies.")
        return other.minor
