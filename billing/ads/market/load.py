"""How many ads a feed bears: of what was tried, the load that is likely to bring most for long.

Shapes: A arms. A load x is the ads by 100 items. Two lines are laid through what the arms did, weighted by their
variances: log days(x) = a + b x with b ≤ 0, the days on which a viewer is there, and income(x) = c₀ + c₁ x + c₂ x² with
c₂ ≤ 0, what a viewer brings on such a day by all ways of earning together. What a load takes away in a week it takes
away in each week anew (Huang, Reiley and Riabov, "Measuring Consumer Sensitivity to Audio Advertising", 2018: after
more than a year the loss still grew), so in the long run, a week counting δ of the one before it,

    worth(x) = income(x) · days(x) / (1 − δ · exp(b (x − lightest load tried))).

Days and income on a day err together as far as they did viewer by viewer: where who is there more often brings more
on each day, both are off to the same side.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from kpplatform.experiments import FEWEST, LEVEL, reach

Floats = NDArray[np.float64]

DISCOUNT = 0.9  # of a week against the one before it: ten weeks in all
MOST_APART = 100  # items between two ads, where no ads at all were tried too
BENT = 0.001  # a p-value below this says that no line goes through the arms
STEP = 1e-3  # of what a parameter is likely to be off, where a slope is measured


class Tried(NamedTuple):
    """An arm: items between two ads (0: none), and of a viewer's week the mean and variance, viewer by viewer.

    `income` is that of a day on which the viewer is there; `covariance` is that of both.
    """

    every: int
    viewers: int
    days: float
    days_variance: float
    income: float
    income_variance: float
    covariance: float = 0.0

    @property
    def load(self) -> float:
        return load_of(self.every)


class Bounds(NamedTuple):
    """An estimate and the bounds that hold however often one looks."""

    mean: float
    low: float
    high: float


class Answer(StrEnum):
    """What may be said of the best load."""

    SUGGESTED = "suggested"
    TOO_FEW = "too_few"  # viewers of an arm, or of them who brought something
    TOO_WIDE = "too_wide"  # it is not known well enough what the loads do to the days
    BENT = "bent"  # no line goes through what the arms did
    UNSURE = "unsure"  # what seems best is not surely better than the first arm


@dataclass(frozen=True)
class Suggestion:
    """The load that is likely to bring most for long; none where not enough is known.

    `slope` is the change of the log of the days by an ad more in 100 items; `kept` are the days beside those of the
    first arm, 1 being as many, and `gain` is what a viewer brings more than in it, in the unit of the income.
    """

    answer: Answer
    every: int | None = None
    slope: Bounds | None = None
    kept: Bounds | None = None
    gain: Bounds | None = None


@dataclass(frozen=True)
class Fitted:
    """The parameters (a, b, c₀, c₁, c₂), their covariance, and what it would be with the fewest viewers in each arm."""

    parameters: Floats
    covariance: Floats
    prior: Floats
    lightest: float
    p: float  # that the days lie on a line

    def bounds(self, told: Callable[[Floats], float], *, level: float) -> Bounds:
        """Return what is told of the parameters with its bounds: linear in them, as far as they are likely to be off.

        The mixture's variance is that with the fewest viewers, as in `kpplatform.experiments`.
        """
        slopes = np.array([(told(up) - told(down)) / size for up, down, size in self._around()])
        mean, spread = told(self.parameters), float(slopes @ self.covariance @ slopes)
        far = reach(spread, float(slopes @ self.prior @ slopes), level=level) if spread > 0 else 0.0
        return Bounds(mean, mean - far, mean + far)

    def _around(self) -> Iterator[tuple[Floats, Floats, float]]:
        for step in np.diag(STEP * np.sqrt(np.diag(self.covariance))):
            yield self.parameters + step, self.parameters - step, 2 * float(step.sum())

    def worth(self, loads: Floats, parameters: Floats | None = None) -> Floats:
        """Return what a viewer brings in the long run at each of these loads (n,)."""
        a, b, *income = self.parameters if parameters is None else parameters
        left = 1 - DISCOUNT * np.exp(b * (loads - self.lightest))
        worth: Floats = np.polynomial.Polynomial(income)(loads) * np.exp(a + b * loads) / left
        return worth


def load_of(every: int) -> float:
    """Return the ads by 100 items with so many items between two of them."""
    return 100 / every if every else 0.0


def suggest(tried: Sequence[Tried], *, floor: float, level: float = LEVEL) -> Suggestion:
    """Return the best load of those between the lightest and the heaviest tried, at which surely enough come back.

    `floor` is which share of the days of the first arm viewers may be away at most, e.g. 0.05. Nothing is said unless
    what the loads do to the days is known as exactly as that over all that was tried; and unless the best is surely
    better than the first arm, or is the first arm itself.
    """
    if any(arm.viewers < FEWEST or arm.days <= 0 or arm.days_variance <= 0 for arm in tried):
        return Suggestion(Answer.TOO_FEW)
    fitted = fit(tried)
    slope = fitted.bounds(lambda parameters: float(parameters[1]), level=level / 2)
    heaviest, first, tolerated = max(arm.load for arm in tried), tried[0].load, -np.log1p(-floor)
    if fitted.p < BENT:
        return Suggestion(Answer.BENT, slope=slope)
    if (slope.high - slope.low) / 2 * (heaviest - fitted.lightest) > tolerated:
        return Suggestion(Answer.TOO_WIDE, slope=slope)
    every = _candidates(tried)
    loads = np.array([load_of(of) for of in every])
    worst = np.minimum(slope.low, 0.0) * np.maximum(loads - first, 0.0)  # lighter than the first arm: as many or more
    worth = np.where(worst >= -tolerated, fitted.worth(loads), -np.inf)
    best = int(worth.argmax())
    gain = fitted.bounds(lambda parameters: _gain(fitted, loads[best], first, parameters), level=level / 2)
    kept = _kept(slope, float(loads[best]) - first)
    if every[best] != tried[0].every and gain.low <= 0:
        return Suggestion(Answer.UNSURE, slope=slope, kept=kept, gain=gain)
    return Suggestion(Answer.SUGGESTED, every[best], slope, kept, gain)


def fit(tried: Sequence[Tried]) -> Fitted:
    """Lay the lines through the arms. What would rise with the load, or curve upwards, is taken as level or straight.

    The income of a viewer's day is taken to vary alike in all arms, and alike with the days: where hardly anybody pays,
    an arm in which nobody has by chance is no surer than the others.
    """
    told = np.array([(arm.load, arm.viewers, arm.days, arm.income) for arm in tried])
    loads, viewers, days, income = told.T
    unsure = np.array([arm.days_variance for arm in tried]) / days**2  # of the log of a viewer's days
    spread = np.full(len(tried), np.mean([arm.income_variance for arm in tried]) or 1.0)
    most = sum(sqrt(arm.days_variance * arm.income_variance) for arm in tried) or 1.0
    both = sum(arm.covariance for arm in tried) / most * np.sqrt(unsure * spread)
    line = _squares(loads, unsure / viewers, degree=1) @ np.log(days)
    degree = min(2, len(tried) - 1)
    curve = _squares(loads, spread / viewers, degree=degree) @ income
    if degree > 1 and curve[2] > 0:
        degree = 1
        curve = _squares(loads, spread / viewers, degree=degree) @ income
    off = float(((np.log(days) - line[0] - line[1] * loads) ** 2 * viewers / unsure).sum())
    return Fitted(
        parameters=np.concatenate([line[:1], np.minimum(line[1:], 0.0), curve]),
        covariance=_covariance(loads, unsure / viewers, spread / viewers, both / viewers, degree=degree),
        prior=_covariance(loads, unsure / FEWEST, spread / FEWEST, both / FEWEST, degree=degree),
        lightest=float(loads.min()),
        p=float(chdtrc(len(tried) - 2, off)) if len(tried) > 2 else 1.0,
    )


def _squares(x: Floats, variance: Floats, *, degree: int) -> Floats:
    """Return what makes points (A,) the weighted least squares' polynomial through them (degree + 1, A)."""
    powers = np.vander(x, degree + 1, increasing=True)  # (A, degree + 1)
    weighted = (powers / variance[:, None]).T  # (degree + 1, A)
    line: Floats = np.linalg.solve(weighted @ powers, weighted).astype(np.float64)
    return line


def _covariance(loads: Floats, days: Floats, income: Floats, both: Floats, *, degree: int) -> Floats:
    """Return the covariance of the line through the log of the days and the curve through the income.

    Given are the variances of the points (A,), and the covariance of both in each arm.
    """
    line, curve = _squares(loads, days, degree=1), _squares(loads, income, degree=degree)
    return np.block([[line * days @ line.T, line * both @ curve.T], [curve * both @ line.T, curve * income @ curve.T]])


def _candidates(tried: Sequence[Tried]) -> list[int]:
    """Return every whole number of items between two ads that is neither lighter nor heavier than all that was tried.

    Of what brings the same, the lightest comes first.
    """
    some = [arm.every for arm in tried if arm.every]
    has_none = len(some) < len(tried)
    return [*([0] if has_none else []), *range(MOST_APART if has_none else max(some), min(some) - 1, -1)]


def _gain(fitted: Fitted, best: float, first: float, parameters: Floats) -> float:
    there, here = fitted.worth(np.array([best, first]), parameters)
    return float(there - here)


def _kept(slope: Bounds, more: float) -> Bounds:
    """Return which share of the days is kept with so many ads more in 100 items, 1 being all of them."""
    mean, *ends = (float(np.exp(min(of, 0.0) * more)) for of in slope)
    return Bounds(mean, min(ends), max(ends))
