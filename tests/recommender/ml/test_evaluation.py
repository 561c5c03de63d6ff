from pathlib import Path

import numpy as np
import pytest

from recommender.ml import models
from recommender.ml.evaluation import Question, evaluate, judge
from recommender.ml.interactions import BrokenData
from recommender.ml.metrics import paired_difference
from recommender.ml.models import MODELS, UnknownModel
from recommender.ml.splits import Split, leave_one_out
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
