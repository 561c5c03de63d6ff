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


def test_evaluate_says_whether_collaborative_filtering_applies(tmp_path: Path) -> None:
    folder = make.folder(tmp_path, viewer=[1, 1, 2, 2], item=[1, 2, 2, 3], at=[1, 2, 3, 4], kind=["watch"] * 4)
    said = StringIO()

    call_command("evaluate", data=folder, affinity=True, json=True, stdout=said)

    row = json.loads(said.getvalue())
    assert row["applies"] is False
    assert {"items_together", "items_at_random", "items_p", "viewers_p"} < set(row)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"data": Path("nowhere")}, "folder_missing"),
        ({"data": Path("nowhere"), "affinity": True}, "folder_missing"),
        ({"model": "oracle"}, "model_unknown"),
        ({"model": "popularity", "set": ["wisdom=1"]}, "setting_unknown"),
        ({"set": ["factors"]}, "setting_malformed"),
        ({"k": 0}, "k_too_small"),
    ],
)
def test_evaluate_says_by_code_what_is_wrong(tmp_path: Path, asked: dict[str, object], code: str) -> None:
    with pytest.raises(CommandError, match=f"^{code}: "):
        call_command("evaluate", **{"data": make.folder(tmp_path), **asked})
