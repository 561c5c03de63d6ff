import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender.ml.attributes import Attributes, gather_attributes
from recommender.ml.duplicates import duplicates, pairs


def told(*items: tuple[str, list[str]]) -> Attributes:
    ids = np.arange(len(items))
    return gather_attributes(
        item=ids,
        creator=ids,
        tags=[tags for _, tags in items],
        duration_ms=np.zeros(len(items), np.int64),
        published_at=np.zeros(len(items), np.int64),
        title=[title for title, _ in items],
        item_ids=ids,
    )


def test_the_same_words_by_another_creator_are_alike_and_others_are_not() -> None:
    found = duplicates(
        told(
            ("Ten knots every sailor needs", ["sailing", "knots"]),
            ("Bread without kneading", ["baking"]),
            ("Every sailor needs ten knots!", ["knots", "sailing"]),
            ("五分钟学会打结", ["帆船"]),
            ("五分钟 学会打结", ["帆船"]),
        )
    )

    assert list(zip(found.one.tolist(), found.other.tolist(), strict=True)) == [(0, 2), (3, 4)]
    assert found.cosine == pytest.approx(1, abs=1e-5)


def test_items_of_which_nothing_is_told_are_like_no_other() -> None:
    assert len(duplicates(told(("", []), ("", []), ("?!", []))).one) == 0


@pytest.mark.parametrize("alike", [0.3, 0.6, 0.9])
def test_what_is_left_uncompared_would_not_have_been_alike(alike: float) -> None:
    """Frequent places and signs as in hashed words; every pair is compared here."""
    rng = np.random.default_rng(1)
    places = (200 * rng.random((1_200, 6)) ** 3).astype(int)
    values = (rng.choice([-1, 1], size=200)[places] * rng.random(places.shape)).astype(np.float32)
    rows = csr_array((values.ravel(), (np.repeat(np.arange(1_200), 6), places.ravel())), shape=(1_200, 200))
    dense = rows.toarray()
    dense /= np.linalg.norm(dense, axis=1, keepdims=True)
    cosines = np.triu(dense @ dense.T, k=1)

    found = pairs(rows, alike=alike, most=10**6)

    assert (cosines >= alike + 1e-5).sum() <= len(found.one) <= (cosines >= alike - 1e-5).sum()
    assert len(found.one) > 10
    assert found.cosine == pytest.approx(cosines[found.one, found.other], abs=1e-4)
    assert (np.diff(found.cosine) <= 0).all()


def test_no_more_are_told_than_asked_for_the_most_alike_first() -> None:
    rows = csr_array(np.array([[1, 0], [1, 0.1], [1, 0.3], [0, 1]], np.float32))

    found = pairs(rows, alike=0.5, most=2)

    assert list(zip(found.one.tolist(), found.other.tolist(), strict=True)) == [(0, 1), (1, 2)]


def test_a_catalogue_of_one_and_the_same_takes_no_memory_for_all_its_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.ml.duplicates.TOUCHED", 100_000)
    monkeypatch.setattr("recommender.ml.duplicates.COMPARED", 10_000)
    rows = csr_array(np.ones((1_500, 1), np.float32))  # more than a million pairs

    tracemalloc.start()
    found = pairs(rows, alike=0.9, most=100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert list(zip(found.one.tolist(), found.other.tolist(), strict=True)) == [(0, other) for other in range(1, 101)]
    assert peak < 10e6


def test_the_most_alike_of_all_blocks_are_told() -> None:
    rows = csr_array(np.random.default_rng(0).random((1_200, 4)).astype(np.float32))
    every = pairs(rows, alike=0.9, most=10**6)

    few = pairs(rows, alike=0.9, most=50)

    assert len(every.one) > 50
    assert few.one.tolist() == every.one[:50].tolist()
    assert few.other.tolist() == every.other[:50].tolist()
