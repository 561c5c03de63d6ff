"""Both kinds of ranker: what is planted is learned, what is saved is what was fitted, odd data are refused by code."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import onnxruntime
import pytest

from recommender.ml import saved
from recommender.ml.arrays import Floats
from recommender.ml.model import FACTS
from recommender.ml.ranker import attending, boosted, choosing, circumstances
from recommender.ml.ranker.choosing import Config, figures, foretold
from recommender.ml.ranker.examples import Examples, TooLittle, World
from recommender.ml.ranker.features import silenced
from recommender.ml.ranker.ranker import Ranker
from recommender.ml.ranker.targets import HEADS
from recommender.ml.ranker.trees import program, trees
from recommender.ml.signals import Events
from tests.recommender.ml.make import NOON
from tests.recommender.ml.ranker import planted

QUICK = Config(trees=boosted.Config(rounds=dict.fromkeys(HEADS, 40)), network=attending.Config(steps=400))


@pytest.fixture(scope="module")
def world() -> World:
    return planted.world()


@pytest.fixture(scope="module")
def fitted(world: World) -> dict[str, Ranker]:
    told = planted.examples(world)
    return {
        name: choosing.fit(name, world, told, at=planted.last_moment(world), config=QUICK).ranker
        for name in choosing.NAMES
    }


@pytest.mark.parametrize("name", choosing.NAMES)
def test_what_is_planted_is_learned(name: str, world: World) -> None:
    told = planted.examples(world)
    later = choosing.latest(told)

    ranker = choosing.fit(
        name, world, told.where(~later), told.where(later), at=planted.last_moment(world), config=QUICK
    ).ranker
    judged = figures(told.where(later), foretold(ranker, world, told.where(later)))

    assert judged["gauc"] > 0.95
    assert judged["xauc"] > 0.7
    assert judged["mae_s"] < 12  # the median alone misses by about 28


@pytest.mark.parametrize("name", choosing.NAMES)
def test_what_the_viewer_loves_comes_first(name: str, fitted: dict[str, Ranker]) -> None:
    told = planted.events()
    mine = np.flatnonzero(told.viewer == 1)  # who loves odd items
    history = _some(told, mine)

    page = fitted[name].rank(history, planted.ITEMS, at=int(told.at.max()) + 1)

    long_view, like = page[:, HEADS.index("long_view")], page[:, HEADS.index("like")]
    assert set(planted.ITEMS[np.argsort(-long_view)][:15] % 2) == {1}
    assert like[1::2].mean() > like[::2].mean()
    assert np.all(np.diff(page[:, [HEADS.index(head) for head in ("seconds_25", "seconds", "seconds_75")]]) >= 0)


@pytest.mark.parametrize("name", choosing.NAMES)
def test_what_is_saved_is_what_was_fitted(name: str, fitted: dict[str, Ranker], tmp_path: Path) -> None:
    fitted[name].save(tmp_path)
    told = _some(planted.events(), np.arange(20))

    loaded = saved.load(tmp_path)

    before, after = (of.rank(told, planted.ITEMS, at=NOON) for of in (fitted[name], loaded))
    assert np.array_equal(before, after)


@pytest.mark.parametrize("name", choosing.NAMES)
def test_a_newcomer_and_a_new_item_are_judged_by_what_is_usual(name: str, fitted: dict[str, Ranker]) -> None:
    nothing = _some(planted.events(), np.zeros(0, np.int64))

    page = fitted[name].rank(nothing, np.array([100, 7_000_000]), at=NOON)

    assert page.shape == (2, len(HEADS))
    assert np.isfinite(page).all()


def test_a_program_says_what_the_trees_say(world: World) -> None:
    told = planted.examples(world)
    grown = lightgbm.train(
        {"objective": "regression", "verbosity": -1, "num_threads": 1, "use_missing": False},
        lightgbm.Dataset(told.features, told.labels["seconds"]),
        num_boost_round=50,
    )
    base = dict.fromkeys(HEADS, 0.0) | {"like": -2.5}

    written = program({"seconds": trees(grown.dump_model())}, base=base, heads=HEADS, width=told.features.shape[1])

    raw = _read(written)(told.features)
    assert np.allclose(raw[:, HEADS.index("seconds")], np.asarray(grown.predict(told.features)), atol=1e-3)
    assert np.all(raw[:, HEADS.index("like")] == -2.5)


def test_another_version_of_heads_is_not_read(fitted: dict[str, Ranker], tmp_path: Path) -> None:
    fitted["boosted"].save(tmp_path)
    facts = json.loads((tmp_path / FACTS).read_text())
    (tmp_path / FACTS).write_text(json.dumps(facts | {"heads": ["joy"]}))

    with pytest.raises(ValueError, match="joy"):
        saved.load(tmp_path)


def _with_nan(told: Examples) -> Examples:
    features = told.features.copy()
    features[3, 4] = np.nan
    return Examples(told.asked, features, told.labels, told.answers)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda told: told.where(np.arange(100)), "too_few_views"),
        (lambda told: told.where(np.zeros(len(told), np.bool_)), "too_few_views"),
        (lambda told: told.where(told.labels["long_view"] == 1), "views_all_alike"),
        (_with_nan, "features_not_finite"),
    ],
)
@pytest.mark.parametrize("name", choosing.NAMES)
def test_what_nothing_can_be_learned_from_is_refused(
    name: str, spoil: Callable[[Examples], Examples], code: str, world: World
) -> None:
    with pytest.raises(TooLittle) as refused:
        choosing.fit(name, world, spoil(planted.examples(world)), at=NOON)
    assert refused.value.code == code


@pytest.mark.parametrize("name", choosing.NAMES)
def test_one_viewer_is_enough(name: str) -> None:
    alone = planted.world(viewers=1, views=600)

    fitted = choosing.fit(name, alone, planted.examples(alone), at=planted.last_moment(alone), config=QUICK).ranker

    judged = figures(planted.examples(alone), foretold(fitted, alone, planted.examples(alone)))
    assert judged["auc"] > 0.95


def test_the_better_one_is_chosen() -> None:
    worse, better = {"auc": 0.9, "gauc": 0.6, "xauc": 0.6}, {"auc": 0.5, "gauc": 0.7, "xauc": 0.6}

    assert choosing.choose({"boosted": worse, "attention": better}) == "attention"
    assert choosing.choose({"boosted": worse | {"gauc": float("nan")}, "attention": better}) == "boosted"


def _some(told: Events, rows: np.ndarray) -> Events:
    return Events(
        viewer=told.viewer[rows],
        item=told.item[rows],
        at=told.at[rows],
        kind=told.kind[rows],
        watched=told.watched[rows],
        long_view=told.long_view[rows],
        watch_ms=told.watch_ms[rows],
        flags={name: of[rows] for name, of in told.flags.items()},
    )


def _read(written: bytes) -> Callable[[Floats], Floats]:
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    return lambda features: np.asarray(session.run(None, {"features": features})[0])


def test_what_is_watched_long_on_a_device_comes_first_on_it() -> None:
    world = planted.world_of_devices()
    told = planted.examples(world)
    ranker = choosing.fit("boosted", world, told, at=planted.last_moment(world), config=QUICK).ranker
    nobody = planted.nothing()

    for device, loved in ((planted.PHONE, 0), (planted.TV, 1)):
        long = ranker.rank(nobody, planted.ITEMS, at=NOON, circumstance=device)[:, HEADS.index("long_view")]
        best = planted.ITEMS[np.argsort(-long, kind="stable")[: len(planted.ITEMS) // 2]]
        assert set(best % 2) == {loved}


def test_without_the_group_of_circumstances_the_device_changes_nothing() -> None:
    world = planted.world_of_devices()
    told = planted.examples(world)
    blind = replace(told, features=silenced(told.features, ["context"]))
    ranker = choosing.fit("boosted", world, blind, at=planted.last_moment(world), config=QUICK).ranker

    on_phone, on_tv = (
        ranker.rank(planted.nothing(), planted.ITEMS, at=NOON, circumstance=on) for on in (planted.PHONE, planted.TV)
    )

    assert np.array_equal(on_phone, on_tv)


def test_a_ranker_from_before_there_were_circumstances_still_ranks(world: World) -> None:
    told = planted.examples(world)
    fewer = replace(told, features=told.features[:, : -len(circumstances.NAMES)])

    ranker = choosing.fit("boosted", world, fewer, at=planted.last_moment(world), config=QUICK).ranker

    said = ranker.rank(planted.events(viewers=1), planted.ITEMS, at=NOON, circumstance=planted.TV)
    assert np.isfinite(said).all()
