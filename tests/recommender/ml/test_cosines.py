"""The three cosines of collaborative filtering, by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender.ml import item_cosine, latent_cosine, user_cosine
from recommender.ml.arrays import Floats
from recommender.ml.latent_cosine import cosine
from recommender.ml.similarity import cosines, nearest, norms
from tests.recommender.ml import make

A, B, C, D = range(4)  # viewers
R = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]]


def rated(ratings: list[list[int]]) -> list[make.Row]:
    return [(u, i, float(rating)) for u, row in enumerate(ratings) for i, rating in enumerate(row)]


def test_the_cosine_of_four_viewers_and_four_items() -> None:
    """The third viewer is (3, 4) of length 5, the third item (4, 3): 24 / 25. The fourth of either is nothing."""
    P = np.array([[1, 0], [0, 2], [3, 4], [0, 0]], np.float32)
    F = np.array([[1, 0], [0, 1], [4, 3], [0, 0]], np.float32)

    assert cosine(P, F) == pytest.approx(np.array([[1, 0, 0.8, 0], [0, 1, 0.6, 0], [0.6, 0.8, 0.96, 0], [0, 0, 0, 0]]))


def test_the_cosine_after_a_decomposition_that_one_can_do_by_hand() -> None:
    """R has the directions (1, 1, 1, 1) / 2 with Σ = √6 and (1, 1, −1, −1) / 2 with Σ = √2.

    Items 0 and 1 stand at f = (⁴√6, ⁴√2) / 2, the others at (⁴√6, −⁴√2) / 2; viewer A at p = (1 / ⁴√6, 1 / ⁴√2),
    viewer C at (2 / ⁴√6, 0), viewer D nowhere.
    """
    train = make.interactions(*rated(R))

    ours = latent_cosine.fit(train, config=latent_cosine.Config(factors=2)).score(train, np.arange(4, dtype=np.int32))

    same = 2 * 12**0.25 / (6**0.5 + 2**0.5)  # .963
    half = (3**0.5 / (3**0.5 + 1)) ** 0.5  # .796
    assert ours == pytest.approx(np.array([[same, same, 0, 0], [0, 0, same, same], [half] * 4, [0] * 4]), abs=1e-5)


def test_items_are_as_alike_as_their_columns_and_no_item_is_its_own_neighbour() -> None:
    """Items 0 and 1 are watched by A and C both; item 2 shares C with them: 1 / (√2 √2)."""
    ratings = make.interactions(*rated(R)).ratings()

    found = item_cosine.similarities(ratings, item_cosine.Config(shrink=0))

    assert found.toarray() == pytest.approx(
        np.array([[0, 1, 0.5, 0.5], [1, 0, 0.5, 0.5], [0.5, 0.5, 0, 1], [0.5, 0.5, 1, 0]])
    )


def test_shrinkage_makes_a_likeness_that_rests_on_little_count_less() -> None:
    """The same cosine of 1: two viewers behind it give 2 / (2 + 2), one gives 1 / (1 + 2)."""
    many, few = (csr_array(np.ones((2, n), np.float32)) for n in (2, 1))

    assert cosines(many, many, shrink=2).toarray()[0, 1] == pytest.approx(1 / 2)
    assert cosines(few, few, shrink=2).toarray()[0, 1] == pytest.approx(1 / 3)


def test_only_the_nearest_are_kept() -> None:
    matrix = csr_array(np.array([[0.1, 0.9, 0.5, -1], [0, 0, 0, 0], [0, 0.2, 0, 0]], np.float32))

    kept = nearest(matrix, each=2).toarray()

    assert kept == pytest.approx(np.array([[0, 0.9, 0.5, 0], [0, 0, 0, 0], [0, 0.2, 0, 0]]))


def test_the_length_of_an_empty_row_is_nothing() -> None:
    matrix = csr_array(np.array([[0, 0], [3, 4], [0, 0], [0, 5], [0, 0]], np.float32))

    assert norms(matrix).tolist() == [0, 5, 0, 5, 0]


def test_a_viewer_is_told_what_those_like_them_rated() -> None:
    """A is like A with 1 and like C with 2 / (√2 · 2); item 2 was rated by C alone."""
    likeness = 2**0.5 / 2

    said = of_viewers(user_cosine.Config(shrink=0))

    assert said[A] == pytest.approx([1, 1, likeness / (1 + likeness), likeness / (1 + likeness)])
    assert said[D].tolist() == [0, 0, 0, 0]


def test_only_the_nearest_viewers_are_asked() -> None:
    assert of_viewers(user_cosine.Config(shrink=0, neighbours=1))[A] == pytest.approx([1, 1, 0, 0])


def of_viewers(config: user_cosine.Config) -> Floats:
    train = make.interactions(*rated(R))
    return user_cosine.fit(train, config=config).score(train, np.arange(4, dtype=np.int32))


def test_a_newcomer_is_compared_with_everyone_of_the_training() -> None:
    model = user_cosine.fit(make.interactions(*rated(R)), config=user_cosine.Config(shrink=0))
    newcomer = make.interactions((77, 0, 1), known_items=[0, 1, 2, 3])

    said = model.score(newcomer, np.array([0], np.int32))[0]

    assert said[1] > said[2] > 0


def test_blocks_do_not_change_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    train, _ = make.two_tastes()
    at_once = item_cosine.similarities(train.ratings(), item_cosine.Config())

    monkeypatch.setattr("recommender.ml.similarity.BLOCK_CELLS", 60)
    by_three = item_cosine.similarities(train.ratings(), item_cosine.Config())

    assert np.array_equal(at_once.toarray(), by_three.toarray())
