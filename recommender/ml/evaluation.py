"""How good a model is on what it could not know: fit on the past, rank all items, look at what came after."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.ml import metrics, models
from recommender.ml.arrays import Ints
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.model import Progress, Scorer
from recommender.ml.ranking import recommend
from recommender.ml.reading import read_folder
from recommender.ml.splits import Split, later_slice, leave_one_out, time_split

LEAVE_ONE_OUT, TIME_SPLIT = PROTOCOLS = ("leave-one-out", "time-split")
SPLIT_AT: Mapping[str, int] = {"kuairand-pure": 1_651_334_400_000}  # published boundaries, by the folder's name
FIGURES = {"ndcg": (20,), "recall": (50, 100, 200)}  # reported beside all metrics at k


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


@dataclass(frozen=True)
class Judgement:
    """How one model did: per judged viewer, so that two models can be compared in pairs."""

    viewers: Ints  # (B,) codes of those who wanted something new
    scores: Mapping[str, metrics.Scores]  # "ndcg@10" and so on: (B,)
    coverage: float  # share of the items on anyone's first k places


def evaluate(
    question: Question,
    *,
    fitting: Progress | None = None,
    ranking: Callable[[int], object] | None = None,
) -> dict[str, str | int | float]:
    """Return one row of figures. Raises BrokenData or UnknownModel."""
    data = read_folder(question.folder)
    split = _split(data, question)
    began = time.perf_counter()
    fitted = models.fit(
        question.model,
        split.train,
        settings=question.settings,
        seed=question.seed,
        device=question.device,
        progress=fitting,
    )
    fit_s = time.perf_counter() - began
    judged = judge(fitted, split, k=question.k, progress=ranking)
    if not len(judged.viewers):
        raise BrokenData("nothing_to_judge", f"No viewer of {question.folder} wanted anything new in the test.")
    return {
        "model": question.model,
        "protocol": question.protocol,
        **{name: round(float(scores.mean()), 4) for name, scores in judged.scores.items()},
        f"coverage@{question.k}": round(judged.coverage, 4),
        "fit_s": round(fit_s, 2),
        "rank_s": round(time.perf_counter() - began - fit_s, 2),
        "peak_mb": round(peak_mb(), 1),
        "viewers": len(judged.viewers),
        "items": data.shape[1],
        "events": len(split.train),
        "k": question.k,
        "seed": question.seed,
    }


def judge(model: Scorer, split: Split, *, k: int = 10, progress: Callable[[int], object] | None = None) -> Judgement:
    """Rank all items for the viewers of the test and look where the new ones stand that they wanted.

    An item that the viewer met in training is neither ranked nor wanted. The model's codes are those of the split.
    """
    items = split.train.shape[1]
    cells = np.unique(split.test.cells())
    new = cells[~np.isin(cells, split.train.cells())]
    who, wanted = np.unique(new // items, return_counts=True)
    viewers = who.astype(np.int32)
    deepest = max(k, *(place for places in FIGURES.values() for place in places))
    pages = recommend(model, data=split.train, viewers=viewers, k=deepest, progress=progress)
    hits = metrics.hits(pages, viewers=viewers, wanted=new, items=items)
    return Judgement(
        viewers=viewers,
        scores={f"{name}@{place}": metrics.METRICS[name](hits[:, :place], wanted) for name, place in _figures(k)},
        coverage=metrics.coverage(pages[:, :k], items=items),
    )


def peak_mb() -> float:
    """Return the most memory (MiB) this process ever held; its own, not that of the process it came from."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


def _split(data: Interactions, question: Question) -> Split:
    if question.protocol == LEAVE_ONE_OUT:
        return leave_one_out(data)
    published = SPLIT_AT.get(question.folder.resolve().name)
    return time_split(data, at=question.split_at or published or later_slice(data))


def _figures(k: int) -> Iterable[tuple[str, int]]:
    at_k = [(name, k) for name in metrics.METRICS]
    return dict.fromkeys([*at_k, *((name, place) for name, places in FIGURES.items() for place in places)])
