import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.recommender.ml import make
from tests.recommender.ml.ranker import planted


def world(path: Path) -> Path:
    """Write the planted world down."""
    told = planted.events()
    return make.folder(
        path,
        viewer=told.viewer,
        item=told.item,
        at=told.at,
        kind=["watch"] * len(told.item),
        watch_ms=told.watch_ms,
        duration_ms=np.full(len(told.item), planted.DURATION_MS, np.int32),
    )


def test_both_kinds_are_judged_on_what_came_later(tmp_path: Path) -> None:
    said = StringIO()

    call_command("evaluate_ranker", world(tmp_path), json=True, stdout=said)

    rows = [json.loads(line) for line in said.getvalue().splitlines()]
    assert {row["model"] for row in rows} == {"boosted", "attention"}
    assert [row["chosen"] for row in rows] == [1, 0]
    assert all(row["mae_s"] > 0 and row["questions"] == 360 for row in rows)
    assert rows[0]["gauc"] > 0.8  # by the item alone nobody could tell


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"split_at": 1}, "too_few_views"),
        ({"split_at": 10**15}, "nothing_to_judge"),
    ],
)
def test_a_refusal_says_by_code_what_is_wrong(tmp_path: Path, asked: dict[str, int], code: str) -> None:
    with pytest.raises(CommandError, match=f"^{code}: "):
        call_command("evaluate_ranker", world(tmp_path), **asked)


def test_a_folder_that_is_missing_is_named() -> None:
    with pytest.raises(CommandError, match=r"^folder_missing: "):
        call_command("evaluate_ranker", Path("nowhere"))
