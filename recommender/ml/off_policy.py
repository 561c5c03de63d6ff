"""What another policy would have earned, told from what this one showed with known chances.

Each estimator is a mean of terms over N showings, w = π(a|x) / p(a|x) being how much likelier the other policy π is to
show what was shown, r what came of it, q(x, a) a regression's guess of that:

IPS   w r: Horvitz and Thompson (1952). Unbiased where p is right and above 0 wherever π is.
SNIPS Σ w r / Σ w: "The Self-Normalized Estimator for Counterfactual Learning" (Swaminathan and Joachims, 2015).
DR    Σ_a π(a|x) q(x, a) + w (r − q(x, a)): "Doubly Robust Policy Evaluation and Learning" (Dudík, Langford, Li,
      2011), equation 2. Right when either the chances or the regression are; q has never seen the showing that it is
      asked of (folds).

The mean of w is near 1 unless π shows what was never shown: then no estimator can tell. The effective sample size is
(Σ w)² / Σ w² (Kish, 1965). Weights may be clipped, which trades variance for a bias towards what was logged (Ionides,
2008). Intervals take showings to one viewer together. Shapes: N showings, A actions, F features, G viewers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack
from scipy.sparse.linalg import splu

from recommender.ml.arrays import Flags, Ints, Matrix
from recommender.ml.interactions import BrokenData
from recommender.ml.metrics import Interval, Scores, bootstrap

FOLDS = 5
RIDGE = 10.0  # showings of nothing that an effect must outweigh
NORMAL = 1.959964  # standard deviations on either side of 95 %
ROUNDING = 1e-5


@dataclass(frozen=True)
class Log:
    """What was shown, how likely that was, and what came of it."""

    action: Ints  # (N,) codes below A
    reward: Scores  # (N,)
    propensity: Scores  # (N,) the chance of that action in that context, above 0
    context: Matrix  # (N, F) what was known before; may have no columns
    unit: Ints  # (N,) codes of viewers, whose showings are not independent

    def __post_init__(self) -> None:
        if not len(self.action):
            raise BrokenData("log_empty", "The log holds no showing.")
        if not (self.propensity > 0).all():  # NaN is not above 0 either
            bad = np.count_nonzero(~(self.propensity > 0))
            raise BrokenData("propensity_missing", f"{bad} showings have no propensity above 0.")
        if (self.propensity > 1 + ROUNDING).any():
            raise BrokenData("propensity_no_chance", f"A propensity is {self.propensity.max():g}, above 1.")
        if not np.isfinite(self.reward).all():
            raise BrokenData("reward_missing", "A reward is no finite number.")

    def __len__(self) -> int:
        return len(self.action)


@dataclass(frozen=True)
class Value:
    """What a policy is worth a showing, by each estimator, and how much of the log speaks of it."""

    estimates: Mapping[str, Interval]  # of "ips", "snips" and "dr"
    effective: float  # showings, at most N
    mean_weight: float  # near 1 where the log covers the policy
    clipped: int  # showings whose weight was cut
    showings: int


def value(log: Log, policy: Matrix, *, most: float | None = None, seed: int | None = None) -> Value:
    """Return the value of a policy (N, A), the chances of every action in each context of the log.

    Weights above `most` are clipped. Intervals are of 95 %: normal, or with a seed by the bootstrap over viewers.
    Raises BrokenData.
    """
    _check(policy, log)
    chance = np.asarray(policy[np.arange(len(log)), log.action], np.float64)
    free = chance / np.minimum(log.propensity, 1)  # (N,)
    weight = free if most is None else np.minimum(free, most)
    if not weight.any():
        raise BrokenData("no_overlap", "Nothing that the policy would show was ever shown.")
    terms = {
        "ips": weight * log.reward,
        "snips": _self_normalised(weight, log.reward),
        "dr": _doubly_robust(log, policy, weight),
    }
    return Value(
        estimates={name: interval(of, log.unit, seed=seed) for name, of in terms.items()},
        effective=effective(weight),
        mean_weight=float(weight.mean()),
        clipped=int(np.count_nonzero(weight < free)),
        showings=len(log),
    )


def effective(weight: Scores) -> float:
    """Return (Σ w)² / Σ w²: how many showings of equal weight would tell as much."""
    return float(weight.sum() ** 2 / np.square(weight).sum())


def interval(terms: Scores, unit: Ints, *, seed: int | None = None) -> Interval:
    """Return the mean of terms (N,) within its bounds, the terms of a unit taken as one."""
    mean = float(terms.mean())
    _, place = np.unique(unit, return_inverse=True)
    errors = np.bincount(place, terms - mean) * (place.max() + 1) / len(terms)  # (G,) about 0
    if seed is not None:
        return bootstrap(mean + errors, seed=seed)
    spread = NORMAL * float(np.sqrt(np.square(errors).sum()) / len(errors))
    return Interval(mean, mean - spread, mean + spread)


def as_logged(log: Log) -> Interval:
    """Return what the logged policy itself earned a showing."""
    return interval(log.reward, log.unit)


def _self_normalised(weight: Scores, reward: Scores) -> Scores:
    """Return terms (N,) whose mean is Σ w r / Σ w and whose spread is that of the ratio (delta method)."""
    ratio = float(weight @ reward / weight.sum())
    return np.asarray(ratio + weight * (reward - ratio) / weight.mean())


def _doubly_robust(log: Log, policy: Matrix, weight: Scores) -> Scores:
    """Return DR's terms (N,), each with a regression that has seen no showing to the same viewer.

    Where a policy's chances do not sum to one, what it leaves open earns nothing.
    """
    viewers, place = np.unique(log.unit, return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(viewers))[place] % FOLDS
    chances, terms = _sums(policy), np.empty(len(log))
    for number in range(FOLDS):
        held = fold == number
        base, effects = _regression(log, ~held, actions=policy.shape[1])
        usual = base[held]
        left = log.reward[held] - usual - effects[log.action[held]]
        terms[held] = usual * chances[held] + policy[held] @ effects + weight[held] * left
    return terms


def _regression(log: Log, learned: Flags, *, actions: int) -> tuple[Scores, Scores]:
    """Return what each context usually earns (N,) and what each action adds (A,): a ridge regression on both."""
    level = float(log.reward[learned].mean()) if learned.any() else 0.0
    cells = np.arange(len(log)), log.action.astype(np.int64)
    shown: Matrix = csr_array((np.ones(len(log), np.float32), cells), shape=(len(log), actions))
    told: Any = csr_array(hstack([shown, log.context], format="csr"))[learned].astype(np.float64)  # (n, A + F)
    squares = (told.T @ told + RIDGE * eye_array(told.shape[1])).tocsc()
    effects = np.asarray(splu(squares).solve(told.T @ (log.reward[learned] - level)))
    return level + np.asarray(log.context @ effects[actions:]), effects[:actions]


def _sums(policy: Matrix) -> Scores:
    """Return the sum of every row's chances (N,)."""
    return np.asarray(policy.sum(1), np.float64)


def _check(policy: Matrix, log: Log) -> None:
    chances = _sums(policy)
    whole = np.isfinite(policy.data).all() and (policy.data >= 0).all() and (chances <= 1 + ROUNDING).all()
    if policy.shape[0] != len(log) or not whole:
        raise BrokenData("policy_no_chances", "A policy must give chances that sum to at most 1, for every showing.")
