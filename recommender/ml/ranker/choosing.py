"""Fit boosted trees and attention on the same questions; the one that foretells later ones better ships."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommender.ml.arrays import Flags, Floats
from recommender.ml.model import Progress
from recommender.ml.ranker import attending, boosted
from recommender.ml.ranker.examples import Examples, World, refuse_too_little
from recommender.ml.ranker.features import table
from recommender.ml.ranker.judging import auc, grouped_auc, mean_absolute_error, xauc
from recommender.ml.ranker.ranker import Ranker
from recommender.ml.ranker.targets import HEADS

LATER = 0.15  # of the questions, the last ones, are for judging
NAMES = (boosted.NAME, attending.NAME)
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Config:
    """How each kind is fitted."""

    trees: boosted.Config = field(default_factory=boosted.Config)
    network: attending.Config = field(default_factory=attending.Config)


@dataclass(frozen=True)
class Fitted:
    """A ranker and how long its fit went on, so that it can be repeated on more questions."""

    ranker: Ranker
    effort: Any


def latest(examples: Examples, *, share: float = LATER) -> Flags:
    """Return which questions (M,) are the last ones, by the share of those whose seconds are known."""
    at = examples.asked.at
    timed = at[~np.isnan(examples.labels["seconds"])]
    judged = timed if len(timed) else at
    return at >= np.quantile(judged, 1 - share) if len(at) else np.zeros(0, np.bool_)


def fit(
    name: str,
    world: World,
    train: Examples,
    later: Examples | None = None,
    *,
    at: int,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",
    effort: Any = None,
    progress: Progress | None = None,
) -> Fitted:
    """Return a ranker whose table of items is of the moment `at`. Raises TooLittle."""
    refuse_too_little(train)
    if name == boosted.NAME:
        program, spent = boosted.fit(train, later, config=config.trees, seed=seed, rounds=effort, progress=progress)  # type: tuple[bytes, Any]
    else:
        program, spent = attending.fit(
            world, train, later, config=config.network, seed=seed, device=device, epochs=effort, progress=progress
        )
    known = table(world.log, world.items, world.scale, at=at)
    return Fitted(Ranker(name, world.items, world.scale, known, at, program), spent)


def foretold(ranker: Ranker, world: World, examples: Examples) -> Floats:
    """Return what the ranker says of questions (M, H) of any viewers, in the order of the questions."""
    if ranker.name == boosted.NAME:
        return ranker.read(examples.features, world.log, examples.asked)
    return _by_viewer(ranker, world, examples)


def _by_viewer(ranker: Ranker, world: World, examples: Examples) -> Floats:
    """Ask what one history is enough for at once, as a web process does."""
    asked = examples.asked
    order = np.lexsort((asked.known_until, asked.viewer))
    moments = np.stack([asked.viewer, asked.known_until], axis=1)[order]
    starts = np.flatnonzero(np.append(True, (moments[1:] != moments[:-1]).any(axis=1)))
    told = np.empty((len(examples), len(HEADS)), np.float32)
    for rows in np.split(order, starts[1:]):
        own = world.log.of(int(asked.viewer[rows[0]]))
        told[rows] = ranker.read(examples.features[rows], own, asked.where(rows))
    return told


def figures(examples: Examples, told: Floats) -> dict[str, float]:
    """Return how well questions (M,) were foretold (M, H): of long views AUC and gAUC, of seconds MAE and XAUC."""
    by = {head: told[:, place] for place, head in enumerate(HEADS)}
    right, seconds = examples.labels["long_view"], examples.labels["seconds"]
    known, timed = ~np.isnan(right), ~np.isnan(seconds)
    grouped, viewers = grouped_auc(examples.asked.viewer[known], right[known], by["long_view"][known])
    return {
        "auc": auc(right[known], by["long_view"][known]),
        "gauc": grouped,
        "gauc_viewers": viewers,
        "mae_s": mean_absolute_error(seconds[timed], by["seconds"][timed]),
        "xauc": xauc(seconds[timed], by["order"][timed]),
        "questions": len(examples),
    }


def choose(judged: Mapping[str, Figures]) -> str:
    """Return the name of the better one: by the mean of gAUC (AUC where no viewer gave both answers) and XAUC."""

    def worth(name: str) -> float:
        told = judged[name]
        known = [told["auc"] if np.isnan(told["gauc"]) else told["gauc"], told["xauc"]]
        return float(np.nanmean(known)) if not np.isnan(known).all() else 0.0

    return max(judged, key=worth)
