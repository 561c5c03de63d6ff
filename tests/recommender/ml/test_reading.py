from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.ml.interactions import BrokenData
from recommender.ml.reading import read_folder
from tests.recommender.ml import make


def test_a_cell_is_the_sum_of_what_the_events_say(tmp_path: Path) -> None:
    """Watched half: 1 + 0.5. Watched to the end and liked: 1 + 1 + 2 + 3. Skipped: 1 + 0.05 − 1. Shared: 4."""
    folder = make.folder(
        tmp_path,
        viewer=[1, 1, 1, 1],
        item=[10, 11, 12, 10],
        at=[1, 2, 3, 4],
        kind=["watch", "watch", "watch", "share"],
        watch_ms=[5_000, 10_000, 500, None],
        duration_ms=[10_000, 10_000, 10_000, None],
        liked=[False, True, False, None],
    )

    data = read_folder(folder)

    assert data.ratings().toarray() == pytest.approx(np.array([[1.5 + 4, 7, 0.05]]))
    assert data.positive.tolist() == [False, True, False, True]


def test_a_tenant_may_weigh_signals_otherwise(tmp_path: Path) -> None:
    folder = make.folder(tmp_path, kind=["watch", "purchase"])

    data = read_folder(folder, weights={"watch": 0.25, "purchase": 8.0})

    assert data.weight.tolist() == [0.25, 8.0]


def test_a_watch_of_which_only_the_fact_is_known_is_wanted(tmp_path: Path) -> None:
    data = read_folder(make.folder(tmp_path))

    assert data.positive.tolist() == [True, True]


def test_a_long_view_is_wanted_and_a_short_one_is_not(tmp_path: Path) -> None:
    data = read_folder(make.folder(tmp_path, long_view=[True, False]))

    assert data.positive.tolist() == [True, False]


def test_rows_may_come_in_any_order(tmp_path: Path) -> None:
    data = read_folder(make.folder(tmp_path, viewer=[7, 3], item=[20, 10], at=[1, 2]))

    assert data.viewer_ids[data.viewer].tolist() == [3, 7]
    assert data.item_ids[data.item].tolist() == [10, 20]


def test_items_that_nobody_met_exist(tmp_path: Path) -> None:
    folder = make.folder(tmp_path)
    pq.write_table(pa.table({"item": [12, 10]}), folder / "items.parquet")

    assert read_folder(folder).item_ids.tolist() == [10, 11, 12]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"at": None}, "column_missing"),
        ({"viewer": ["a", "b"]}, "column_type"),
        ({"item": [1.5, 2.5]}, "column_type"),
        ({"viewer": [1, None]}, "column_null"),
        ({"kind": [1, 2]}, "column_type"),
        ({"kind": ["watch", "yawn"]}, "kind_unknown"),
        ({"kind": ["watch", None]}, "kind_unknown"),
        ({"liked": [3, 4]}, "column_type"),
        ({"watch_ms": ["1", "2"], "duration_ms": [1, 2]}, "column_type"),
    ],
)
def test_a_wrong_column_is_named(tmp_path: Path, columns: dict[str, object], code: str) -> None:
    folder = make.folder(tmp_path, **columns)

    with pytest.raises(BrokenData) as refused:
        read_folder(folder)

    assert refused.value.code == code


def test_a_folder_without_events_is_refused(tmp_path: Path) -> None:
    make.folder(tmp_path)
    table = pq.read_table(tmp_path / "interactions.parquet")
    pq.write_table(table.slice(0, 0), tmp_path / "interactions.parquet")

    with pytest.raises(BrokenData) as refused:
        read_folder(tmp_path)

    assert refused.value.code == "no_events"


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "interactions.parquet").write_bytes(b"PAR1 but not really")

    with pytest.raises(BrokenData) as refused:
        read_folder(tmp_path)

    assert refused.value.code == "file_unreadable"


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = make.folder(tmp_path) / "interactions.parquet"
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(BrokenData) as refused:
        read_folder(tmp_path)

    assert refused.value.code == "file_unreadable"


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenData) as no_folder:
        read_folder(tmp_path / "nowhere")
    with pytest.raises(BrokenData) as no_file:
        read_folder(tmp_path)

    assert (no_folder.value.code, no_file.value.code) == ("folder_missing", "file_missing")


@pytest.mark.skipif(not make.REAL_DATA.exists(), reason="the folder of real data is not here")
def test_real_data_is_read() -> None:
    data = read_folder(make.REAL_DATA / "kuairand-mini")

    assert len(data) == 9_238
    assert data.shape == (600, 4_767)
    assert 0 < data.positive.mean() < 1
