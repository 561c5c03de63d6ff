"""Two towers: what must hold beside what holds for every model."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from recommender.ml import models, saved, two_tower
from recommender.ml.attributes import Attributes
from recommender.ml.interactions import Interactions
from recommender.ml.judgement import judge
from recommender.ml.model import Model
from recommender.ml.ranking import recommend
from recommender.ml.sequence.histories import latest
from recommender.ml.splits import Split, leave_one_out
from recommender.ml.towers import Towers
from recommender.ml.two_tower import Batch, Config, TwoTower
from recommender.serving.bundle import COLD
from recommender.training.beside import beside
from tests.recommender.ml import make
from tests.recommender.ml.test_cold import COOKING, PIANO, told

SMALL = Config(width=16, hidden=16, epochs=60, rate=0.02)
ALL = np.arange(40, dtype=np.int32)


def shuffled() -> tuple[Interactions, dict[int, int]]:
    """Return the world of two tastes where nobody watches in any order."""
    world, left = make.two_tastes()
    order = np.random.default_rng(0).permutation(len(world))
    return make.interactions(*[(int(world.viewer[at]), int(world.item[at]), 1.0) for at in order]), left


def network(world: Interactions, config: Config = SMALL) -> TwoTower:
    torch.manual_seed(0)
    features, _ = two_tower._features(world)
    return TwoTower(config, features=features, events=torch.full((world.shape[1],), 5.0))


def batch_of(world: Interactions) -> Batch:
    return next(two_tower._batches(world, replace(SMALL, batch=64), np.random.default_rng(0), "cpu"))


def test_the_withheld_item_comes_first() -> None:
    world, left = shuffled()

    pages = recommend(two_tower.fit(world, config=SMALL), data=world, viewers=ALL, k=1)

    assert np.mean(pages[:, 0] == list(left.values())) > 0.9


def test_it_beats_what_is_popular_on_data_that_were_planted_for_it() -> None:
    """Who likes item 2n likes 2n + 1 next, and everyone likes item 40."""
    rng = np.random.default_rng(0)
    rows = [(u, int(i), 1.0) for u in range(200) for n in rng.permutation(20)[:4] for i in (2 * n, 2 * n + 1)]
    split = leave_one_out(make.interactions(*[(u, 40, 1.0) for u in range(200)], *rows))

    ours = two_tower.fit(split.train, config=replace(SMALL, epochs=80))

    assert hits(ours, split) > 0.7
    assert hits(models.fit("popularity", split.train), split) < 0.2


def hits(model: Model, split: Split) -> float:
    return float(judge(model, split, k=3).scores["hr@3"].mean())


def test_one_batch_is_learned_by_heart() -> None:
    world, _ = shuffled()
    model, batch = network(world, replace(SMALL, dropped=0.0, dropout=0.0)), batch_of(world)
    descent = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []

    for _ in range(300):
        descent.zero_grad()
        loss = model.loss(batch, None)
        loss.backward()
        descent.step()
        losses.append(loss.item())

    assert losses[-1] < 0.2 * losses[0]


def test_the_gradient_reaches_both_towers() -> None:
    world = told()
    model = network(world)

    model.loss(batch_of(world), None).backward()

    for name, weights in model.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.abs().sum() > 0, name


def test_numpy_says_what_torch_says() -> None:
    world = told()
    model = network(world).eval()
    with torch.no_grad():
        model.places.copy_(torch.randn(model.places.shape))
    _, used = two_tower._features(world)
    served = two_tower._served(world, model, used)
    some = world.where((world.viewer % 3 != 0) | (world.item > 12))
    histories = latest(some, ALL, length=SMALL.length)
    places = np.maximum(histories.lengths[:, None] - 1 - np.arange(histories.items.shape[1]), 0)
    backwards = torch.from_numpy(np.take_along_axis(histories.items, places, 1)).long()
    there = torch.from_numpy(np.arange(places.shape[1]) < histories.lengths[:, None])

    with torch.no_grad():
        table = model.items()
        said = model.viewers(table[backwards], there)

    assert served.vectors(some, ALL) == pytest.approx(said.numpy(), abs=1e-5)
    assert served.item_vectors == pytest.approx(table.numpy(), abs=1e-6)


def test_who_has_no_history_is_offered_something_all_the_same() -> None:
    world, _ = shuffled()
    model = two_tower.fit(world, config=replace(SMALL, epochs=2))

    said = model.score(world.where(world.viewer < 0), ALL)

    assert np.isfinite(said).all()
    assert said[0].std() > 0


@cache
def fitted() -> tuple[Interactions, Towers]:
    world, _ = shuffled()
    world = replace(world, attributes=told().attributes)
    return world, two_tower.fit(world, config=SMALL)


def test_an_item_nobody_has_met_comes_first_for_those_whose_taste_it_is(tmp_path: Path) -> None:
    world, model = fitted()
    model.save(tmp_path)
    loaded = saved.load(tmp_path)

    new = loaded.cold.vectors(
        titles=[f"三天{PIANO}", f"家常{COOKING}"], tags=[[], ["food"]], creators=np.array([7, -1])
    )

    first = (loaded.vectors(world, ALL) @ new.T).argmax(1)
    assert np.mean(first == world.viewer_ids % 2) > 0.9


def test_an_item_that_is_known_but_was_never_met_stands_where_its_tower_puts_it() -> None:
    world, _ = shuffled()
    wider = np.append(world.item_ids, [70, 71])
    attributes = told().attributes
    assert attributes is not None
    world = replace(world.in_words_of(wider), attributes=renamed(attributes.of(world.item_ids, wider)))

    model = two_tower.fit(world, config=SMALL)

    first = (model.vectors(world, ALL) @ model.item_vectors[-2:].T).argmax(1)
    assert np.mean(first == world.viewer_ids % 2) > 0.9


def renamed(attributes: Attributes) -> Attributes:
    return replace(attributes, title=(*attributes.title[:-2], PIANO, COOKING))


def test_what_is_retrieved_is_what_brute_force_finds() -> None:
    world, model = fitted()

    pages = recommend(model, data=world, viewers=ALL, k=10)

    scores = model.score(world, ALL)
    scores[world.seen().toarray() > 0] = -np.inf
    assert np.array_equal(pages, np.argsort(-scores, axis=1, kind="stable")[:, :10])


def test_its_own_tower_is_the_cold_start_of_a_version() -> None:
    world, model = fitted()

    assert beside(model, world) == {COLD: model.cold}


def test_items_whose_ids_are_dropped_are_told_by_words_alone() -> None:
    world = told()
    model = network(world, replace(SMALL, dropped=1.0))

    with torch.no_grad():
        dropped, known = model.items(), model.eval().items()
        model.id.zero_()

    assert not torch.allclose(dropped, known, atol=0.1)
    assert torch.allclose(dropped, model.items(), atol=1e-6)
