"""What nobody has met is placed by what is told of it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender.ml import cold, content, implicit_als, saved
from recommender.ml.arrays import Longs
from recommender.ml.attributes import gather_attributes
from recommender.ml.cold import Cold
from recommender.ml.factors import Factors
from recommender.ml.interactions import BrokenData, Interactions
from tests.recommender.ml import make

PIANO, COOKING = "弹钢琴", "红烧肉"
NOBODY = np.array([-1])


def told(*, titles: bool = True, tags: bool = True, creators: bool = True) -> Interactions:
    """Return the world of two tastes, where titles, tags and creators tell even items from odd ones."""
    world, _ = make.two_tastes()
    even = world.item_ids % 2 == 0
    attributes = gather_attributes(
        item=world.item_ids,
        creator=np.where(creators, np.where(even, 7, 9), -1),
        tags=[["music" if is_even else "food"] if tags else [] for is_even in even],
        duration_ms=world.item_ids * 0,
        published_at=world.item_ids * 0,
        title=[f"第{at}课：{PIANO if is_even else COOKING}" if titles else "" for at, is_even in enumerate(even)],
        item_ids=world.item_ids,
    )
    return replace(world, attributes=attributes)


def fitted(world: Interactions) -> Factors:
    return implicit_als.fit(world, config=implicit_als.Config(factors=4, reg=1))


def placed(world: Interactions, **of_new: Any) -> Longs:
    """Return for every viewer which of two new items, told of by columns, comes first."""
    model = fitted(world)
    learned = cold.learn(model, world)
    nothing: dict[str, Any] = {"titles": ["", ""], "tags": [[], []], "creators": np.array([-1, -1])}
    new = learned.vectors(**{**nothing, **of_new})
    viewers = model.vectors(world, np.arange(world.shape[0], dtype=np.int32))
    return np.asarray((viewers @ new.T).argmax(1))


@pytest.mark.parametrize(
    "of_new",
    [
        {"titles": [f"三天{PIANO}", f"家常{COOKING}"]},
        {"tags": [["music"], ["food"]]},
        {"creators": np.array([7, 9])},
        {"titles": [f"三天{PIANO}", ""], "creators": np.array([-1, 9])},
    ],
    ids=["title", "tags", "creator", "one of each"],
)
def test_an_item_nobody_has_met_comes_first_for_those_whose_taste_it_is(of_new: dict[str, Any]) -> None:
    world = told()

    first = placed(world, **of_new)

    assert first.tolist() == (world.viewer_ids % 2).tolist()


@pytest.mark.parametrize("left_out", ["titles", "tags", "creators"])
def test_what_was_never_told_is_not_missed(left_out: str) -> None:
    world = told(**{left_out: False})
    of_new: dict[str, Any] = {"titles": [PIANO, COOKING], "tags": [["music"], ["food"]], "creators": np.array([7, 9])}

    first = placed(world, **of_new)

    assert first.tolist() == (world.viewer_ids % 2).tolist()


def test_of_whom_nothing_is_told_stands_where_the_average_item_does() -> None:
    world = told()
    model = fitted(world)

    nothing, jazz = cold.learn(model, world).vectors(
        titles=["", "zzz"], tags=[[], ["unheard of"]], creators=np.array([-1, 555])
    )

    assert nothing == pytest.approx(jazz, abs=0.02)
    assert np.linalg.norm(nothing - model.item_vectors.mean(0)) < np.linalg.norm(model.item_vectors[0])


def test_the_ridge_regression_is_that_of_the_normal_equations() -> None:
    rng = np.random.default_rng(0)
    world = told()
    assert world.attributes is not None
    X = content.features_of(world.attributes)[:, :]  # (V, E)
    Y, weights = rng.normal(size=(20, 3)).astype(np.float32), rng.random(20)

    W = cold._ridge(X, Y, weights, 2.0)

    dense = X.toarray()
    used = np.flatnonzero(dense.any(0))
    left = (dense[:, used].T * weights) @ dense[:, used] + 2.0 * np.eye(len(used))
    assert W[used] == pytest.approx(np.linalg.solve(left, (dense[:, used].T * weights) @ Y), abs=1e-4)
    assert not W[np.setdiff1d(np.arange(len(W)), used)].any()


def test_a_learnedwith_a_hidden_layer_is_two_products_and_a_kink(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tower = Cold(
        "two-tower",
        hidden=rng.normal(size=(content.WIDTH, 4)).astype(np.float32),
        out=rng.normal(size=(4, 2)).astype(np.float32),
        directions=True,
    )
    features = content.features(titles=["a b"], tags=[["c"]], creators=NOBODY)

    inner = np.maximum(features.toarray() @ tower.hidden, 0) @ tower.out

    assert tower.of(features) == pytest.approx(inner / np.linalg.norm(inner), abs=1e-5)


def test_save_and_load_agree(tmp_path: Path) -> None:
    world = told()
    learned = cold.learn(fitted(world), world)

    learned.save(tmp_path)
    loaded = saved.load(tmp_path)

    new: dict[str, Any] = {"titles": [PIANO], "tags": [["music"]], "creators": np.array([7])}
    assert (loaded.name, loaded.directions) == ("implicit-als", False)
    assert np.array_equal(loaded.vectors(**new), learned.vectors(**new))


def test_a_world_that_tells_nothing_of_items_is_refused_by_code() -> None:
    world, _ = make.two_tastes()

    with pytest.raises(BrokenData) as refused:
        cold.learn(fitted(world), world)

    assert refused.value.code == "no_attributes"


def test_an_item_is_placed_without_torch() -> None:
    asked = "import sys, recommender.ml.saved, recommender.ml.cold; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_features_are_blocks_of_length_one_that_are_the_same_everywhere() -> None:
    both = content.features(titles=["a b", ""], tags=[["c", "d", "c"], []], creators=np.array([3, -1]))
    alone = content.features(titles=[""], tags=[["d", "c"]], creators=NOBODY)

    assert both.toarray()[:, content.CONSTANT].tolist() == [1, 1]
    assert np.square(both.toarray()).sum(1) == pytest.approx([4, 1], abs=1e-5)
    assert np.square(alone.toarray() - both[[0]].toarray()).sum() == pytest.approx(2, abs=1e-5)


def test_no_item_at_all_is_no_row() -> None:
    assert content.features(titles=[], tags=[], creators=np.zeros(0, np.int64)).shape == (0, content.WIDTH)
