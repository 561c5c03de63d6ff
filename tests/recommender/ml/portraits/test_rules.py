"""Association rules on the textbook's basket: five customers of Tan, Steinbach and Kumar, table 6.1."""

import numpy as np
import pytest

from recommender.ml.arrays import Matrix
from recommender.ml.portraits.rules import baskets, frequent, rules

BREAD, MILK, DIAPERS, BEER, EGGS, COLA = range(6)
TABLE = [
    {BREAD, MILK},
    {BREAD, DIAPERS, BEER, EGGS},
    {MILK, DIAPERS, BEER, COLA},
    {BREAD, MILK, DIAPERS, BEER},
    {BREAD, MILK, DIAPERS, COLA},
]


def held() -> Matrix:
    cells = [(customer, thing) for customer, things in enumerate(TABLE) for thing in things]
    viewer, thing = (np.array(column, np.int32) for column in zip(*cells, strict=True))
    return baskets(viewer, thing, shape=(5, 6))


def test_frequent_sets_are_those_of_the_textbook() -> None:
    found = frequent(held(), fewest=3)

    assert found == {
        (BREAD,): 4,
        (MILK,): 4,
        (DIAPERS,): 4,
        (BEER,): 3,
        (BREAD, MILK): 3,
        (BREAD, DIAPERS): 3,
        (MILK, DIAPERS): 3,
        (DIAPERS, BEER): 3,
    }


def test_support_confidence_and_lift_are_exact() -> None:
    found = {(rule.given, rule.then): rule for rule in rules(held(), fewest=2, least_confidence=0.0)}

    both = found[(MILK, DIAPERS), BEER]  # the textbook's example: s = 0.4, c = 0.67
    assert (both.baskets, both.support) == (2, 0.4)
    assert both.confidence == pytest.approx(2 / 3)
    assert both.lift == pytest.approx(2 / 3 / (3 / 5))
    beer = found[(BEER,), DIAPERS]
    assert (beer.support, beer.confidence, beer.lift) == (0.6, 1.0, 1.25)


def test_every_set_equals_a_plain_count() -> None:
    rng = np.random.default_rng(0)
    dense = rng.random((300, 9)) < np.linspace(0.1, 0.6, 9)
    viewer, thing = np.nonzero(dense)

    found = frequent(baskets(viewer.astype(np.int32), thing.astype(np.int32), shape=dense.shape), fewest=10, longest=4)

    assert any(len(things) == 4 for things in found)
    assert all(dense[:, list(things)].all(1).sum() == count for things, count in found.items())
    assert sum(len(things) == 2 for things in found) == sum(
        (dense[:, one] & dense[:, other]).sum() >= 10 for one in range(9) for other in range(one)
    )


def test_what_is_said_twice_counts_once_and_rare_rules_are_left_out() -> None:
    viewer, thing = np.array([0, 0, 0, 1, 2], np.int32), np.array([0, 0, 1, 0, 1], np.int32)
    twice = baskets(viewer, thing, shape=(3, 2))

    assert frequent(twice, fewest=1)[0,] == 2
    assert rules(twice, fewest=2, least_confidence=0.0) == []
    assert rules(twice, fewest=1, least_confidence=0.6) == []
