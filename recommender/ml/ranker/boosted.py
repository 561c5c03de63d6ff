"""Boosted trees on the features, an ensemble for each head (LightGBM: Ke et al., NeurIPS 2017).

Shapes: M questions, F features, H heads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import lightgbm
import numpy as np

from recommender.ml.model import Progress
from recommender.ml.ranker.examples import Examples, learnable, usual_answers
from recommender.ml.ranker.targets import CHANCES, HEADS, QUANTILES
from recommender.ml.ranker.trees import Tree, program, trees

NAME = "boosted"
FEW = 40
ROUNDS: Mapping[str, int] = dict.fromkeys(HEADS, FEW) | {"long_view": 200, "seconds": 80, "order": 80}
FASTEST = 0.2


@dataclass(frozen=True)
class Config:
    """`rounds` is how many trees a head may have: 600 in all, that 500 candidates are ranked within 10 ms.

    `patience` is after how many trees that do not help the judged rows no more are grown.
    """

    rounds: Mapping[str, int] = field(default_factory=lambda: ROUNDS)
    steepness: float = 10.0  # the rate at which trees learn times their number
    leaves: int = 31
    patience: int = 40
    of_features: float = 0.5
    of_rows: float = 0.8
    ridge: float = 5.0


Fitted = Mapping[str, int]  # how many trees each head has


def fit(
    train: Examples,
    later: Examples | None,
    *,
    config: Config = Config(),
    seed: int = 0,
    rounds: Fitted | None = None,
    progress: Progress | None = None,
) -> tuple[bytes, Fitted]:
    """Return an ONNX program that maps features (n, F) to raw heads (n, H), and how many trees each head took.

    Trees are grown while they help on `later`, or as many as `rounds` says.
    """
    usual = usual_answers(train)
    grown: dict[str, list[Tree]] = {}
    for done, head in enumerate(HEADS):
        if learnable(head, train.labels[head]):
            many = rounds[head] if rounds and head in rounds else config.rounds[head]
            grown[head] = _grow(head, train, later, config=config, seed=seed, rounds=many)
            usual[head] = 0.0  # the first tree begins at the mean
        if progress:
            progress(done + 1, len(HEADS))
    said = program(grown, base=usual, heads=HEADS, width=train.features.shape[1])
    return said, {head: len(of) for head, of in grown.items()}


def _grow(head: str, train: Examples, later: Examples | None, *, config: Config, seed: int, rounds: int) -> list[Tree]:
    data = _data(head, train)
    judged = _data(head, later, like=data) if later and learnable(head, later.labels[head]) else None
    stopping: list[Any] = [lightgbm.early_stopping(config.patience, verbose=False)] if judged else []
    booster = lightgbm.train(
        _settings(head, len(train), config, seed),
        data,
        num_boost_round=rounds,
        valid_sets=[judged] if judged else None,
        callbacks=stopping,
    )
    best = booster.best_iteration if judged and booster.best_iteration > 0 else rounds
    return trees(booster.dump_model(num_iteration=best))


def _data(head: str, examples: Examples, like: Any = None) -> Any:
    known = ~np.isnan(examples.labels[head])
    label = examples.labels[head][known]
    return lightgbm.Dataset(examples.features[known], label, reference=like, free_raw_data=True)


def _settings(head: str, rows: int, config: Config, seed: int) -> dict[str, Any]:
    return {
        "objective": "binary" if head in CHANCES else "quantile" if head in QUANTILES else "regression",
        "alpha": QUANTILES.get(head, 0.5),
        "learning_rate": min(config.steepness / config.rounds[head], FASTEST),
        "num_leaves": config.leaves,
        "min_data_in_leaf": int(np.clip(rows // 500, 20, 500)),
        "feature_fraction": config.of_features,
        "bagging_fraction": config.of_rows,
        "bagging_freq": 1,
        "lambda_l2": config.ridge,
        "use_missing": False,
        "num_threads": 1,
        "deterministic": True,
        "seed": seed,
        "verbosity": -1,
    }
