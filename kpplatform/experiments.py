"""Experiments: who gets which arm, whether the arms were dealt fairly, and what may be believed at any moment.

Knows neither torch nor Django: who is in which arm is decided in web processes, of feeds and of prices alike. Shapes:
n viewers of an arm.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

Values = NDArray[np.float64]

FAIR_FROM = 0.001  # a p-value of the sample ratio below this says that something is wrong
FEWEST = 100  # viewers of each arm before anything is said: below, a mean is not yet normal
FEWEST_EXPECTED = 5  # viewers of each arm before their numbers are compared with the shares
LEVEL = 0.05


def arm_of(viewer: int, *, tenant: int, experiment: str, shares: Mapping[str, float]) -> str | None:
    """Return the arm that a viewer is in, always the same one; None for those who are left out.

    The shares are of all viewers and sum to at most 1. Different experiments deal independently of each other.
    """
    digest = hashlib.sha256(f"{tenant}:{experiment}:{viewer}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    for name, share in shares.items():
        if place < share:
            return name
        place -= share
    return None


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Return the p-value of Pearson's χ² that counts (A,) were dealt by these shares (A,) > 0.

    It is 1 while fewer than five are to be expected in an arm: below, χ² says too much (Cochran, "Some Methods for
    Strengthening the Common χ² Tests", 1954).
    Fabijan et al., "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments" (2019).
    """
    expected = np.array(shares) / sum(shares) * sum(counts)
    if expected.min() < FEWEST_EXPECTED:
        return 1.0
    statistic = float(((np.array(counts) - expected) ** 2 / expected).sum())
    return float(chdtrc(len(counts) - 1, statistic))


def adjusted(outcome: Values, before: Values) -> Values:
    """Return outcomes (n,) without what was foreseeable from before the experiment (n,): CUPED.

    y − θ (x − x̄) with θ = cov(x, y) / var(x), over all arms together. Deng et al., "Improving the Sensitivity of
    Online Controlled Experiments by Utilizing Pre-Experiment Data" (2013), section 3.
    """
    spread = float(before.var()) if len(before) else 0.0
    if spread == 0:
        return outcome
    centred = before - before.mean()
    theta = float((centred * outcome).mean()) / spread
    return np.asarray(outcome - theta * centred)


@dataclass(frozen=True)
class Sample:
    """How many viewers an arm has, the mean of what they did, and its variance (over n − 1)."""

    size: int
    mean: float
    variance: float


@dataclass(frozen=True)
class Difference:
    """By how much an arm's mean is above the control's, and the bounds that hold however often one looks."""

    mean: float
    low: float
    high: float
    p: float

    @property
    def is_certain(self) -> bool:
        """Whether nothing between the bounds is zero."""
        return self.low > 0 or self.high < 0


def difference(arm: Values, control: Values, *, level: float = LEVEL) -> Difference | None:
    """Return by how much the mean of (n,) viewers is above that of (m,); None while there are too few."""
    if min(len(arm), len(control)) < FEWEST:
        return None
    return apart(_sample(arm), _sample(control), level=level)


def _sample(values: Values) -> Sample:
    return Sample(len(values), float(values.mean()), float(values.var(ddof=1)))


def apart(arm: Sample, control: Sample, *, level: float = LEVEL) -> Difference | None:
    """Return the always-valid difference of the means of two samples; None while there are too few.

    The mixture sequential probability ratio test with a normal mixture of variance τ²: with V the variance of the
    difference d,  Λ = √(V / (V + τ²)) · exp(τ² d² / (2 V (V + τ²))),  p = 1 / Λ, and the interval holds all d whose Λ
    stays below 1 / level. Johari, Koomen, Pekelis, Walsh, "Peeking at A/B Tests" (2017), section 5. τ² is the variance
    that the difference had at the smallest sample on which anything is said, so that it does not follow the data.
    """
    if min(arm.size, control.size) < FEWEST:
        return None
    mean = arm.mean - control.mean
    spread = arm.variance / arm.size + control.variance / control.size  # V
    if spread == 0:
        return Difference(mean, mean, mean, 1.0 if mean == 0 else 0.0)
    prior = (arm.variance + control.variance) / FEWEST  # τ²
    ratio = 0.5 * math.log(spread / (spread + prior)) + prior * mean**2 / (2 * spread * (spread + prior))  # log Λ
    far = reach(spread, prior, level=level)
    return Difference(mean, mean - far, mean + far, min(1.0, math.exp(-ratio)))


def reach(spread: float, prior: float, *, level: float = LEVEL) -> float:
    """Return how far the bounds of `apart` are from an estimate of this variance V > 0; the prior is τ²."""
    return math.sqrt(spread * (spread + prior) / prior * (2 * math.log(1 / level) + math.log1p(prior / spread)))
