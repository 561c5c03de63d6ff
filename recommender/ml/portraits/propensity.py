"""How likely it is that a viewer stays away, or buys: a logistic regression on what their past looks like.

The time split: learned from the window before last, judged on the last, which no feature has seen. Shapes: U viewers,
N events, C columns.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from recommender.ml.arrays import Flags, Floats
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.calibration import Chances, Report, report
from recommender.ml.portraits.interests import DAY_MS

COLUMNS = (
    "days_since_last",
    "days_since_first",
    "events",
    "events_7d",
    "events_28d",
    "active_days_28d",
    "share_watched",
    "liked",
    "items",
    "bought",
)
FEWEST_VIEWERS = 100
FEWEST_CASES = 10  # to whom it happened, and to whom not
TOO_FEW_VIEWERS = "too_few_viewers"
TOO_FEW_CASES = "too_few_cases"


@dataclass(frozen=True)
class Window:
    """What was known of viewers at a moment, and what came in the days after."""

    known: Flags  # (U,) who had done anything by then
    columns: Floats  # (U, C)
    gone: Flags  # (U,) nothing came
    bought: Flags  # (U,)


@dataclass(frozen=True)
class Propensity:
    """A fitted regression."""

    mean: Floats  # (C,)
    scale: Floats  # (C,)
    weights: Floats  # (C,)
    bias: float

    def chances(self, columns: Floats) -> Chances:
        """Return the chance (U,) of viewers with these columns (U, C)."""
        reach = (columns - self.mean) / self.scale @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(reach, -30, 30))), np.float64)

    def named(self) -> dict[str, float]:
        """Return the weight of each column, per deviation: above 0 speaks for it."""
        return {name: round(float(weight), 4) for name, weight in zip(COLUMNS, self.weights, strict=True)}


@dataclass(frozen=True)
class Judged:
    """A propensity and its report, or the reason why there is none."""

    model: Propensity | None
    report: Report | None
    reason: str = ""


def window(block: Block, *, at_ms: int, days: int) -> Window:
    """Return the viewers as they were at a moment and what came in the `days` after it."""
    past = block.where(block.at < at_ms)
    came = block.where((block.at >= at_ms) & (block.at < at_ms + days * DAY_MS))
    everything = np.ones(len(came), np.bool_)
    return Window(
        known=past.count(np.ones(len(past), np.bool_)) > 0,
        columns=columns(past, at_ms=at_ms),
        gone=came.count(everything) == 0,
        bought=came.count(came.bought) > 0,
    )


def columns(past: Block, *, at_ms: int) -> Floats:
    """Return COLUMNS of each viewer (U, C), from what they had done by then."""
    everything = np.ones(len(past), np.bool_)
    age = (at_ms - past.at) / DAY_MS  # (N,)
    last = np.full(past.viewers, np.inf)
    np.minimum.at(last, past.viewer, age)
    first = np.zeros(past.viewers)
    np.maximum.at(first, past.viewer, age)
    was_watched = ~np.isnan(past.watched)
    watched = np.bincount(past.viewer, np.clip(np.nan_to_num(past.watched), 0, 1), past.viewers)
    told = [
        np.log1p(np.where(np.isinf(last), first, last)),
        np.log1p(first),
        *(np.log1p(past.count(age < days)) for days in (np.inf, 7, 28)),
        _different(past, past.at // DAY_MS, age < 28),
        watched / np.maximum(past.count(was_watched), 1),
        np.log1p(past.count(past.liked)),
        np.log1p(_different(past, past.item.astype(np.int64), everything)),
        np.log1p(past.count(past.bought)),
    ]
    return np.stack(told, 1).astype(np.float32)  # (U, C)


def learn(learned: tuple[Floats, Flags], judged: tuple[Floats, Flags]) -> Judged:
    """Fit columns (U, C) and what came (U,), and judge on those of a later window.

    What is returned is fitted on both windows, so that it has seen the latest; the report is of the first fit alone.
    """
    if min(len(learned[1]), len(judged[1])) < FEWEST_VIEWERS:
        return Judged(None, None, TOO_FEW_VIEWERS)
    if min(_cases(learned[1]), _cases(judged[1])) < FEWEST_CASES:
        return Judged(None, None, TOO_FEW_CASES)
    measured = report(fit(*learned).chances(judged[0]), judged[1])
    both = np.concatenate([learned[0], judged[0]]), np.concatenate([learned[1], judged[1]])
    return Judged(fit(*both), measured)


def fit(columns: Floats, came: Flags) -> Propensity:
    """Return the regression of what came (U,) on columns (U, C), each brought to mean 0 and deviation 1."""
    mean, scale = columns.mean(0), np.maximum(columns.std(0), np.float32(1e-6))
    found = LogisticRegression(max_iter=500).fit((columns - mean) / scale, came)
    return Propensity(mean, scale, found.coef_[0].astype(np.float32), float(found.intercept_[0]))


def _cases(came: Flags) -> int:
    return int(min(came.sum(), (~came).sum()))


def _different(past: Block, value: np.ndarray, kept: Flags) -> np.ndarray:
    """Return how many different values (N,) each viewer's kept events have: (U,)."""
    pairs = np.unique(np.stack([past.viewer[kept].astype(np.int64), value[kept]]), axis=1)
    return np.bincount(pairs[0], minlength=past.viewers)
