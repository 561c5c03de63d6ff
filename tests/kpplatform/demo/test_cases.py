"""The sized cases, made small: a list for everyone, nothing met on it, better than what is popular."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from kpplatform.demo.cases.case import CASES, LIKE, SHARE, VIEW
from kpplatform.demo.cases.running import run
from kpplatform.demo.cases.telling import tell

SMALL = CASES["education"].scaled(0.002)


def done(*arguments: str) -> dict[str, Any]:
    said = StringIO()
    call_command("seed_case", *arguments, stdout=said)
    summary: dict[str, Any] = json.loads(said.getvalue())
    return summary


def test_everyone_gets_a_full_list_of_open_items_that_they_have_not_met(tmp_path: Path) -> None:
    case, to = CASES["education"].scaled(0.01), tmp_path / "lists.parquet"

    summary = done("education", "--scale", "0.01", "--to", str(to))

    viewer, place, item = (pq.read_table(to)[name].to_numpy() for name in ("viewer", "place", "item"))
    told = tell(case, seed=0)
    assert np.bincount(viewer).tolist() == [case.places] * case.viewers
    assert np.array_equal(place, np.tile(np.arange(1, 11), case.viewers))
    assert len(np.unique(cells := viewer.astype(np.int64) * case.items + item)) == len(cells)
    assert not np.isin(cells, told.met.cells()).any()
    assert not np.isin(item, told.closed).any()
    assert summary["lists_too_short"] == 0
    assert summary["ndcg@10"]["recent-als"] > 1.3 * summary["ndcg@10"]["popularity"]


def test_the_deep_case_learns_from_the_share_watched_and_from_what_was_written(tmp_path: Path) -> None:
    summary = done("career", "--scale", "0.2", "--model", "markov", "--to", str(tmp_path / "lists.parquet"))

    told = tell(CASES["career"].scaled(0.2), seed=0)
    assert summary["viewers"] == 200
    assert pq.read_table(tmp_path / "lists.parquet").num_rows == 200 * 5
    assert np.isfinite(told.learned.watched).all()
    assert 0 < told.learned.positive.mean() < 1
    silent = replace(CASES["career"].scaled(0.2), signals=("watch_time", "comment"))
    said, unsaid = (of.learned.attributes for of in (told, tell(silent, seed=0)))
    assert said is not None
    assert unsaid is not None
    longer = [len(a) - len(b) for a, b in zip(said.title, unsaid.title, strict=True)]
    assert min(longer) == 0 < max(longer)


def test_a_withheld_wish_is_not_learned_from_and_was_met() -> None:
    told = tell(SMALL, seed=0)

    withheld, learned, met = (of.cells() for of in (told.judged.test, told.learned, told.met))
    assert len(withheld) > 100
    assert not np.isin(withheld, learned).any()
    assert np.isin(withheld, met).all()
    assert np.isin(learned, met).all()
    assert (np.diff(told.learned.at) >= 0)[np.diff(told.learned.viewer) == 0].all()


def test_a_case_tells_nothing_but_its_signals() -> None:
    views = tell(replace(SMALL, signals=(VIEW,)), seed=0)
    reactions = tell(replace(SMALL, signals=(LIKE, SHARE)), seed=0)

    assert np.isnan(views.learned.watched).all()
    assert set(views.learned.weight) == {1.0}
    assert set(reactions.learned.weight) == {3.0, 4.0, 7.0}
    assert len(reactions.learned) < len(views.learned) / 5
    assert len(reactions.met) == len(views.met)


def test_the_same_seed_tells_the_same() -> None:
    first, again, other = (tell(SMALL, seed=seed) for seed in (3, 3, 4))

    assert np.array_equal(first.learned.cells(), again.learned.cells())
    assert not np.array_equal(first.learned.cells(), other.learned.cells())


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (["--scale", "0"], "scale_out_of_range"),
        (["--model", "oracle"], "model_unknown"),
        (["--without", "view", "--without", "like", "--without", "comment"], "no_signal"),
    ],
)
def test_what_cannot_be_done_is_refused(asked: list[str], code: str) -> None:
    with pytest.raises(CommandError, match=code):
        done("education", *(asked if "--scale" in asked else [*asked, "--scale", "0.001"]))


def test_the_hybrid_case_lists_by_likes_and_shares_what_nobody_has_watched(tmp_path: Path) -> None:
    case, to = CASES["health"].scaled(0.01), tmp_path / "lists.parquet"
    small = replace(case, days=10, settings={"epochs": 1, "width": 16, "layers": 1})

    summary = run(small, to=to)

    lists = pq.read_table(to)
    cells = lists["viewer"].to_numpy().astype(np.int64) * case.items + lists["item"].to_numpy()
    told = tell(small, seed=0)
    assert (summary["model"], summary["viewers"], lists.num_rows) == ("hybrid", 500, 1_500)
    assert not np.isin(cells, told.met.cells()).any()
    assert summary["learned_from"] < summary["events"] / 5
