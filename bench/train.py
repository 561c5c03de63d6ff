"""How fast a million viewers are learned: our implicit ALS beside the library `implicit`, on the same cells.

Both get the same factors, iterations, confidence and ridge, two threads and a process of their own, and are judged on
the same withheld cells. The data are drawn: every viewer has one of a hundred tastes, each taste likes a twentieth of
the items in an order of its own, and a third of what anyone watches is what everyone watches.

    python -m bench.train [--small] [--factors 32] [--iterations 3]
    python -m bench.train --data ../shared/data/ml-1m --factors 64 --iterations 15

With --data the cells are the wanted events of a folder, each counting alike, and everybody's last one is withheld.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from bench.site import machine
from recommender.ml import implicit_als
from recommender.ml.arrays import Longs
from recommender.ml.evaluation import judge, peak_mb
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions, gather
from recommender.ml.reading import read_folder
from recommender.ml.splits import Split, leave_one_out

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"full": (1_000_000, 10_000, 19.8), "small": (20_000, 2_000, 19.8)}  # viewers, items, draws a viewer
TASTES = 100
JUDGED = 20_000  # viewers of whom one cell is withheld
ALPHA, REG, THREADS = 10.0, 10.0, 2
COLUMNS = [column.name for column in fields(Interactions) if column.default is MISSING]


def draw(viewers: int, items: int, draws: float, *, seed: int) -> Longs:
    """Return the cells (N,) as viewer · items + item, each once, in random order."""
    rng = np.random.default_rng(seed)
    size = int(viewers * draws)
    viewer = rng.integers(0, viewers, size)
    liked = np.array([rng.permutation(items)[: items // 20] for _ in range(TASTES)])  # (TASTES, items / 20)
    of_taste = liked[viewer % TASTES, (liked.shape[1] * rng.random(size) ** 1.5).astype(np.int64)]
    of_all = rng.permutation(items)[(items * rng.random(size) ** 3).astype(np.int64)]
    item = np.where(rng.random(size) < 1 / 3, of_all, of_taste)
    return rng.permutation(np.unique(viewer * items + item))


def split(cells: Longs, *, viewers: int, items: int) -> Split:
    """Return the cells with the last one of the first so many viewers withheld."""
    whole = gather(
        viewers=cells // items,
        items=cells % items,
        at=np.arange(len(cells), dtype=np.int64),
        weight=np.ones(len(cells), np.float32),
        positive=np.ones(len(cells), np.bool_),
        known_items=np.arange(items),
    )
    last = np.append(whole.viewer[1:] != whole.viewer[:-1], values=True) & (whole.viewer < min(JUDGED, viewers))
    return Split(train=whole.where(~last), test=whole.where(last))


def ours(train: Interactions, factors: int, iterations: int) -> tuple[Factors, float]:
    """Return our model and the seconds that its fit took."""
    config = implicit_als.Config(factors=factors, iterations=iterations, alpha=ALPHA, reg=REG, power=0)
    began = time.perf_counter()
    model = implicit_als.fit(train, config=config, seed=0)
    return model, time.perf_counter() - began


def theirs(train: Interactions, factors: int, iterations: int) -> tuple[Factors, float]:
    """Return the library's model, held as one of ours, and the seconds of its fit. Its cells are the confidence."""
    ones = train.ratings()
    confidence = 1 + np.float32(ALPHA) * ones.data / ones.data.mean()
    cells = csr_matrix((confidence, ones.indices, ones.indptr), shape=ones.shape)
    del ones
    model = AlternatingLeastSquares(
        factors=factors, iterations=iterations, regularization=REG, num_threads=THREADS, random_state=0
    )
    began = time.perf_counter()
    model.fit(cells, show_progress=False)
    took = time.perf_counter() - began
    return Factors(
        name="implicit",
        fold="nothing",
        numbers={},
        viewer_ids=train.viewer_ids,
        item_ids=train.item_ids,
        viewer_vectors=model.user_factors,
        item_vectors=model.item_factors,
        item_bias=np.zeros(train.shape[1], np.float32),
        gram=np.zeros((0, 0), np.float32),
        trained_on=train,
    ), took


RIVALS = {"ours": ours, "implicit": theirs}


def measure(name: str, folder: Path, factors: int, iterations: int) -> dict[str, float]:
    """Fit and judge one of the rivals in this process, which has done nothing else."""
    whole = {part: load(folder / part) for part in ("train", "test")}
    model, fit_s = RIVALS[name](whole["train"], factors, iterations)
    peak = peak_mb()
    judged = judge(model, Split(**whole))
    return {
        "fit_s": round(fit_s, 2),
        "peak_mb": round(peak, 1),
        "ndcg@10": round(float(judged.scores["ndcg@10"].mean()), 4),
        "hr@10": round(float(judged.scores["hr@10"].mean()), 4),
    }


def save(data: Interactions, folder: Path) -> None:
    folder.mkdir()
    for column in COLUMNS:
        np.save(folder / f"{column}.npy", getattr(data, column))


def load(folder: Path) -> Interactions:
    return Interactions(**{column: np.load(folder / f"{column}.npy") for column in COLUMNS})


def in_a_process(name: str, folder: Path, asked: argparse.Namespace) -> dict[str, float]:
    """Return a rival's figures from a process of its own; the library asks for one BLAS thread, so both get it."""
    command = [sys.executable, "-m", "bench.train", "--rival", name, "--folder", str(folder)]
    command += ["--factors", str(asked.factors), "--iterations", str(asked.iterations)]
    threads = {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": "1"}
    said = subprocess.run(command, cwd=ROOT, env={**os.environ, **threads}, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(said.stdout)
    return figures


def drawn(size: str) -> Split:
    viewers, items, draws = SIZES[size]
    return split(draw(viewers, items, draws, seed=0), viewers=viewers, items=items)


def of_folder(folder: Path) -> Split:
    """Return a folder's wanted events, each counting alike, with everybody's last one withheld."""
    data = read_folder(folder)
    wanted = data.where(data.positive)
    return leave_one_out(replace(wanted, weight=np.ones(len(wanted), np.float32)))


def compare(asked: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        whole = of_folder(asked.data) if asked.data else drawn("small" if asked.small else "full")
        save(whole.train, folder / "train")
        save(whole.test, folder / "test")
        viewers, items = whole.train.shape
        events = len(whole.train)
        del whole
        figures = {name: in_a_process(name, folder, asked) for name in RIVALS}
    return {
        "bench": "train",
        "machine": machine(),
        "data": asked.data.name if asked.data else "drawn",
        "viewers": viewers,
        "items": items,
        "events": events,
        "factors": asked.factors,
        "iterations": asked.iterations,
        **figures,
        "ratio_fit_s": round(figures["ours"]["fit_s"] / figures["implicit"]["fit_s"], 3),
        "ratio_ndcg@10": round(figures["ours"]["ndcg@10"] / figures["implicit"]["ndcg@10"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="20,000 viewers and 2,000 items, in seconds")
    parser.add_argument("--data", type=Path, help="folder with interactions.parquet, in place of drawn cells")
    parser.add_argument("--factors", type=int, default=32)
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--rival", choices=RIVALS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rival:
        print(json.dumps(measure(asked.rival, asked.folder, asked.factors, asked.iterations)))
    else:
        print(json.dumps(compare(asked)))


if __name__ == "__main__":
    main()
