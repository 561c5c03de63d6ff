"""The gate: chosen on one half of the viewers, judged on the other."""

from collections.abc import Sequence

import numpy as np
import pytest

from recommender.ml.evaluation import Judgement
from recommender.training.judging import BY, verdict

VIEWERS = 400
RNG = np.random.default_rng(0)
LUCK = RNG.normal(0, 0.1, (50, VIEWERS))


def judged(scores: np.ndarray | float) -> Judgement:
    found = np.clip(np.broadcast_to(scores, VIEWERS), 0, 1)
    return Judgement(viewers=np.arange(VIEWERS, dtype=np.int32), scores={BY: found}, exposure=np.ones(1, np.int64))


def reason(ours: np.ndarray | float, *, popular: float, standing: np.ndarray | float | None = None) -> str:
    models = {"als": judged(ours), "popularity": judged(popular)}
    models |= {} if standing is None else {"incumbent": judged(standing)}
    return verdict(models, candidates=["als"], usual=["popularity"]).reason


@pytest.mark.parametrize(
    ("ours", "popular", "standing", "expected"),
    [
        (0.5 + LUCK[0], 0.3, None, "beats_popularity"),
        (0.3 + LUCK[0], 0.3, None, "does_not_beat_popularity"),
        (0.5 + LUCK[0], 0.3, 0.2 + LUCK[1], "beats_popularity_and_incumbent"),
        (0.5 + LUCK[0], 0.3, 0.5 + LUCK[1], "no_worse_than_incumbent"),
        (0.5 + LUCK[0], 0.3, 0.7 + LUCK[1], "worse_than_incumbent"),
        (0.3 + LUCK[0], 0.3, 0.1, "does_not_beat_popularity"),
    ],
)
def test_the_gate(ours: np.ndarray, popular: float, standing: np.ndarray | float | None, expected: str) -> None:
    assert reason(ours, popular=popular, standing=standing) == expected


def test_the_luckiest_of_many_is_not_taken_for_the_best() -> None:
    lucky = {f"als-{number}": judged(0.5 + luck) for number, luck in enumerate(LUCK)}

    found = verdict({**lucky, "popularity": judged(0.5)}, candidates=list(lucky), usual=["popularity"])

    on_the_half_it_was_chosen_on = max(of.scores[BY].mean() for of in lucky.values()) - 0.5
    assert found.reason == "does_not_beat_popularity"
    assert found.metrics["lead"]["popularity"][0] < on_the_half_it_was_chosen_on


@pytest.mark.parametrize("viewers", [0, 3, 39])
def test_too_few_viewers_are_no_judges(viewers: int) -> None:
    def few(scores: float) -> Judgement:
        codes: Sequence[int] = range(viewers)
        return Judgement(np.array(codes, np.int32), {BY: np.full(viewers, scores)}, np.zeros(1, np.int64))

    found = verdict({"als": few(1.0), "popularity": few(0.0)}, candidates=["als"], usual=["popularity"])

    assert (found.passed, found.reason, found.best) == (False, "too_few_viewers", "als")


def test_each_half_judges_what_the_other_has_chosen() -> None:
    half = np.random.default_rng(0).permutation(VIEWERS) < VIEWERS // 2
    here, there = judged(np.where(half, 0.9, 0.2)), judged(np.where(half, 0.2, 0.8))

    found = verdict(
        {"here": here, "there": there, "popularity": judged(0.1)}, candidates=["here", "there"], usual=["popularity"]
    )

    assert found.best == "here"
    assert found.metrics["lead"]["popularity"][0] == pytest.approx(0.1), (
        "What one half loves, the other has not chosen."
    )
