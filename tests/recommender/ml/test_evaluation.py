from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from recommender.ml import models, ranking
from recommender.ml.arrays import Floats, Ints
from recommender.ml.attributes import Attributes
from recommender.ml.evaluation import Judgement, Question, compare, evaluate, judge, measure
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.judgement import Wanted
from recommender.ml.metrics import paired_difference
from recommender.ml.model import Model
from recommender.ml.models import MODELS, UnknownModel
from recommender.ml.splits import FOLDED_BY, Split, leave_one_out
from recommender.training.judging import AsServed
from tests.recommender.ml import make


def held_back() -> Split:
    """Return the world of two tastes with the one item that each viewer has not watched as the test."""
    train, left = make.two_tastes()
    rows = zip(train.viewer.tolist(), train.item.tolist(), [1.0] * len(train), strict=True)
    return leave_one_out(make.interactions(*rows, *[(viewer, item, 1.0) for viewer, item in left.items()]))


def test_every_viewer_is_judged_on_what_was_new() -> None:
    split = held_back()

    judged = judge(models.fit("implicit-als", split.train, settings={"factors": 4, "reg": 1}), split, k=1)

    assert len(judged.viewers) == split.train.shape[0]
    assert judged.scores["hr@1"].mean() == 1


def test_viewers_beyond_what_a_short_integer_times_the_items_holds_are_judged() -> None:
    items, viewers = 10_000, np.array([7, 214_748, 999_999], np.int32)
    wanted = Wanted(viewers.astype(np.int64) * items + 5, items, viewers, np.ones(3, np.int64))

    of_two = wanted.among(viewers[1:])

    assert of_two.cells.tolist() == [2_147_480_005, 9_999_990_005]
    assert of_two.counts.tolist() == [1, 1]


def test_what_was_met_before_is_neither_ranked_nor_wanted() -> None:
    train = make.interactions((1, 0, 1), (1, 1, 1), (2, 2, 1))
    again = train.where((train.viewer == 0) & (train.item == 1))

    judged = judge(models.fit("popularity", train), Split(train=train, test=again))

    assert len(judged.viewers) == 0


def test_a_personal_model_surely_beats_popularity_where_tastes_differ() -> None:
    split = held_back()
    ours, theirs = (
        judge(models.fit(name, split.train, settings=settings), split)
        for name, settings in (("implicit-als", {"factors": 4, "reg": 1}), ("popularity", {}))
    )

    lead = paired_difference(ours.scores["ndcg@10"], theirs.scores["ndcg@10"], seed=0)

    assert lead.low > 0


def test_a_model_knows_what_viewers_of_newer_data_want() -> None:
    """The old model never heard of viewer 99 nor of item 50; viewer 99 watches what the even viewers watch."""
    train, _ = make.two_tastes()
    old = models.fit("implicit-als", train, settings={"factors": 4, "reg": 1})
    newer = make.interactions(
        *zip(train.viewer.tolist(), train.item.tolist(), [1.0] * len(train), strict=True),
        *[(99, item, 1.0) for item in (2, 4, 6, 50)],
    )
    newcomer = np.array([newer.shape[0] - 1], np.int32)

    scores = AsServed.of(old, newer).score(newer, newcomer)[0]

    assert newer.item_ids.tolist() == [*range(20), 50]
    assert scores[8] > 0.5 > abs(scores[9])
    assert scores[20] == -np.inf


@dataclass
class Given:
    """A model whose scores are given."""

    scores: Floats

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        return self.scores[viewers]


def four_items() -> Split:
    """Viewers 1, 2 and 3 met items 0, 0 and 1; 1 wants item 1 next, 2 wants 2."""
    train = make.interactions((1, 0, 1), (2, 0, 1), (3, 1, 1), known_items=[0, 1, 2, 3])
    tags = csr_array(np.array([[1, 0], [0, 1], [0, 1], [0, 0]], np.float32))
    zeros = np.zeros(4, np.int64)
    told = Attributes(np.array([-1, -1, -1, 0], np.int32), np.array([7]), tags, ("a", "b"), zeros, zeros, ("",) * 4)
    test = make.interactions((1, 1, 1), (2, 2, 1), (3, 0, -1), known_items=[0, 1, 2, 3])
    return Split(train=replace(train, attributes=told), test=test.where(test.positive))


def test_what_pages_do_beside_being_right_is_told() -> None:
    """Both pages are items 1, 3: met by one viewer of three and by none, of different features."""
    model = Given(np.tile(np.array([0, 4, 1, 2], np.float32), (3, 1)))

    judged = judge(model, four_items(), k=2)

    scores = {name: of.tolist() for name, of in judged.scores.items()}
    assert scores["hr@2"] == [1, 0]
    assert scores["mrr@2"] == [1, 0]
    assert scores["auc"] == [1, 0]
    assert scores["popularity@2"] == [0.5, 0.5]
    assert scores["novelty@2"] == pytest.approx([(np.log2(4 / 2) + np.log2(4 / 1)) / 2] * 2)
    assert scores["ild@2"] == [1, 1]
    assert judged.exposure.tolist() == [0, 2, 0, 2]
    assert (judged.coverage, judged.gini) == (0.5, 0.5)


def test_debiased_ndcg_weighs_viewers_by_how_rare_what_they_wanted_is() -> None:
    """Item 0 was met by 4 viewers, 1 by one: who wanted 1 counts √4 times as much as who wanted 0."""
    train = make.interactions(*[(viewer, 0, 1) for viewer in range(4)], (4, 1, 1), (5, 2, 1), (6, 2, 1))
    test = make.interactions(*[(viewer, 2, -1) for viewer in range(5)], (5, 0, 1), (6, 1, 1))
    model = Given(np.tile(np.array([0, 9, 1], np.float32), (7, 1)))

    judged = judge(model, Split(train=train, test=test.where(test.positive)), k=1)

    assert judged.scores["hr@1"].tolist() == [0, 1]
    assert judged.scores["debiased_ndcg@1"].mean() == pytest.approx(2 / (1 + 2))


def test_blocks_of_viewers_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    split = held_back()
    model = models.fit("popularity", split.train)
    whole = judge(model, split)

    monkeypatch.setattr(ranking, "BATCH_CELLS", 3 * split.train.shape[1])
    in_threes = judge(model, split)

    assert np.array_equal(whole.exposure, in_threes.exposure)
    for name, scores in whole.scores.items():
        assert scores == pytest.approx(in_threes.scores[name]), name


def test_folds_are_judged_together_and_apart(tmp_path: Path) -> None:
    viewers, items = np.divmod(np.arange(60), 10)
    folder = make.folder(tmp_path, viewer=viewers, item=items, at=np.arange(60), kind=["watch"] * 60)
    question = Question(folder=folder, protocol="k-fold", model="popularity", k=2, folds=3)

    by_interaction, by_viewer = (evaluate(replace(question, by=by)) for by in FOLDED_BY)

    for row in (by_interaction, by_viewer):
        assert (row["folds"], row["viewers"]) == (3, 6)
        assert row["spread"].keys() >= {"hr@2", "ndcg@20", "auc", "coverage@2"}
    assert by_interaction["auc"] > 0
    assert by_viewer["auc"] == 0.5


def test_a_viewer_of_several_folds_counts_once_with_the_mean() -> None:
    one = Judgement(np.array([1, 3], np.int32), {"m": np.array([0.0, 1.0])}, np.array([2, 0]))
    other = Judgement(np.array([3, 4], np.int32), {"m": np.array([0.0, 1.0])}, np.array([1, 1]))

    both = Judgement.joined([one, other])

    assert both.viewers.tolist() == [1, 3, 4]
    assert both.scores["m"].tolist() == [0, 0.5, 1]
    assert both.exposure.tolist() == [3, 1]


def test_two_models_are_compared_on_the_same_viewers(tmp_path: Path) -> None:
    viewers, items = np.divmod(np.arange(90), 9)
    folder = make.folder(tmp_path, viewer=viewers, item=items, at=np.arange(90), kind=["watch"] * 90)
    asked = Question(folder=folder, protocol="leave-one-out", model="popularity")
    ours, theirs = (measure(replace(asked, model=name)) for name in ("svd", "popularity"))

    told, same = compare(ours, theirs), compare(ours, ours)

    assert (told["model"], told["beside"]) == ("svd", "popularity")
    assert told["differences"].keys() == ours.judged.scores.keys()
    lead = told["differences"]["ndcg@10"]
    assert lead["low"] <= lead["mean"] <= lead["high"]
    assert same["differences"]["ndcg@10"] == {"mean": 0, "low": 0, "high": 0, "p": 1}


@pytest.mark.parametrize("name", MODELS)
def test_any_model_answers_for_any_folder(name: str, tmp_path: Path) -> None:
    folder = make.folder(
        tmp_path,
        viewer=[1, 1, 1, 2, 2, 2],
        item=[1, 2, 3, 2, 3, 4],
        at=list(range(6)),
        kind=["watch"] * 6,
    )

    row = evaluate(Question(folder=folder, protocol="leave-one-out", model=name, k=2))

    assert row["model"] == name
    assert row["viewers"] == 2
    assert {"hr@2", "ndcg@2", "recall@50", "recall@100", "recall@200", "fit_s", "peak_mb"} < set(row)


def test_a_folder_without_anything_to_foresee_is_refused(tmp_path: Path) -> None:
    folder = make.folder(tmp_path, viewer=[1, 2])

    with pytest.raises(BrokenData) as refused:
        evaluate(Question(folder=folder, protocol="leave-one-out", model="popularity"))

    assert refused.value.code == "nothing_to_judge"


def test_an_unknown_model_or_setting_is_named() -> None:
    train, _ = make.two_tastes()

    with pytest.raises(UnknownModel) as no_model:
        models.fit("oracle", train)
    with pytest.raises(UnknownModel) as no_setting:
        models.fit("popularity", train, settings={"wisdom": 1})

    assert (no_model.value.code, no_setting.value.code) == ("model_unknown", "setting_unknown")


@pytest.mark.skipif(not make.REAL_DATA.exists(), reason="the folder of real data is not here")
def test_on_real_data_a_personal_model_beats_popularity() -> None:
    rows = {
        name: evaluate(Question(folder=make.REAL_DATA / "kuairand-mini", protocol="time-split", model=name))
        for name in ("popularity", "recent-als")
    }

    assert float(rows["recent-als"]["hr@10"]) > float(rows["popularity"]["hr@10"])


@pytest.mark.parametrize("told", [False, True])
def test_models_know_the_moment_of_the_page_only_when_that_is_asked_for(
    *, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.folder(tmp_path, viewer=[1, 1, 2, 2], item=[1, 2, 2, 3], at=[1, 2, 3, 4], kind=["watch"] * 4)
    plain, seen = models.fit, list[Interactions]()

    def fit(name: str, train: Interactions, **rest: Any) -> Model:
        seen.append(train)
        return plain(name, train, **rest)

    monkeypatch.setattr(models, "fit", fit)
    evaluate(Question(folder=tmp_path, protocol="leave-one-out", model="markov", tell_when=told))

    assert (None if seen[0].asked_at is None else seen[0].asked_at.tolist()) == ([2, 4] if told else None)


def test_what_was_learned_before_is_judged_without_learning_it_again(tmp_path: Path) -> None:
    viewers = [viewer for viewer in range(6) for _ in range(5)]
    make.folder(tmp_path, viewer=viewers, item=[*range(5)] * 6, at=[*range(30)], kind=["watch"] * 30)
    asked = Question(
        folder=tmp_path,
        protocol="leave-one-out",
        model="gru",
        settings={"epochs": 3, "width": 8},
        checkpoints=tmp_path / "kept",
    )
    steps: list[int] = []

    first = evaluate(asked, fitting=lambda done, _: steps.append(done))
    again = evaluate(asked, fitting=lambda done, _: steps.append(done))

    assert len(steps) == 3
    assert again["ndcg@10"] == first["ndcg@10"]
