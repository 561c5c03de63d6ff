import subprocess
import sys
from pathlib import Path

import numpy as np

from recommender.ml import implicit_als, popularity
from recommender.ml.factors import Factors
from recommender.ml.implicit_als import Config
from tests.recommender.ml import make


def test_save_and_load_agree(tmp_path: Path) -> None:
    train, _ = make.two_tastes()
    model = implicit_als.fit(train, config=Config(factors=4))

    model.save(tmp_path)
    loaded = Factors.load(tmp_path)

    of_old = train.where(train.item < 10)
    everyone = np.arange(train.shape[0], dtype=np.int32)
    history = np.array([0, 2, 4], np.int32), np.ones(3, np.float32)
    assert np.array_equal(loaded.score(of_old, everyone), model.score(of_old, everyone))
    assert np.array_equal(loaded.fold_in(*history), model.fold_in(*history))
    assert isinstance(loaded.item_vectors, np.memmap)
    assert loaded.name == "implicit-als"


def test_a_model_without_vectors_is_saved_too(tmp_path: Path) -> None:
    train, _ = make.two_tastes()
    model = popularity.fit(train)

    model.save(tmp_path)
    loaded = Factors.load(tmp_path)

    vector = loaded.fold_in(np.array([0], np.int32), np.ones(1, np.float32))
    assert np.array_equal(loaded.item_vectors @ vector + loaded.item_bias, model.item_bias)


def test_ids_become_codes_and_strangers_are_left_out() -> None:
    model = popularity.fit(make.interactions((1, 10, 1), (1, 30, 1), (1, 20, 1)))

    assert model.item_codes(np.array([30, 99, 10, 5])).tolist() == [2, 0]


def test_serving_a_model_needs_no_torch() -> None:
    asked = "import sys, recommender.ml.factors; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
