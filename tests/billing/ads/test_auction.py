"""The auction: nobody pays more than their bid or less than the reserve, and telling the truth is best."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ads.market.auction import Bids, auction


def bids(*rows: tuple[int, float]) -> Bids:
    """Return bids of so many micros a click and such a chance of one."""
    money, chance = zip(*rows, strict=True)
    one = np.ones(len(rows))
    return Bids(np.array(money, np.int64), np.array(chance), one, one)


def test_one_slot_costs_what_the_runner_up_would_have_brought() -> None:
    """100 × 0.1 = 10 a view beats 40 × 0.2 = 8 a view: the winner pays 8 ÷ 0.1 = 80 a click."""
    (won,) = auction(bids((100, 0.1), (40, 0.2)), slots=1, reserve=0)

    assert (won.place, won.price, won.propensity) == (0, 80, 1.0)


def test_alone_it_costs_the_reserve() -> None:
    (won,) = auction(bids((100, 0.1)), slots=1, reserve=5)

    assert won.price == 50


def test_who_bids_below_the_reserve_does_not_compete() -> None:
    assert auction(bids((100, 0.1), (10, 0.1)), slots=2, reserve=11) == []
    assert [won.place for won in auction(bids((100, 0.1), (10, 0.1)), slots=2, reserve=10)] == [0]


def test_several_slots_cost_what_stands_below_each() -> None:
    won = auction(bids((90, 1.0), (70, 1.0), (30, 1.0)), slots=2, reserve=0)

    assert [(each.place, each.price) for each in won] == [(0, 70), (1, 30)]


def test_being_held_back_costs_nobody_more() -> None:
    """With half the pace 100 counts as 50; against 40 the least that wins is 80."""
    pace = np.array([0.5, 1.0])
    (won,) = auction(Bids(np.array([100, 40]), np.ones(2), np.ones(2), pace), slots=1, reserve=0)

    assert (won.place, won.price) == (0, 80)


def test_chance_now_and_then_goes_to_others_and_says_how_likely_that_was() -> None:
    rng = random.Random(1)
    three = bids((90, 1.0), (70, 1.0), (30, 1.0))
    many = 30_000
    seen: dict[tuple[int, int], int] = {}
    told: dict[tuple[int, int], float] = {}
    for _ in range(many):
        for slot, won in enumerate(auction(three, slots=2, reserve=7, explore=0.3, rng=rng)):
            seen[slot, won.place] = seen.get((slot, won.place), 0) + 1
            told[slot, won.place] = won.propensity

    assert {key: count / many for key, count in seen.items()} == pytest.approx(told, abs=0.01)
    assert sum(chance for (slot, _), chance in told.items() if slot == 0) == pytest.approx(1)
    assert sum(chance for (slot, _), chance in told.items() if slot == 1) == pytest.approx(1)


rows = st.lists(
    st.tuples(
        st.integers(1, 10**6),
        st.floats(0.001, 1.0),
        st.floats(0.1, 1.0),
        st.floats(0.001, 1.0),
    ),
    min_size=1,
    max_size=8,
)


def as_bids(rows: list[tuple[int, float, float, float]]) -> Bids:
    money, chance, quality, pace = zip(*rows, strict=True)
    return Bids(np.array(money, np.int64), np.array(chance), np.array(quality), np.array(pace))


@settings(max_examples=300, deadline=None)
@given(rows=rows, reserve=st.integers(0, 10_000), slots=st.integers(1, 4), dice=st.integers(0, 100))
def test_nobody_pays_more_than_the_bid_or_less_than_the_reserve(
    rows: list[tuple[int, float, float, float]], reserve: int, slots: int, dice: int
) -> None:
    all_bids = as_bids(rows)

    won = auction(all_bids, slots=slots, reserve=reserve, explore=0.5, rng=random.Random(dice))

    assert len({each.place for each in won}) == len(won) <= slots
    for each in won:
        assert reserve <= each.price * all_bids.chance[each.place] + 1e-6
        assert each.price <= all_bids.bid[each.place]
        assert 0 < each.propensity <= 1


@settings(max_examples=300, deadline=None)
@given(rows=rows, more=st.integers(1, 10**6), slots=st.integers(1, 4))
def test_a_higher_bid_never_stands_lower(rows: list[tuple[int, float, float, float]], more: int, slots: int) -> None:
    raised = [(rows[0][0] + more, *rows[0][1:]), *rows[1:]]

    before = [each.place for each in auction(as_bids(rows), slots=slots, reserve=10)]
    after = [each.place for each in auction(as_bids(raised), slots=slots, reserve=10)]

    if 0 in before:
        assert after.index(0) <= before.index(0)


@settings(max_examples=300, deadline=None)
@given(rows=rows, said=st.integers(1, 2 * 10**6), reserve=st.integers(0, 1000))
def test_in_one_slot_no_bid_is_better_than_the_truth(
    rows: list[tuple[int, float, float, float]], said: int, reserve: int
) -> None:
    worth = rows[0][0]

    def gain(bid: int) -> float:
        told = as_bids([(bid, *rows[0][1:]), *rows[1:]])
        won = auction(told, slots=1, reserve=reserve)
        return (worth - won[0].price) * told.chance[0] if won and won[0].place == 0 else 0.0

    assert gain(said) <= gain(worth) + told_off(rows[0])


def told_off(row: tuple[int, float, float, float]) -> float:
    """Return what rounding up to whole micros may cost: one, times the chance."""
    return row[1]
