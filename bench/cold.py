"""How well items are placed that nobody has met: a seventh of the items is withheld wholly, then ranked among itself.

`python -m bench.cold --data <folder> [--model implicit-als] [--seed 0]`. Recall@k = hits / min(k, wanted), the mean
over up to 5,000 viewers who later wanted a withheld item. Baselines: chance (also all that popularity can say of new
items), and how popular the withheld items really became, which nobody could know.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from bench import site
from recommender.ml import cold, content, models
from recommender.ml.arrays import Flags, Floats, Ints
from recommender.ml.interactions import Interactions
from recommender.ml.reading import read_folder

SHARE = 7
PLACES = (10, 20, 50)
JUDGED = 5_000
WITHOUT = ("", "titles", "tags", "creators")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="implicit-als", help="one that has item_vectors")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(json.dumps(compare(asked.data, asked.model, asked.seed)))


def compare(folder: Path, name: str, seed: int) -> dict[str, Any]:
    data, rng = read_folder(folder), np.random.default_rng(seed)
    new = np.zeros(data.shape[1], np.bool_)
    new[rng.permutation(len(new))[: len(new) // SHARE]] = True
    train = data.where(~new[data.item])
    fitted: Any = models.fit(name, train, seed=seed)
    later = data.where(new[data.item] & data.positive)
    viewers = np.sort(rng.permutation(np.unique(later.viewer))[:JUDGED])
    wanted = _wanted(later, viewers)[:, new]  # (B, n)
    asking = fitted.vectors(train, viewers)  # (B, D)
    began = time.perf_counter()
    cold.learn(fitted, train)
    learn_s = time.perf_counter() - began
    scores = {f"without {of}" if of else "cold": asking @ _placed(fitted, train, of)[new].T for of in WITHOUT}
    scores |= {"chance": rng.random(wanted.shape), "true popularity": np.tile(wanted.sum(0), (len(viewers), 1))}
    return {
        "benchmark": "cold",
        "data": folder.name,
        "model": name,
        "seed": seed,
        "withheld": int(new.sum()),
        "viewers": len(viewers),
        "recall": {what: _recall(of, wanted) for what, of in scores.items()},
        "learn_s": round(learn_s, 2),
        "machine": site.machine(),
    }


def _placed(fitted: Any, train: Interactions, without: str) -> Floats:
    """Return the vectors (V, D) that all items get when one thing is told neither at learning nor at asking."""
    told = train.attributes
    assert told is not None
    nothing = {
        "": told,
        "titles": replace(told, title=("",) * len(told.title)),
        "tags": replace(told, tags=csr_array(told.tags * np.float32(0))),
        "creators": replace(told, creator=np.full_like(told.creator, -1)),
    }[without]
    return cold.learn(fitted, replace(train, attributes=nothing)).of(content.features_of(nothing))


def _wanted(later: Interactions, viewers: Ints) -> Flags:
    cells = np.ones(len(later), np.float32), (later.viewer, later.item)
    return np.asarray(csr_array(cells, shape=later.shape)[viewers].toarray() > 0)


def _recall(scores: Floats, wanted: Flags) -> dict[int, float]:
    order = np.argsort(-scores, 1, kind="stable")
    hit = np.take_along_axis(wanted, order, 1)
    return {k: round(float(np.mean(hit[:, :k].sum(1) / np.minimum(wanted.sum(1), k))), 4) for k in PLACES}


if __name__ == "__main__":
    main()
