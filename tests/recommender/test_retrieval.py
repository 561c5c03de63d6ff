"""The best of all items, exactly."""

import numpy as np
import pytest

from recommender.ml.arrays import Floats
from recommender.ml.factors import Factors
from recommender.serving.catalogue import Catalogue
from recommender.serving.history import History
from recommender.serving.retrieval import Index
from recommender.serving.scan import largest
from recommender.serving.taste import CODES, history

IDS = np.arange(10, 10 + 500)
SCORES = np.random.default_rng(0).integers(-20, 20, len(IDS)).astype(np.float32)  # whole numbers: there are ties


@pytest.fixture
def index() -> Index:
    """Five hundred items whose score is told by their bias; every seventh is not free, the last is withdrawn."""
    model = Factors(
        name="model",
        fold="nothing",
        numbers={},
        viewer_ids=np.zeros(0, np.int64),
        item_ids=IDS,
        viewer_vectors=np.zeros((0, 0), np.float32),
        item_vectors=np.zeros((len(IDS), 0), np.float32),
        item_bias=SCORES,
        gram=np.zeros((0, 0), np.float32),
    )
    shown = IDS[:-1]
    catalogue = Catalogue.plain(shown, creators=shown + 1_000, published=shown, is_free=shown % 7 > 0)
    return Index.of(model, catalogue)


def watched(*items: int) -> History:
    """Return the history of a viewer who watched these items."""
    said = np.full(len(items), CODES["watch"])
    ids, watched = np.array(items, np.int64), said.astype("f4")
    return History(history(items=ids, at=np.arange(len(items)), said=said, watched=watched))


@pytest.mark.parametrize("k", [1, 20, 1_000])
@pytest.mark.parametrize("hidden", [set(), {11, 12, 13}, set(range(10, 400))])
def test_the_best_are_those_of_a_full_sort(index: Index, k: int, hidden: set[int]) -> None:
    found = index.best(watched(10), hidden=hidden, granted=np.array([14]), k=k)

    scores = dict(zip(IDS.tolist(), SCORES.tolist(), strict=True))
    open_items = [item for item in IDS.tolist()[:-1] if (item % 7 or item == 14) and item not in hidden]
    assert [offer.item for offer in found] == sorted(open_items, key=lambda item: (-scores[item], item))[:k]
    assert all(offer.creator == offer.item + 1_000 for offer in found)


def test_what_is_withdrawn_is_not_offered_even_when_it_was_bought(index: Index) -> None:
    found = index.best(watched(10), hidden=(), granted=np.array([IDS[-1]]), k=1_000)

    assert IDS[-1] not in [offer.item for offer in found]


def test_a_history_of_strange_items_says_nothing(index: Index) -> None:
    assert index.best(watched(9, 9_999), hidden=(), granted=np.zeros(0, np.int64), k=10) == []


@pytest.mark.parametrize("kind", ["all different", "many equal", "all equal", "mostly closed", "some not a number"])
@pytest.mark.parametrize("k", [1, 7, 300, 5_000])
def test_the_largest_are_those_of_a_full_sort(kind: str, k: int) -> None:
    rng = np.random.default_rng(k)
    drawn = rng.normal(size=4_321).astype(np.float32)
    scores: Floats = {
        "all different": drawn,
        "many equal": drawn.round(1),
        "all equal": np.ones_like(drawn),
        "mostly closed": np.where(rng.random(len(drawn)) < 0.999, -np.inf, drawn).astype(np.float32),
        "some not a number": np.where(rng.random(len(drawn)) < 0.1, np.nan, drawn).astype(np.float32),
    }[kind]

    found = largest(scores, k).tolist()

    assert found == sorted(np.flatnonzero(scores > -np.inf).tolist(), key=lambda place: (-scores[place], place))[:k]
