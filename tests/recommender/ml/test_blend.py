"""Models together are no worse than the best of them alone, and one can see how much each counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from recommender.ml import blend, models, saved
from recommender.ml.arrays import Floats, Ints
from recommender.ml.blended import Blended, Weights, measured
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.judgement import judge
from recommender.ml.splits import Split, leave_one_out
from tests.recommender.ml import make

VIEWERS, ITEMS = 300, 60
RNG = np.random.default_rng(0)
TASTE = RNG.normal(size=(VIEWERS, ITEMS)).astype(np.float32)


@dataclass(frozen=True)
class Said:
    """A model that says what it was given."""

    scores: Floats

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        return self.scores[viewers]


def hears(noise: float) -> Said:
    """Return a model that knows everyone's taste but for so much noise."""
    return Said(TASTE + np.float32(noise) * RNG.normal(size=TASTE.shape).astype(np.float32))


def world(*, wants: int = 6) -> tuple[Split, Split]:
    """Return who wants what they like best, in random order: to learn the weights from, and to judge."""
    best = np.argsort(-TASTE, axis=1)[:, :wants]
    best = RNG.permuted(best, axis=1)
    data = make.interactions(*[(u, int(i), 1.0) for u in range(VIEWERS) for i in best[u]], known_items=[*range(ITEMS)])
    return leave_one_out(data, back=1), leave_one_out(data)


def ndcg(model: Said, split: Split) -> float:
    return float(judge(model, split).scores["ndcg@10"].mean())


def together(parts: Mapping[str, Said], weights: Weights) -> Said:
    factors = weights.factors(list(parts))
    return Said(sum(f * measured(of.scores) for f, of in zip(factors, parts.values(), strict=True)))


def test_two_that_err_in_different_ways_are_better_together_on_what_neither_has_seen() -> None:
    parts = {"one": hears(1.0), "other": hears(1.0)}
    validation, test = world()

    learned = blend.learn_weights(parts, validation)

    assert min(learned.weights.share.values()) > 0.2
    assert learned.ndcg >= max(learned.alone.values())
    assert ndcg(together(parts, learned.weights), test) > max(ndcg(of, test) for of in parts.values()) + 0.02


def test_who_only_guesses_counts_little_and_does_no_harm() -> None:
    parts = {"knows": hears(0.5), "guesses": Said(RNG.normal(size=TASTE.shape).astype(np.float32))}
    validation, test = world()

    learned = blend.learn_weights(parts, validation)

    assert learned.weights.share["guesses"] <= 0.15
    assert ndcg(together(parts, learned.weights), test) >= ndcg(parts["knows"], test) - 0.02


def test_what_is_told_of_each_alone_is_what_the_judge_says() -> None:
    parts = {"one": hears(1.0), "other": hears(2.0)}
    validation, _ = world()

    learned = blend.learn_weights(parts, validation)

    assert learned.alone == pytest.approx({name: ndcg(of, validation) for name, of in parts.items()}, abs=1e-9)
    assert learned.ndcg == pytest.approx(ndcg(together(parts, learned.weights), validation), abs=0.005)


def test_the_scale_of_a_models_scores_does_not_matter() -> None:
    one, other = hears(1.0), hears(1.0)
    validation, _ = world()

    usual = blend.learn_weights({"one": one, "other": other}, validation)
    scaled = blend.learn_weights({"one": Said(one.scores * 1_000 + 50), "other": other}, validation)

    assert scaled.weights.share == pytest.approx(usual.weights.share, abs=0.051)


def test_of_one_model_there_is_one_weight() -> None:
    validation, _ = world()

    learned = blend.learn_weights({"only": hears(1.0)}, validation)

    assert learned.weights.share == {"only": 1}


def test_scores_in_a_viewers_own_measure() -> None:
    """1, 2, 3 are −√1.5, 0, √1.5; what is not said counts as the mean; where all is one nothing is said."""
    scores = np.array([[1, 2, 3, -np.inf], [5, 5, 5, 5], [np.nan] * 4], np.float32)

    root = 1.5**0.5

    assert measured(scores) == pytest.approx(np.array([[-root, 0, root, 0], [0] * 4, [0] * 4]), abs=1e-6)


def test_a_blend_of_real_models_is_saved_with_all_its_parts(tmp_path: Path) -> None:
    train, _ = make.two_tastes()
    parts = [models.fit(name, train) for name in ("ease", "item-cosine", "popularity")]
    weights = Weights({"ease": 0.5, "item-cosine": 0.5, "popularity": 0.0}, dict.fromkeys(["ease", "item-cosine"], 2.0))
    ours = Blended.of("hybrid", parts, weights)

    ours.save(tmp_path)
    loaded = saved.load(tmp_path)

    everyone = np.arange(train.shape[0], dtype=np.int32)
    assert [part.name for part in loaded.parts] == ["ease", "item-cosine"]
    assert loaded.weights == weights
    assert loaded.score(replace(train), everyone) == pytest.approx(ours.score(train, everyone), abs=1e-6)


def test_models_of_different_items_are_refused() -> None:
    train, _ = make.two_tastes()
    parts = [models.fit("ease", train), models.fit("popularity", make.two_tastes(items=10)[0])]

    with pytest.raises(BrokenData) as refused:
        Blended.of("hybrid", parts, Weights({"ease": 0.5, "popularity": 0.5}, {"ease": 1.0, "popularity": 1.0}))

    assert refused.value.code == "items_differ"


def test_without_anything_held_back_there_is_nothing_to_learn_from() -> None:
    data = make.interactions((1, 0, 1), (2, 1, 1))

    with pytest.raises(BrokenData) as refused:
        blend.learn_weights({"one": hears(1.0)}, leave_one_out(data))

    assert refused.value.code == "nothing_to_judge"
