"""Viewers are near each other when they like the same."""

import numpy as np

from recommender.ml.portraits import latent
from tests.recommender.ml.make import two_tastes


def test_the_nearest_viewers_share_the_taste() -> None:
    world, _ = two_tastes()
    ratings = world.ratings()
    vectors = latent.unit(ratings @ latent.item_vectors(ratings, seed=0))

    places, cosines = latent.nearest(vectors[0], vectors, most=20)

    assert places[0] == 0
    assert set(places % 2) == {0}
    assert np.all(np.diff(cosines) <= 0)


def test_the_nearest_equal_a_full_sort() -> None:
    vectors = latent.unit(np.random.default_rng(0).standard_normal((500, 8)).astype(np.float32))

    places, _ = latent.nearest(vectors[3], vectors, most=7)

    assert places.tolist() == np.argsort(-(vectors @ vectors[3]), kind="stable")[:7].tolist()


def test_a_world_too_small_for_directions_has_none() -> None:
    world, _ = two_tastes(viewers=1, items=4)  # one viewer who has watched one item

    assert latent.item_vectors(world.ratings(), seed=0).shape == (1, 0)
