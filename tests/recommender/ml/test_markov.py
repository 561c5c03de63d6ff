"""A first-order chain, checked in the head."""

import numpy as np
import pytest

from recommender.ml import markov
from tests.recommender.ml import make

TWO_WALKS = make.interactions((1, 0, 1.0), (1, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0), (2, 1, 1.0), (2, 0, 1.0))


def test_a_step_seen_twice_is_likelier_than_one_never_seen() -> None:
    """After item 0 came item 1, both times. Popularity, each counted once more: 4/9, 3/9, 2/9; the prior is 2 steps."""
    model = markov.fit(TWO_WALKS, config=markov.Config(back=1, prior=2.0))

    after_0 = model.score(TWO_WALKS, np.array([1], np.int32))[0]  # viewer 2 stands at item 0

    assert after_0 == pytest.approx([2 * 4 / 9 / 4, (2 + 2 * 3 / 9) / 4, 2 * 2 / 9 / 4])
    assert after_0.sum() == pytest.approx(1)


def test_earlier_items_count_less() -> None:
    model = markov.fit(TWO_WALKS, config=markov.Config(back=2, decay=0.25, prior=2.0))
    alone = markov.fit(TWO_WALKS, config=markov.Config(back=1, prior=2.0))
    at_1, at_2 = (
        make.interactions((7, 1, 1.0), known_items=[0, 1, 2]),
        make.interactions((7, 2, 1.0), known_items=[0, 1, 2]),
    )
    then_2 = make.interactions((7, 1, 1.0), (7, 2, 1.0), known_items=[0, 1, 2])
    seven = np.zeros(1, np.int32)

    both = model.score(then_2, seven)

    assert both == pytest.approx(alone.score(at_2, seven) + 0.25 * alone.score(at_1, seven))


def test_who_has_wanted_nothing_gets_what_is_popular() -> None:
    model = markov.fit(TWO_WALKS)

    assert model.score(TWO_WALKS.where(TWO_WALKS.viewer < 0), np.array([0], np.int32))[0] == pytest.approx(
        model.popularity
    )
