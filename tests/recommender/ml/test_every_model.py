"""What must hold for every model of the registry, also for one that was registered a minute ago."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from recommender.ml import models, saved
from recommender.ml.arrays import Floats
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.model import Model
from recommender.ml.models import MODELS
from recommender.ml.sequence.encoders import ENCODERS
from tests.recommender.ml import make

Settings = Mapping[str, float]

IMPERSONAL = {"popularity", "recent-popularity"}
# These learn what follows what: see test_markov.py, test_two_tower.py, test_hybrid.py and sequence/test_encoders.py.
BY_ORDER = {"markov", "two-tower", "hybrid", *ENCODERS}
PROGRAMS = {"hybrid", *ENCODERS}  # hold an ONNX program
# A world of twenty items needs smaller models than a real one; a model without a line here gets its own defaults.
SMALL: Mapping[str, Settings] = MappingProxyType(
    {
        "biased-mf": {"factors": 4, "epochs": 60, "reg": 0.001, "rate": 0.05, "batch": 512},
        "implicit-als": {"factors": 4, "reg": 1},
        "recent-als": {"factors": 4, "reg": 1},
        "svd": {"factors": 2},
        "latent-cosine": {"factors": 2},
        "two-tower": {"width": 8, "hidden": 8, "epochs": 40, "rate": 0.01},
        "hybrid": {"width": 16, "layers": 1, "epochs": 30},
        "ncf": {"width": 8, "hidden": 4, "epochs": 100, "batch": 16},
        **{name: {"width": 16, "layers": 1, "epochs": 60, "rate": 0.01} for name in ENCODERS},
    }
)
BRIEF = MappingProxyType({"epochs": 2, "iterations": 2})  # where the result need not be good

every_model = pytest.mark.parametrize("name", MODELS)


def fitted(name: str, train: Interactions, *, settings: Settings = MappingProxyType({}), seed: int = 0) -> Model:
    return models.fit(name, train, settings={**SMALL.get(name, {}), **settings}, seed=seed)


def briefly(name: str, train: Interactions, *, seed: int = 0) -> Model:
    known = asdict(MODELS[name].config)
    return fitted(name, train, settings={key: value for key, value in BRIEF.items() if key in known}, seed=seed)


def scores(model: Model, data: Interactions) -> Floats:
    """Return what the model says of every viewer of `data` as a web process would: from the history alone."""
    return model.score(replace(data), np.arange(data.shape[0], dtype=np.int32))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in IMPERSONAL | BY_ORDER])
def test_the_withheld_item_comes_first(name: str) -> None:
    train, left = make.two_tastes()

    unseen = np.where(train.seen().toarray() > 0, -np.inf, scores(fitted(name, train), train))

    assert np.mean(unseen.argmax(1) == list(left.values())) > 0.9


@every_model
def test_the_future_does_not_change_the_past(name: str) -> None:
    """Newer data know more viewers, items and events; viewer 3 has done nothing since that the model knows."""
    train, _ = make.two_tastes()
    model = briefly(name, train)
    newer = make.interactions(
        *zip(train.viewer.tolist(), train.item.tolist(), [1.0] * len(train), strict=True),
        *[(viewer, item, 1.0) for viewer in (0, 1, 2, 99) for item in (7, 8, 50)],
        (3, 50, 1.0),
    )

    then, now = scores(model, train)[3], scores(model, newer.in_words_of(model.item_ids))[3]

    assert now == pytest.approx(then, rel=1e-4, abs=1e-5)


@every_model
def test_the_seed_decides_and_nothing_else(name: str) -> None:
    train, _ = make.two_tastes()

    first, again = (scores(briefly(name, train, seed=1), train) for _ in range(2))

    assert np.array_equal(first, again)


@every_model
def test_save_and_load_agree(name: str, tmp_path: Path) -> None:
    train, _ = make.two_tastes()
    model = briefly(name, train)

    model.save(tmp_path)
    loaded = saved.load(tmp_path)

    near = 1e-4 if name in PROGRAMS else 1e-6  # a program may add in another order
    assert loaded.name == name
    assert np.array_equal(loaded.item_ids, model.item_ids)
    assert scores(loaded, train) == pytest.approx(scores(model, train), rel=1e-5, abs=near)


@every_model
def test_what_the_scale_of_the_weights_is_does_not_matter_much(name: str) -> None:
    """A tenant may count a watch as 1 or as 10: the order of a viewer's unseen items is nearly the same."""
    train, _ = make.two_tastes()
    tenfold = replace(train, weight=train.weight * 10)

    unseen = [
        np.where(world.seen().toarray() > 0, -np.inf, scores(fitted(name, world), world)) for world in (train, tenfold)
    ]

    assert np.mean(unseen[0].argmax(1) == unseen[1].argmax(1)) > 0.9


ODD_WORLDS: Mapping[str, Interactions] = MappingProxyType(
    {
        "viewers with one event": make.interactions(*[(viewer, viewer % 3, 1) for viewer in range(9)]),
        "items with none": make.interactions((1, 0, 1), (1, 1, 1), (2, 0, 1), known_items=list(range(10))),
        "all equal": make.interactions(*[(viewer, item, 1) for viewer in range(8) for item in range(5)]),
        "three viewers": make.interactions((1, 0, 1), (1, 1, 1), (2, 1, 1), (2, 2, 1), (3, 0, 1), (3, 2, 1)),
        "only refusals": make.interactions((1, 0, -4), (1, 1, -4), (2, 1, -4)),
        "nothing said": make.interactions((1, 0, 0), (1, 1, 0), (2, 1, 0)),
    }
)


@every_model
@pytest.mark.parametrize("world", ODD_WORLDS)
def test_odd_data_give_numbers_all_the_same(name: str, world: str) -> None:
    train = ODD_WORLDS[world]

    said = scores(briefly(name, train), train)

    assert said.shape == train.shape
    assert not np.isnan(said).any()


@every_model
def test_who_has_no_history_gets_numbers_all_the_same(name: str) -> None:
    train, _ = make.two_tastes()
    nobody = train.where(train.viewer < 0)

    said = scores(briefly(name, train), nobody)

    assert said.shape == train.shape
    assert not np.isnan(said).any()


@every_model
def test_one_viewer_with_a_hundred_thousand_events(name: str) -> None:
    rng = np.random.default_rng(0)
    busy = [(0, int(item), 1.0) for item in rng.integers(0, 50, 100_000)]
    train = make.interactions(
        *busy, *[(viewer, (viewer + step) % 50, 1.0) for viewer in range(1, 5) for step in range(5)]
    )

    said = scores(briefly(name, train), train)

    assert np.isfinite(said).all()


@pytest.mark.parametrize("weight", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_at_the_door(weight: float) -> None:
    with pytest.raises(BrokenData) as refused:
        make.interactions((1, 0, 1), (1, 1, weight))

    assert refused.value.code == "weight_not_finite"
