"""The best of all items, exactly."""

import numpy as np
import pytest

from recommender.ml.factors import Factors
from recommender.serving.catalogue import Catalogue
from recommender.serving.retrieval import Index

IDS = np.arange(10, 10 + 500)


@pytest.fixture
def index() -> Index:
    """Five hundred items in whole numbers, so that there are ties; every seventh is not free, the last is withdrawn."""
    rng = np.random.default_rng(0)
    vectors = rng.integers(-2, 3, (len(IDS), 4)).astype(np.float32)
    model = Factors(
        name="model",
        fold="nothing",
        numbers={},
        viewer_ids=np.zeros(0, np.int64),
        item_ids=IDS,
        viewer_vectors=np.zeros((0, 4), np.float32),
        item_vectors=vectors,
        item_bias=np.ones(len(IDS), np.float32),
        gram=vectors.T @ vectors,
    )
    shown = IDS[:-1]
    catalogue = Catalogue(items=shown, creators=shown + 1_000, published=shown, is_free=shown % 7 > 0)
    return Index.of(model, catalogue)


@pytest.mark.parametrize("k", [1, 20, 1_000])
@pytest.mark.parametrize("hidden", [set(), {11, 12, 13}, set(range(10, 400))])
def test_the_best_are_those_of_a_full_sort(index: Index, k: int, hidden: set[int]) -> None:
    wish = np.array([1, 2, -1, 0], np.float32)

    found = index.best(wish, hidden=hidden, granted=np.array([4]), k=k)

    scores = dict(zip(IDS.tolist(), (index.model.item_vectors @ wish).tolist(), strict=True))
    open_items = [item for item in IDS.tolist()[:-1] if (item % 7 or item == 14) and item not in hidden]
    best = sorted(open_items, key=lambda item: (-scores[item], item))[:k]
    assert sorted(scores[offer.item] for offer in found) == sorted(scores[item] for item in best)
    assert all(offer.creator == offer.item + 1_000 for offer in found)
    assert [offer.item for offer in found] == sorted(
        (offer.item for offer in found), key=lambda item: (-scores[item], item)
    )


def test_what_is_withdrawn_is_not_offered_even_when_it_was_bought(index: Index) -> None:
    found = index.best(np.zeros(4, np.float32), hidden=(), granted=np.array([len(IDS) - 1]), k=1_000)

    assert IDS[-1] not in [offer.item for offer in found]
