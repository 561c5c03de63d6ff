"""Judge rankers on a folder: learn from what came before a moment, foretell every view after it.

The table of items and the viewers' past end where the test begins, as in a version that is trained once and asked at
that moment. How long to learn is found on the last views before it; what is judged has learned anew from all of them,
as what a version ships has. Were the past told up to each view, gAUC would not measure ranking: after a long view a
viewer's rate is higher, and of the views that it is compared with fewer are long. `is_told_all` tells it nevertheless,
as a request is told of all that the viewer did before: that is what AUC, errors and XAUC will be where versions are
served.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.ml.arrays import Longs
from recommender.ml.evaluation import SPLIT_AT, peak_mb
from recommender.ml.interactions import BrokenData
from recommender.ml.ranker import choosing
from recommender.ml.ranker.choosing import Config
from recommender.ml.ranker.examples import Examples, World
from recommender.ml.ranker.facts import Items, Log, asked
from recommender.ml.ranker.features import silenced
from recommender.ml.reading import read_events, read_folder

Row = Mapping[str, str | int | float]
FROM_PLACE = 5  # a viewer's first views are told too little of
MOST_QUESTIONS = 400_000  # to learn from


@dataclass(frozen=True)
class Question:
    """What is asked."""

    folder: Path
    seed: int = 0
    split_at: int | None = None  # milliseconds since the epoch
    device: str = "cpu"
    config: Config = field(default_factory=Config)
    kinds: Sequence[str] = choosing.NAMES
    without: Sequence[str] = ()  # groups of features that nothing is told of
    is_told_all: bool = False  # of the viewers' past up to each view, and of items up to its day


def evaluate(question: Question) -> list[Row]:
    """Return a row of figures for each kind of ranker, the chosen one first. Raises BrokenData or TooLittle."""
    world, at = _world(question)
    train, test = (_without(question.without, examples) for examples in _examples(world, at, question))
    later = choosing.latest(train)
    rows: dict[str, dict[str, str | int | float]] = {}
    judged: dict[str, dict[str, float]] = {}
    for name in question.kinds:
        began = time.perf_counter()
        fitted = _fit(name, world, train.where(~later), train.where(later), at=at, question=question)
        told = choosing.foretold(fitted.ranker, world, train.where(later))
        judged[name] = choosing.figures(train.where(later), told)
        whole = _fit(name, world, train, at=at, question=question, effort=fitted.effort)
        fit_s = time.perf_counter() - began
        reached = choosing.figures(test, choosing.foretold(whole.ranker, world, test))
        rows[name] = {"model": name, **_rounded(reached), "fit_s": round(fit_s, 1), "effort": str(fitted.effort)}
    chosen = choosing.choose(judged)
    for name, row in rows.items():
        row |= {"chosen": int(name == chosen), "later_gauc": round(judged[name]["gauc"], 4),
                "later_xauc": round(judged[name]["xauc"], 4), "train": len(train), "seed": question.seed,
                "without": ", ".join(question.without), "told_all": int(question.is_told_all),
                "peak_mb": round(peak_mb(), 1)}  # fmt: skip
    return sorted(rows.values(), key=lambda row: row["model"] != chosen)


def _fit(
    name: str,
    world: World,
    train: Examples,
    later: Examples | None = None,
    *,
    at: int,
    question: Question,
    effort: Any = None,
) -> choosing.Fitted:
    return choosing.fit(
        name,
        world,
        train,
        later,
        at=at,
        config=question.config,
        seed=question.seed,
        device=question.device,
        effort=effort,
    )


def _world(question: Question) -> tuple[World, int]:
    events, data = read_events(question.folder), read_folder(question.folder)
    items = Items.of(data.item_ids, data.attributes)
    log = Log.gather(events, items)
    published = SPLIT_AT.get(question.folder.resolve().name)
    at = question.split_at or published or int(np.quantile(log.at, 0.8))
    if not (log.met & (log.at >= at)).any():
        raise BrokenData("nothing_to_judge", f"Nothing was watched in {question.folder} from {at} on.")
    return World.of(log, items, until=at), at


def _examples(world: World, at: int, question: Question) -> tuple[Examples, Examples]:
    """Return what was watched before and after a moment."""
    log = world.log
    known = log.met & ~np.isnan(log.long_view)
    place = np.arange(len(log)) - np.searchsorted(log.viewer, log.viewer)
    before: Longs = np.flatnonzero(known & (log.at < at) & (place >= FROM_PLACE))
    before = np.sort(before[np.argsort(-log.at[before], kind="stable")[:MOST_QUESTIONS]])
    after: Longs = np.flatnonzero(known & (log.at >= at))
    return (
        world.examples(asked(log, before), before),
        world.examples(asked(log, after, known_until=None if question.is_told_all else at), after),
    )


def _without(groups: Sequence[str], examples: Examples) -> Examples:
    return replace(examples, features=silenced(examples.features, groups)) if groups else examples


def _rounded(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}
