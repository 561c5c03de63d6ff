"""Money loses nothing, whatever the amount, the weights and the currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing.money import EXPONENTS, WHOLE_BPS, MixedCurrencies, Money

amounts = some.integers(0, 10**15)
currencies = some.sampled_from(["JPY", "CNY", "USD", "BHD"])
weights = some.lists(some.integers(0, WHOLE_BPS), min_size=1, max_size=8).filter(any)
parts = some.lists(some.integers(0, 10**9), min_size=1, max_size=6)


def test_a_tenth_of_ten_yuan_is_one_yuan() -> None:
    assert Money(1_000, "CNY").split(1_000, 9_000) == (Money(100, "CNY"), Money(900, "CNY"))


def test_the_largest_remainder_gets_the_odd_unit() -> None:
    assert [part.minor for part in Money(100, "JPY").split(1, 1, 1)] == [34, 33, 33]
    assert [part.minor for part in Money(333, "CNY").split(1_000, 9_000)] == [33, 300]


@given(amounts, currencies, weights)
def test_a_split_sums_to_the_whole(minor: int, currency: str, by: list[int]) -> None:
    shares = Money(minor, currency).split(*by)

    assert sum(share.minor for share in shares) == minor
    assert all(abs(share.minor * sum(by) - minor * weight) < sum(by) for share, weight in zip(shares, by, strict=True))


@given(parts, some.data())
def test_what_is_taken_of_each_part_only_grows(minors: list[int], data: some.DataObject) -> None:
    whole = [Money(minor, "CNY") for minor in minors]
    less = data.draw(some.integers(0, sum(minors)))
    more = data.draw(some.integers(less, sum(minors)))

    before, after = (Money(amount, "CNY").apportion(whole) for amount in (less, more))

    assert sum(part.minor for part in after) == more
    assert all(b <= a <= part for b, a, part in zip(before, after, whole, strict=True))
    assert Money(sum(minors), "CNY").apportion(whole) == tuple(whole)


@pytest.mark.parametrize(
    ("money", "said"),
    [
        (Money(123_456, "CNY"), "1,234.56 CNY"),
        (Money(1_234, "JPY"), "1,234 JPY"),
        (Money(1_234, "BHD"), "1.234 BHD"),
        (Money(-5, "USD"), "-0.05 USD"),
    ],
)
def test_money_is_written_as_its_currency_is(money: Money, said: str) -> None:
    assert str(money) == said


def test_two_currencies_do_not_add_up() -> None:
    with pytest.raises(MixedCurrencies):
        Money(1, "CNY") + Money(1, "USD")
    with pytest.raises(MixedCurrencies):
        assert Money(1, "CNY") < Money(1, "USD")


@pytest.mark.parametrize("bad", [1.0, "1", True, None])
def test_only_whole_minor_units_are_money(bad: object) -> None:
    with pytest.raises(TypeError):
        Money(bad, "CNY")  # type: ignore[arg-type]


def test_a_currency_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="XXX"):
        Money(1, "XXX")
    assert EXPONENTS["KWD"] == 3


@pytest.mark.parametrize("by", [(0, 0), (-1, 2)])
def test_a_split_needs_weights(by: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="cannot be divided"):
        Money(1, "CNY").split(*by)
