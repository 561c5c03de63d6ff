"""How good a model is on what it could not know: fit on the past, rank all items, look at what came after."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.ml import models
from recommender.ml.blended import Blended
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.judgement import Judgement, judge
from recommender.ml.metrics import intervals, paired_tests
from recommender.ml.model import Progress
from recommender.ml.reading import read_folder
from recommender.ml.splits import BY_INTERACTION, Split, k_fold, later_slice, leave_one_out, time_split

__all__ = [
    "PROTOCOLS",
    "SPLIT_AT",
    "Judgement",
    "Measured",
    "Question",
    "compare",
    "evaluate",
    "judge",
    "measure",
    "measure_on",
    "peak_mb",
    "splits",
]

LEAVE_ONE_OUT, TIME_SPLIT, K_FOLD = PROTOCOLS = ("leave-one-out", "time-split", "k-fold")
SPLIT_AT: Mapping[str, int] = {"kuairand-pure": 1_651_334_400_000}  # published boundaries, by the folder's name
ROUNDS = 500  # of the bootstrap and of the test

Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What is asked of one model."""

    folder: Path
    protocol: str
    model: str
    k: int = 10
    seed: int = 0
    split_at: int | None = None  # milliseconds since the epoch, for a time split
    settings: Mapping[str, float] | None = None
    device: str = "cpu"
    folds: int = 5  # for k-fold
    by: str = BY_INTERACTION  # one of splits.FOLDED_BY
    tell_when: bool = False  # whether models know the moment at which a page is asked for, as they do when they serve
    checkpoints: Path | None = None  # where a model that takes long writes down how far it has come


@dataclass(frozen=True)
class Trial:
    """One fit and how it was judged."""

    judged: Judgement
    events: int
    fit_s: float
    rank_s: float
    weights: Mapping[str, float]  # how much each part of a blended model counts, else of nothing


@dataclass(frozen=True)
class Measured:
    """A model's row of figures, and per viewer what it comes from."""

    row: Row
    judged: Judgement


def evaluate(
    question: Question, *, fitting: Progress | None = None, ranking: Callable[[int], object] | None = None
) -> Row:
    """Return one row of figures. Raises BrokenData or UnknownModel."""
    return measure(question, fitting=fitting, ranking=ranking).row


def measure(
    question: Question, *, fitting: Progress | None = None, ranking: Callable[[int], object] | None = None
) -> Measured:
    """Return a model's figures, over all folds where there are several. Raises BrokenData or UnknownModel."""
    return measure_on(read_folder(question.folder), question, fitting=fitting, ranking=ranking)


def measure_on(
    data: Interactions,
    question: Question,
    *,
    fitting: Progress | None = None,
    ranking: Callable[[int], object] | None = None,
    folding: Progress | None = None,
) -> Measured:
    """Return a model's figures on data that are read already; `folding` is told of every fold that is done.

    Raises BrokenData or UnknownModel.
    """
    trials: list[Trial] = []
    for split in splits(data, question):
        trials.append(_tried(question, split, fitting, ranking))
        if folding:
            folding(len(trials), question.folds if question.protocol == K_FOLD else 1)
    return _measured(trials, question, items=data.shape[1])


def _measured(trials: Sequence[Trial], question: Question, *, items: int) -> Measured:
    judged = Judgement.joined([trial.judged for trial in trials])
    if not all(len(trial.judged.viewers) for trial in trials):
        raise BrokenData("nothing_to_judge", "No viewer wanted anything new in the test.")
    cost = {
        "fit_s": round(sum(trial.fit_s for trial in trials), 2),
        "rank_s": round(sum(trial.rank_s for trial in trials), 2),
        "peak_mb": round(peak_mb(), 1),
    }
    size = {"viewers": len(judged.viewers), "items": items, "events": trials[0].events}
    asked = {"k": question.k, "seed": question.seed}
    row = {
        "model": question.model,
        "protocol": question.protocol,
        **_figures(trials, question),
        **cost,
        **size,
        **asked,
    }
    sure = intervals(judged.scores, seed=question.seed, rounds=ROUNDS)
    bounds = {name: [round(of.low, 4), round(of.high, 4)] for name, of in sure.items()}
    weights = {"weights": dict(trials[0].weights)} if trials[0].weights else {}
    return Measured({**row, "intervals": bounds, **_spread(trials, question), **weights}, judged)


def compare(ours: Measured, theirs: Measured, *, seed: int = 0) -> Row:
    """Return by how much the one model beats the other for the same viewers, each metric with its interval and p."""
    tests = paired_tests(ours.judged.scores, theirs.judged.scores, seed=seed, rounds=ROUNDS)
    differences = {name: {key: round(value, 4) for key, value in asdict(of).items()} for name, of in tests.items()}
    return {"model": ours.row["model"], "beside": theirs.row["model"], "differences": differences}


def peak_mb() -> float:
    """Return the most memory (MiB) this process ever held; its own, not that of the process it came from."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def _tried(
    question: Question, split: Split, fitting: Progress | None, ranking: Callable[[int], object] | None
) -> Trial:
    if not question.tell_when:
        split = replace(split, train=replace(split.train, asked_at=None))
    began = time.perf_counter()
    fitted = models.fit(
        question.model,
        split.train,
        settings=question.settings,
        seed=question.seed,
        device=question.device,
        progress=fitting,
        checkpoints=question.checkpoints,
    )
    learned = time.perf_counter()
    judged = judge(fitted, split, k=question.k, progress=ranking)
    weights = fitted.weights.share if isinstance(fitted, Blended) else {}
    return Trial(judged, len(split.train), learned - began, time.perf_counter() - learned, weights)


def splits(data: Interactions, question: Question) -> Iterable[Split]:
    """Return what to learn from and what to judge on, as a question asks."""
    if question.protocol == LEAVE_ONE_OUT:
        return [leave_one_out(data)]
    if question.protocol == K_FOLD:
        return k_fold(data, folds=question.folds, by=question.by, seed=question.seed)
    published = SPLIT_AT.get(question.folder.resolve().name)
    return [time_split(data, at=question.split_at or published or later_slice(data))]


def _figures(trials: Sequence[Trial], question: Question) -> dict[str, float]:
    """Return the mean over the folds of every figure."""
    each = [_of_fold(trial.judged, question.k) for trial in trials]
    return {name: round(float(np.mean([fold[name] for fold in each])), 4) for name in each[0]}


def _spread(trials: Sequence[Trial], question: Question) -> Row:
    """Return the standard deviation of every figure between the folds, where there are several."""
    if len(trials) < 2:
        return {}
    each = [_of_fold(trial.judged, question.k) for trial in trials]
    spread = {name: round(float(np.std([fold[name] for fold in each], ddof=1)), 4) for name in each[0]}
    return {"folds": len(trials), "by": question.by, "spread": spread}


def _of_fold(judged: Judgement, k: int) -> dict[str, float]:
    means = {name: float(scores.mean()) if len(scores) else 0.0 for name, scores in judged.scores.items()}
    return {**means, f"coverage@{k}": judged.coverage, f"gini@{k}": judged.gini}
