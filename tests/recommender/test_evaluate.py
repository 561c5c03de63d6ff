import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recommender.ml.models import MODELS
from tests.recommender.ml import make


def test_evaluate_prints_a_line_per_model(tmp_path: Path) -> None:
    folder = make.folder(tmp_path, viewer=[1, 1, 2, 2], item=[1, 2, 2, 3], at=[1, 2, 3, 4], kind=["watch"] * 4)
    said = StringIO()

    call_command("evaluate", data=folder, model="all", json=True, stdout=said)

    rows = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [row["model"] for row in rows] == list(MODELS)
    assert all(row["protocol"] == "leave-one-out" and row["peak_mb"] > 0 for row in rows)
    assert sum(rows[-1]["weights"].values()) == pytest.approx(1)


def test_evaluate_says_whether_collaborative_filtering_applies(tmp_path: Path) -> None:
    folder = make.folder(tmp_path, viewer=[1, 1, 2, 2], item=[1, 2, 2, 3], at=[1, 2, 3, 4], kind=["watch"] * 4)
    said = StringIO()

    call_command("evaluate", data=folder, affinity=True, json=True, stdout=said)

    row = json.loads(said.getvalue())
    assert row["applies"] is False
    assert {"items_together", "items_at_random", "items_p", "viewers_p"} < set(row)


def test_evaluate_judges_two_models_side_by_side(tmp_path: Path) -> None:
    folder = make.folder(tmp_path, viewer=[1, 1, 2, 2], item=[1, 2, 2, 3], at=[1, 2, 3, 4], kind=["watch"] * 4)
    said = StringIO()

    call_command("evaluate", data=folder, compare=["svd", "popularity"], json=True, stdout=said)

    rival, judged, told = (json.loads(line) for line in said.getvalue().splitlines())
    assert (rival["model"], judged["model"]) == ("popularity", "svd")
    assert (told["model"], told["beside"]) == ("svd", "popularity")
    assert set(told["differences"]["ndcg@10"]) == {"mean", "low", "high", "p"}


def test_evaluate_folds_and_says_it_so_that_people_can_read_it(tmp_path: Path) -> None:
    viewers = [viewer for viewer in range(6) for _ in range(5)]
    folder = make.folder(tmp_path, viewer=viewers, item=[*range(5)] * 6, at=[*range(30)], kind=["watch"] * 30)
    said = StringIO()

    call_command("evaluate", "--split", "k-fold", "--folds", "2", data=folder, model="popularity", stdout=said)

    figures, intervals, spread = said.getvalue().splitlines()
    assert figures.startswith("model popularity  protocol k-fold  hr@10 ")
    assert "folds 2  by interaction" in figures
    assert (intervals[:12], spread[:9]) == ("  intervals:", "  spread:")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"data": Path("nowhere")}, "folder_missing"),
        ({"data": Path("nowhere"), "affinity": True}, "folder_missing"),
        ({"model": "oracle"}, "model_unknown"),
        ({"model": "popularity", "set": ["wisdom=1"]}, "setting_unknown"),
        ({"set": ["factors"]}, "setting_malformed"),
        ({"k": 0}, "k_too_small"),
        ({"protocol": "k-fold", "folds": 1, "model": "svd"}, "folds_too_few"),
        ({"protocol": "k-fold", "by": "viewer", "model": "svd"}, "folds_too_many"),
        ({"compare": ["svd", "oracle"]}, "model_unknown"),
    ],
)
def test_evaluate_says_by_code_what_is_wrong(tmp_path: Path, asked: dict[str, object], code: str) -> None:
    with pytest.raises(CommandError, match=f"^{code}: "):
        call_command("evaluate", **{"data": make.folder(tmp_path), **asked})
