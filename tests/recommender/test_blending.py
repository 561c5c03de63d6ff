"""How much each model counts on a page, learned from what was held back."""

from dataclasses import dataclass

import numpy as np
import pytest

from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import Interactions, gather
from recommender.ml.rank_fusion import K
from recommender.ml.splits import Split
from recommender.training.blending import among, fused, learned

VIEWERS, ITEMS, WANTED = 120, 4_000, 4


@dataclass(frozen=True)
class Told:
    """A model that was told its scores."""

    name: str
    item_ids: Longs
    table: Floats  # (U, V)

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        assert data.shape[1] == ITEMS
        return self.table[viewers]

    def save(self, folder: object) -> None:
        raise NotImplementedError(folder)


@pytest.fixture(scope="module")
def split() -> Split:
    """Let everybody meet item 0 and then want four of the others."""
    rng = np.random.default_rng(0)
    viewers = np.repeat(np.arange(VIEWERS), 1 + WANTED)
    items = np.concatenate([[0, *1 + rng.permutation(ITEMS - 1)[:WANTED]] for _ in range(VIEWERS)])
    at = np.tile(np.arange(1 + WANTED), VIEWERS)
    ones = np.ones(len(items), np.float32)
    data = gather(viewers=viewers, items=items, at=at, weight=ones, positive=ones > 0, known_items=np.arange(ITEMS))
    return Split(train=data.where(data.at == 0), test=data.where(data.at > 0))


def knowing(split: Split, name: str, *, every: int, place: int, noise: float, seed: int) -> Told:
    """Return a model that knows every so many-th wanted item, amid noise."""
    rng = np.random.default_rng(seed)
    table = noise * rng.random((VIEWERS, ITEMS))
    known = np.arange(len(split.test)) % every == place
    table[split.test.viewer[known], split.test.item[known]] += 1
    return Told(name, np.arange(ITEMS), table.astype(np.float32))


def test_the_places_of_two_lists_are_added() -> None:
    lists = np.array([[[4, 2, -1]], [[2, 7, 9]]], np.int32)  # two models, one viewer

    ranked = fused(lists, np.array([[-1, 2, 4, 7]]))

    first = [0, 1 / (K + 2), 1 / (K + 1), 0]
    second = [0, 1 / (K + 1), 0, 1 / (K + 2)]
    np.testing.assert_allclose(ranked[:, 0], [first, second], rtol=1e-6)


def test_models_that_know_different_things_are_better_together(split: Split) -> None:
    one = knowing(split, "als", every=2, place=0, noise=0.9, seed=1)
    other = knowing(split, "transformer", every=2, place=1, noise=0.9, seed=2)

    blend = learned({"als": one, "transformer": other}, split)

    assert blend.ndcg > max(blend.alone.values()) + 0.02
    assert blend.lead.low > 0
    assert min(blend.weights.values()) > 0.3
    assert max(blend.weights.values()) == 1
    assert set(blend.told()) == {"weights", "alone", "ndcg@20", "lead"}


def test_a_model_that_knows_nothing_counts_hardly_and_costs_nothing(split: Split) -> None:
    good = knowing(split, "als", every=1, place=0, noise=1.5, seed=1)
    useless = knowing(split, "transformer", every=10**6, place=1, noise=1.0, seed=2)

    blend = learned({"als": good, "transformer": useless}, split)

    assert blend.ndcg >= max(blend.alone.values()) - 0.01
    assert blend.weights["als"] == 1
    assert blend.weights["transformer"] <= 0.2


def test_three_models_can_be_blended(split: Split) -> None:
    models = {f"m{n}": knowing(split, f"m{n}", every=3, place=n, noise=0.9, seed=n) for n in range(3)}

    blend = learned(models, split)

    assert blend.ndcg > max(blend.alone.values())
    assert sum(weight > 0 for weight in blend.weights.values()) >= 2


def test_where_the_only_model_that_counts_cannot_be_fitted_anew_the_best_one_does() -> None:
    weights = {"als": 0.0, "gru": 1.0, "ease": 0.4}

    assert among(weights, {"als", "gru", "ease"}, best="als") == weights
    assert among(weights, {"als", "ease"}, best="als") == {"als": 0.0, "ease": 0.4}
    assert among(weights, {"als"}, best="als") == {"als": 1.0}
