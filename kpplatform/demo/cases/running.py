"""Do a case from its world to its lists, and count what it took."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kpplatform.demo.cases.case import Case
from kpplatform.demo.cases.listing import write_lists
from kpplatform.demo.cases.telling import Told, tell
from recommender.ml import models
from recommender.ml.evaluation import judge, peak_mb
from recommender.ml.model import Progress, Scorer

BASELINES = ("popularity", "recent-popularity")

Summary = dict[str, Any]


def run(case: Case, *, to: Path | None = None, seed: int = 0, progress: Progress | None = None) -> Summary:
    """Generate the case's world, learn from it, make everybody's list, and return what came of it.

    Raises UnknownModel, or TrainingFailed where a training ends without a model.
    """
    took: dict[str, float] = {}
    with _timed(took, "world"):
        told = tell(case, seed=seed)
    with _timed(took, "fit"):
        model = models.fit(case.model, told.learned, settings=case.settings, seed=seed, progress=progress)
    with _timed(took, "list"):
        listed = write_lists(model, told, places=case.places, to=to)
    peak = peak_mb()
    judged = {case.model: model, **{name: models.fit(name, told.learned) for name in BASELINES}}
    return {
        "case": case.name,
        "model": case.model,
        "settings": dict(case.settings),
        "signals": list(case.signals),
        "viewers": listed.viewers,
        "items": case.items,
        "events": len(told.met),
        "learned_from": len(told.learned),
        "places": case.places,
        "lists_too_short": listed.short,
        **took,
        "fit_and_list_s": round(took["fit_s"] + took["list_s"], 1),
        "peak_mb": round(peak, 1),
        "judged": len(told.judged.test),
        "seed": seed,
        **_figures(judged, told, case.places),
    }


@contextmanager
def _timed(took: dict[str, float], what: str) -> Iterator[None]:
    """Write down the seconds something takes, and those of processors, which tell more on a machine that is shared."""
    began, used = time.perf_counter(), time.process_time()
    yield
    took[f"{what}_s"] = round(time.perf_counter() - began, 1)
    took[f"{what}_cpu_s"] = round(time.process_time() - used, 1)


def _figures(judged: Mapping[str, Scorer], told: Told, places: int) -> Summary:
    """Return how well each model foretells the withheld events."""
    found: dict[str, dict[str, float]] = {f"ndcg@{places}": {}, f"hr@{places}": {}}
    for name, model in judged.items():
        scores = judge(model, told.judged, k=places).scores
        for measure, of in found.items():
            of[name] = round(float(scores[measure].mean()), 4) if len(scores[measure]) else 0.0
    return dict(found)
