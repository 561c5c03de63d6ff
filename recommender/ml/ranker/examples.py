"""What a ranker learns from and is judged by: questions with their features and what came of them.

Shapes: M questions, F features, H heads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from recommender.ml.arrays import Flags, Floats, Longs
from recommender.ml.ranker.facts import Asked, Items, Log
from recommender.ml.ranker.features import Scale, features
from recommender.ml.ranker.targets import CHANCES, HEADS, Answers, Places, answers, labels

FEWEST = 500  # views to learn from
FEWEST_OF_A_KIND = 20  # long views, and views that were not


class TooLittle(Exception):
    """There is too little to learn a ranker from; `code` says what is missing."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True)
class Examples:
    """Questions (M,), their features (M, F) and for each head the right answer (M,), NaN where it is unknown."""

    asked: Asked
    features: Floats
    labels: Mapping[str, Floats]
    answers: Answers

    def __len__(self) -> int:
        return len(self.asked)

    def where(self, kept: Flags | Longs) -> Self:
        """Return some of the questions."""
        return type(self)(
            asked=self.asked.where(kept),
            features=self.features[kept],
            labels={head: told[kept] for head, told in self.labels.items()},
            answers=Answers(*(getattr(self.answers, column.name)[kept] for column in fields(Answers))),
        )


@dataclass(frozen=True)
class World:
    """All that was told, and what is usual in it."""

    log: Log
    also: Log  # follows and purchases, which no history tells of
    items: Items
    scale: Scale
    places: Places

    @classmethod
    def of(cls, log: Log, items: Items, *, until: int, also: Log | None = None) -> Self:
        """Take a log; what is usual is what was usual before a moment."""
        before = log.where(log.at < until)
        scale = Scale.of(before, items)
        bucket = scale.buckets(items.duration_ms[before.item])
        also = log.nothing() if also is None else also
        return cls(log, also, items, scale, Places.of(before.seconds, bucket, buckets=len(scale.edges) + 1))

    def examples(self, asked: Asked, rows: Longs) -> Examples:
        """Return questions (M,) with what came of them: rows (M,) of the log, −1 for what was not watched."""
        came = answers(self.log, self.also, self.items, asked, rows)
        bucket = self.scale.buckets(self.items.duration_ms[asked.item])
        told = features(self.log, self.items, self.scale, asked)
        return Examples(asked, told, labels(came, bucket, self.places), came)


def usual_answers(examples: Examples) -> dict[str, float]:
    """Return what each head says where nothing is known: log-odds of a chance, the median of a number."""
    return {head: _usual(head, examples.labels[head]) for head in HEADS}


def _usual(head: str, told: Floats) -> float:
    known = told[~np.isnan(told)]
    if head not in CHANCES:
        return float(np.median(known)) if len(known) else 0.0
    share = (known.sum() + 0.5) / (len(known) + 1)
    return float(np.log(share / (1 - share)))


def learnable(head: str, told: Floats) -> bool:
    """Return whether there is enough of each answer to learn a head from (M,)."""
    known = told[~np.isnan(told)]
    if head not in CHANCES:
        return len(known) >= FEWEST and bool(known.min() < known.max())
    return bool(min(known.sum(), len(known) - known.sum()) >= FEWEST_OF_A_KIND)


def refuse_too_little(examples: Examples) -> None:
    """Raise TooLittle where there are too few views, or all of them are long, or none."""
    if len(examples) < FEWEST:
        raise TooLittle("too_few_views", f"There are {len(examples)} views, {FEWEST} are needed.")
    if not np.isfinite(examples.features).all():
        raise TooLittle("features_not_finite", "Some features are no finite numbers.")
    if not learnable("long_view", examples.labels["long_view"]):
        raise TooLittle("views_all_alike", f"Fewer than {FEWEST_OF_A_KIND} views are long, or not long.")
