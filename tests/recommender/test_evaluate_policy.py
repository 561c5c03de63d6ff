"""`manage.py evaluate_policy` on logs of our own making."""

import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from tests.recommender.ml import make

CLICKS = np.array([0.1, 0.3, 0.5, 0.2])  # of each item; half as many at the second place
RANDOM, PICKY = np.full(4, 0.25), np.array([0.1, 0.2, 0.6, 0.1])


def write(
    folder: Path, name: str, chances: np.ndarray, *, seed: int, **columns: Sequence[object] | np.ndarray | None
) -> None:
    """Write 4,000 showings of a policy that gives items these chances at either place."""
    rng = np.random.default_rng(seed)
    item, position = rng.choice(4, 4_000, p=chances), rng.integers(1, 3, 4_000)
    told = {
        "item_id": item,
        "position": position,
        "click": (rng.random(4_000) < CLICKS[item] / position).astype(int),
        "propensity_score": chances[item],
        "user_feature_0": [f"kind {number % 3}" for number in range(4_000)],
        **columns,
    }
    table = pa.table({key: values for key, values in told.items() if values is not None})
    pq.write_table(table, folder / f"{name}_all.parquet")


def asked(folder: Path, **options: object) -> list[dict[str, object]]:
    said = StringIO()
    call_command("evaluate_policy", folder, stdout=said, **options)
    return [json.loads(line) for line in said.getvalue().splitlines()]


@pytest.mark.parametrize("options", [{}, {"bootstrap": 1}])
def test_each_log_tells_what_the_other_policy_is_worth(tmp_path: Path, options: dict[str, object]) -> None:
    write(tmp_path, "random", RANDOM, seed=1)
    write(tmp_path, "picky", PICKY, seed=2)

    rows = asked(tmp_path, **options)

    truth = {"random": 0.75 * RANDOM @ CLICKS, "picky": 0.75 * PICKY @ CLICKS}
    assert [(row["logged"], row["policy"]) for row in rows] == [("picky", "random"), ("random", "picky")]
    for row in rows:
        for name in ("on_policy", "ips", "snips", "dr"):
            told = row[name]
            assert isinstance(told, dict)
            assert told["low"] < truth[str(row["policy"])] < told["high"], name
        assert row["mean_weight"] == pytest.approx(1, abs=0.1)


def test_a_policy_that_changed_its_chances_is_taken_by_how_often_it_showed_what(tmp_path: Path) -> None:
    """The chances are written down for each moment, twice or half the mean; items stand there as often as before."""
    write(tmp_path, "random", RANDOM, seed=1)
    write(tmp_path, "picky", PICKY, seed=2, propensity_score=np.where(np.arange(4_000) % 2, 0.01, 0.9))

    _, row = asked(tmp_path)

    told = row["snips"]
    assert isinstance(told, dict)
    assert told["low"] < 0.75 * PICKY @ CLICKS < told["high"]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"propensity_score": None}, "column_missing"),
        ({"propensity_score": [None, *[0.25] * 3_999]}, "propensity_missing"),
        ({"propensity_score": [0.0] * 4_000}, "propensity_missing"),
        ({"click": [None, *[1] * 3_999]}, "column_null"),
        ({"item_id": ["one"] * 4_000}, "column_type"),
    ],
)
def test_a_broken_log_is_refused_by_code(tmp_path: Path, columns: dict[str, Sequence[object]], code: str) -> None:
    write(tmp_path, "picky", PICKY, seed=2, **columns)
    write(tmp_path, "random", RANDOM, seed=1)

    with pytest.raises(CommandError, match=f"^{code}: "):
        asked(tmp_path)


def test_one_log_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    write(tmp_path, "random", RANDOM, seed=1)
    (tmp_path / "torn_all.parquet").write_bytes(b"PAR1")

    with pytest.raises(CommandError, match=r"^file_unreadable: "):
        asked(tmp_path)
    (tmp_path / "torn_all.parquet").unlink()
    with pytest.raises(CommandError, match=r"^logs_too_few: "):
        asked(tmp_path)
    with pytest.raises(CommandError, match=r"^most_too_small: "):
        asked(tmp_path, most=0)


@pytest.mark.skipif(not make.REAL_DATA.exists(), reason="the folder of real data is not here")
def test_on_the_open_bandit_sample_the_intervals_hold_what_the_other_log_earned() -> None:
    for row in asked(make.REAL_DATA / "open-bandit-sample"):
        earned = row["on_policy"]
        assert isinstance(earned, dict)
        for name in ("ips", "snips", "dr"):
            told = row[name]
            assert isinstance(told, dict)
            assert told["low"] < earned["mean"] < told["high"]
