"""The benchmark of implicit ALS gives both rivals the same cells and says the same of both."""

from pathlib import Path

import numpy as np

from bench.train import RIVALS, draw, load, measure, of_folder, save, split
from tests.recommender.ml import make


def test_both_rivals_learn_the_same_cells_equally_well(tmp_path: Path) -> None:
    whole = split(draw(300, 60, 12, seed=1), viewers=300, items=60)
    save(whole.train, tmp_path / "train")
    save(whole.test, tmp_path / "test")

    told = {name: measure(name, tmp_path, factors=8, iterations=8) for name in RIVALS}

    assert np.array_equal(load(tmp_path / "train").cells(), whole.train.cells())
    assert told["ours"]["ndcg@10"] > 0.1
    assert abs(told["ours"]["ndcg@10"] / told["implicit"]["ndcg@10"] - 1) < 0.15


def test_of_a_folder_everything_wanted_counts_alike_and_the_last_is_withheld(tmp_path: Path) -> None:
    folder = make.folder(tmp_path, viewer=[1, 1, 1], item=[5, 6, 7], at=[1, 2, 3], kind=["like", "dislike", "share"])

    whole = of_folder(folder)

    assert whole.train.weight.tolist() == [1.0]
    assert whole.train.item_ids[whole.train.item].tolist() == [5]
    assert whole.test.item_ids[whole.test.item].tolist() == [7]
