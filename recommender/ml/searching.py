"""Which settings of a model foresee best: trials within a budget of minutes, the same ones for the same seed.

Settings are drawn at random, or by the tree-structured Parzen estimator ("Algorithms for Hyper-Parameter Optimization",
Bergstra et al., 2011, section 4) as optuna has it. The first trial is of the settings that the model has unless told
otherwise, so that a search never ends below them on what it looks at. Trials that are known already are not made again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState, create_trial

from recommender.ml import models
from recommender.ml.interactions import BrokenData
from recommender.ml.judgement import judge
from recommender.ml.model import Progress
from recommender.ml.models import UnknownModel
from recommender.ml.sequence.stepping import TrainingFailed
from recommender.ml.spaces import SPACES, Range
from recommender.ml.splits import Split

PAGE = 10
Distribution = FloatDistribution | IntDistribution
MADE: Mapping[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed),
    "random": lambda seed: RandomSampler(seed=seed),
}


class Trial(NamedTuple):
    """Settings, and the NDCG that they came to; none when they failed."""

    settings: Mapping[str, float]
    ndcg: float | None
    seconds: float


def search(
    name: str,
    split: Split,
    *,
    minutes: float,
    most: int = 100,
    sampler: str = "tpe",
    seed: int = 0,
    device: str = "cpu",
    known: Sequence[Trial] = (),
    told: Callable[[Trial], object] | None = None,
    progress: Progress | None = None,
) -> list[Trial]:
    """Return all trials, those `known` before first; no trial begins once the minutes are over.

    `progress` is told of the steps of every fit, and may end the search by raising.

    Raises UnknownModel where there is nothing to search.
    """
    if name not in SPACES:
        raise UnknownModel("nothing_to_search", f"{name} is none of {', '.join(SPACES)}.")
    space = {key: _distribution(of) for key, of in SPACES[name].items()}
    usual = asdict(models.MODELS[name].config)
    # Who goes on with trials that are known must not draw the first ones again.
    study = optuna.create_study(direction="maximize", sampler=MADE[sampler](seed + len(known)))
    trials = list(known)
    for trial in known:
        study.add_trial(_as_known(trial, space))
    began = time.monotonic()
    while len(trials) < most and time.monotonic() - began < 60 * minutes:
        if not trials:
            study.enqueue_trial({key: usual[key] for key in space if space[key].low <= usual[key] <= space[key].high})
        asked = study.ask(dict(space))
        done = _tried(name, split, asked.params, seed=seed, device=device, progress=progress)
        study.tell(asked, done.ndcg, state=None if done.ndcg is not None else TrialState.FAIL)
        trials.append(done)
        if told:
            told(done)
    return trials


def best(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the highest NDCG, the first of equal ones; None when all have failed."""
    return max((of for of in trials if of.ndcg is not None), key=lambda of: of.ndcg or 0.0, default=None)


def _distribution(of: Range) -> Distribution:
    if of.whole:
        return IntDistribution(int(of.low), int(of.high), log=of.log)
    return FloatDistribution(of.low, of.high, log=of.log)


def _tried(name: str, split: Split, settings: Mapping[str, Any], **told: Any) -> Trial:
    began = time.monotonic()
    try:
        fitted = models.fit(name, split.train, settings=settings, **told)
        scores = judge(fitted, split, k=PAGE).scores[f"ndcg@{PAGE}"]
    except (BrokenData, TrainingFailed, MemoryError):
        return Trial(settings, None, time.monotonic() - began)
    return Trial(settings, float(scores.mean()) if len(scores) else None, time.monotonic() - began)


def _as_known(trial: Trial, space: Mapping[str, Distribution]) -> optuna.trial.FrozenTrial:
    failed = trial.ndcg is None
    state = TrialState.FAIL if failed else TrialState.COMPLETE
    return create_trial(state=state, value=trial.ndcg, params=dict(trial.settings), distributions=dict(space))
