"""The largest inner products by eight bits first are those of all products."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from recommender.ml.arrays import Floats, Longs
from recommender.ml.factors import Factors
from recommender.serving.catalogue import Catalogue
from recommender.serving.history import History
from recommender.serving.retrieval import Index, NoScoresError
from recommender.serving.scan import Scan, largest, largest_within
from recommender.serving.space import Space
from recommender.serving.taste import CODES, history

MANY, WIDE = 6_000, 24


def vectors(kind: str) -> Floats:
    rng = np.random.default_rng(3)
    drawn = rng.normal(size=(MANY, WIDE)).astype(np.float32)
    shapes: dict[str, Floats] = {
        "all directions": drawn,
        "few directions": drawn[rng.integers(0, 8, MANY)] + 0.05 * drawn,
        "of very different lengths": drawn * np.exp(3 * rng.normal(size=(MANY, 1))),
        "some of nothing": drawn * (rng.random((MANY, 1)) < 0.5),
        "one dimension for most": drawn * np.array([100.0] + [0.1] * (WIDE - 1)),
        "all equal": np.ones_like(drawn),
    }
    return shapes[kind].astype(np.float32)


KINDS = [
    "all directions",
    "few directions",
    "of very different lengths",
    "some of nothing",
    "one dimension for most",
    "all equal",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_every_product_lies_within_its_bounds(kind: str, seed: int) -> None:
    rows = vectors(kind)
    asked = np.random.default_rng(seed).normal(size=WIDE).astype(np.float32) * 10.0 ** (seed - 2)

    low, high = Scan(rows).bounds(asked)

    exact = rows.astype(np.float64) @ asked
    assert (low <= exact).all()
    assert (exact <= high).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_by_bounds_are_the_largest_of_all(kind: str) -> None:
    rows = vectors(kind)
    asked = np.random.default_rng(9).normal(size=WIDE).astype(np.float32)
    products = np.einsum("vd,d->v", rows, asked)

    found = largest_within(Scan(rows).bounds(asked), lambda codes: products[codes], 50)

    assert found.tolist() == largest(products, 50).tolist()


def test_bounds_are_tight_enough_to_leave_most_products_out() -> None:
    rows, asked = vectors("all directions"), np.random.default_rng(1).normal(size=WIDE).astype(np.float32)
    looked_at = []

    def exact(codes: Longs | slice) -> Floats:
        looked_at.append(len(rows[codes]))
        return np.asarray(rows[codes] @ asked)

    largest_within(Scan(rows).bounds(asked), exact, 50)

    assert looked_at[0] < MANY / 10


@pytest.mark.parametrize(("of_rows", "of_asked"), [(1, 1e-30), (1, 1e36), (1e-29, 1), (1e36, 1), (1e36, 1e-30)])
def test_bounds_hold_and_are_tight_however_short_or_long_vectors_are(of_rows: float, of_asked: float) -> None:
    rows = vectors("all directions") * np.float32(of_rows)
    asked = np.random.default_rng(1).normal(size=WIDE).astype(np.float32) * np.float32(of_asked)

    low, high = Scan(rows).bounds(asked)

    exact = rows.astype(np.float64) @ asked.astype(np.float64)
    assert (low <= exact).all()
    assert (exact <= high).all()
    assert (high - low).max() < exact.max() / 2


def test_where_all_could_be_among_the_largest_no_vector_is_copied() -> None:
    rows, asked = vectors("all equal"), np.ones(WIDE, np.float32)
    looked_at: list[Longs | slice] = []

    def exact(codes: Longs | slice) -> Floats:
        looked_at.append(codes)
        return np.asarray(rows[codes] @ asked)

    assert largest_within(Scan(rows).bounds(asked), exact, 3).tolist() == [0, 1, 2]
    assert looked_at == [slice(None)]


def test_vectors_are_rounded_in_less_memory_than_they_take() -> None:
    rows = np.tile(vectors("all directions"), (20, 1))
    tracemalloc.start()

    Scan(rows)

    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < rows.nbytes


def test_the_largest_whole_numbers_do_not_overflow() -> None:
    """On processors without products of bytes two of them are added up in sixteen bits."""
    rows = np.ones((64, WIDE), np.float32)

    low, high = Scan(rows).bounds(np.ones(WIDE, np.float32))

    assert (low <= WIDE).all()
    assert (high >= WIDE).all()
    assert (high - low).max() < 1


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
def test_a_vector_that_is_no_number_is_left_out(spoilt: float) -> None:
    rows, asked = vectors("all directions"), np.ones(WIDE, np.float32)
    rows[7] = spoilt

    bounds = Scan(rows).bounds(asked)

    assert np.flatnonzero(np.isnan(bounds.low)).tolist() == [7]
    assert 7 not in largest_within(bounds, lambda codes: rows[codes] @ asked, MANY)


def model(rows: Floats, bias: Floats) -> Factors:
    return Factors(
        name="model",
        fold="projected",
        numbers={},
        viewer_ids=np.zeros(0, np.int64),
        item_ids=np.arange(len(rows)),
        viewer_vectors=np.zeros((0, WIDE), np.float32),
        item_vectors=rows,
        item_bias=bias,
        gram=np.zeros((WIDE, 0), np.float32),
    )


def watched(*items: int) -> History:
    said, ids = np.full(len(items), CODES["watch"]), np.array(items, np.int64)
    return History(history(items=ids, at=np.arange(len(items)), said=said, watched=np.ones(len(items), np.float32)))


def test_a_scan_finds_the_same_offers_as_all_scores() -> None:
    rows, shown = vectors("few directions"), np.arange(MANY - 5)
    catalogue = Catalogue.plain(shown, creators=shown + 9_000, published=shown, is_free=shown % 7 > 0)
    of = model(rows, np.random.default_rng(2).normal(size=MANY).astype(np.float32))
    asked: dict[str, Any] = {"hidden": set(range(100, 900)), "granted": np.array([14, 21, MANY - 1]), "k": 200}

    plain = Index.of(of, catalogue).best(watched(3, 8, 50), **asked)

    assert Index.of(of, catalogue, Scan(rows)).best(watched(3, 8, 50), **asked) == plain


def test_a_scan_of_nothing_but_nan_is_no_answer() -> None:
    rows, shown = np.full((MANY, WIDE), np.nan, np.float32), np.arange(MANY)
    rows[3] = 1
    catalogue = Catalogue.plain(shown, creators=shown, published=shown, is_free=shown != 3)

    with pytest.raises(NoScoresError):
        Index.of(model(rows, np.zeros(MANY, np.float32)), catalogue, Scan(rows)).best(
            watched(3), hidden=(), granted=np.zeros(0, np.int64), k=10
        )


def test_the_nearest_by_a_scan_are_the_nearest() -> None:
    rows = vectors("of very different lengths")
    of = model(rows, np.zeros(MANY, np.float32))

    assert Space(of, Scan(rows)).near((5, 77)).tolist() == Space(of).near((5, 77)).tolist()
