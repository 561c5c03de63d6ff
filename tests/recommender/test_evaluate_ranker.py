import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recommender.ml.ranker import choosing
from recommender.ml.ranker.evaluation import Question, evaluate
from recommender.ml.ranker.examples import Examples, World
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


def test_without_what_viewer_and_creator_had_together_nobody_can_tell(tmp_path: Path) -> None:
    """Every viewer loves half of the items, and every item is loved by half of the viewers."""
    said = StringIO()

    call_command(
        "evaluate_ranker", world(tmp_path), json=True, kind=["boosted"], without=["pair", "moment"], stdout=said
    )

    (row,) = [json.loads(line) for line in said.getvalue().splitlines()]
    assert row["without"] == "pair, moment"
    assert 0.3 < row["gauc"] < 0.65


def test_what_happened_since_the_training_can_be_told(tmp_path: Path) -> None:
    rows = []
    for told_all in (False, True):
        said = StringIO()
        call_command("evaluate_ranker", world(tmp_path), json=True, kind=["boosted"], told_all=told_all, stdout=said)
        rows.append(json.loads(said.getvalue()))

    assert [row["told_all"] for row in rows] == [0, 1]
    assert rows[0]["questions"] == rows[1]["questions"]
    assert rows[0]["mae_s"] != rows[1]["mae_s"]


def test_what_is_judged_has_learned_from_every_view_before_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a version has: the last views only say for how long to learn."""
    fits: list[tuple[int, Any]] = []
    fit = choosing.fit

    def watched(name: str, world: World, train: Examples, *rest: Any, **told: Any) -> choosing.Fitted:
        fits.append((len(train), told["effort"]))
        return fit(name, world, train, *rest, **told)

    monkeypatch.setattr(choosing, "fit", watched)

    (row,) = evaluate(Question(world(tmp_path), kinds=["boosted"]))

    (some, unknown), (whole, effort) = fits
    assert some < whole == row["train"]
    assert unknown is None
    assert str(effort) == row["effort"]


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
