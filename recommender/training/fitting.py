"""Fitting one model of a training: told as it goes on, stopped when it costs too much, left out when it fails."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kpplatform.jobs.running import LeaseLost
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender.ml import models, together
from recommender.ml.factors import Factors
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.model import Model, Progress
from recommender.ml.models import UnknownModel
from recommender.ml.popularity import recent
from recommender.ml.sequence.memory import give_back
from recommender.ml.sequence.stepping import TrainingFailed
from recommender.ml.together import Asked
from recommender.training import devices
from recommender.training.candidates import ALS, BIAS, RECENT_ALS, Budget, Candidate
from recommender.training.memory import forget_peak, peak_mb
from recommender.training.runs import RunLog
from recommender.training.snapshots import forget_old

SEED = 0
SLACK = 4.0  # times its share of the time that a fit may take before it is stopped
# What is one model's fault and must not end the training.
# torch says RuntimeError when the processor's memory is full, scipy when a decomposition does not converge.
FAULTS = (BrokenData, UnknownModel, TrainingFailed, MemoryError, RuntimeError, ArithmeticError, ValueError)


class OverBudgetError(Exception):
    """A fit that takes longer than it may."""

    code = "took_too_long"


class Timer:
    """Tells of progress, and stops what takes longer than so many seconds at its next step; each fit has so many."""

    def __init__(self, seconds: float, progress: Progress) -> None:
        self.seconds, self.progress = seconds, progress
        self.began = self.told = time.monotonic()
        self.done = 0

    def __call__(self, done: int, of: int) -> None:
        self.progress(done, of)
        if done <= self.done:  # another fit has begun since
            self.began = self.told
        self.done, self.told = done, time.monotonic()
        taken = self.told - self.began
        if taken > self.seconds and done < of:
            raise OverBudgetError(f"{taken:.0f} s, and {done} of {of} steps are done.")


@contextmanager
def measured(run: RunLog, *, foreseen_s: float, foreseen_mb: float = 0.0) -> Iterator[None]:
    """Write down what something cost beside what was foreseen."""
    run.write()  # with the peak until now
    give_back()
    forget_peak()
    before, began = peak_mb(), time.monotonic()
    try:
        yield
    finally:
        run.run.costs[run.curve] = {
            "seconds": round(time.monotonic() - began, 2),
            "seconds_foreseen": round(foreseen_s, 2),
            "mb": round(max(peak_mb() - before, 0), 1),
            "mb_foreseen": round(foreseen_mb, 1),
        }


@dataclass
class Fits:
    """The models that were fitted on some data, by name, and why the others were not."""

    run: RunLog
    data: Interactions
    budget: Budget
    models: dict[str, Model] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    als: Candidate | None = None

    def fit(self, candidate: Candidate) -> None:
        """Fit a model and keep it, or note why it could not be."""
        self.als = candidate if candidate.name == ALS else self.als
        is_known = candidate.is_fit_of(self.als)
        if is_known and ALS in self.failed:
            self.leave_out(candidate, self.failed[ALS])
            return
        seconds = 0.0 if is_known else candidate.seconds
        cost = measured(self.run, foreseen_s=seconds, foreseen_mb=candidate.mb)
        with self.excused(candidate), cost:
            self.models[candidate.name] = self._fitted(candidate)

    def leave_out(self, candidate: Candidate, code: str, why: object = "") -> None:
        """Go on without the model, and note why."""
        self.models.pop(candidate.name, None)
        self.failed[candidate.name] = code
        self.run.note(f"{candidate.name} is left out: {code}. {why}".strip())

    @contextmanager
    def excused(self, candidate: Candidate) -> Iterator[None]:
        """Leave the model out, with a note, when it fails in here."""
        try:
            yield
        except LeaseLost:
            raise
        except (OverBudgetError, *FAULTS) as error:
            code = str(getattr(error, "code", type(error).__name__))
            code = "out_of_memory" if isinstance(error, MemoryError | torch.OutOfMemoryError) else code
            self.leave_out(candidate, code, error)

    def _fitted(self, candidate: Candidate) -> Model:
        als = self.models.get(ALS)
        if candidate.is_fit_of(self.als) and isinstance(als, Factors):
            return _with_recent(als, self.data, candidate.settings)
        run, device = self.run, devices.device()
        if not candidate.is_long:
            timer = Timer(SLACK * self.budget.seconds_of_one, run.progress)
            name, settings = candidate.name, candidate.settings
            return models.fit(name, self.data, settings=settings, seed=SEED, device=device, progress=timer)
        kept = checkpoints(run) / run.run.stage / candidate.name
        asked = Asked(candidate.name, self.data, candidate.settings, SEED, device, kept)
        told: dict[str, Any] = {"progress": run.progress, "curve": run.point}
        if (many := devices.processes()) > 1:
            return together.fit(asked, processes=many, **told)
        return asked.fit(**told)


def checkpoints(run: RunLog) -> Path:
    """Return where the training's long fits write down how far they have come; it has it for itself."""
    with scope(run.tenant):
        return tenant_folder("training", "checkpoints", f"run-{run.run.pk}")


def forget_checkpoints(run: RunLog) -> None:
    """Delete them, for the training has come to its end, and those that were given up long ago."""
    own = checkpoints(run)
    shutil.rmtree(own, ignore_errors=True)
    if own.parent.is_dir():
        forget_old(own.parent.iterdir())
        with suppress(OSError):  # another training of the tenant has some
            own.parent.rmdir()


def _with_recent(als: Factors, data: Interactions, settings: Mapping[str, Any]) -> Factors:
    """Return the same factors with what is recent as the items' bias: `recent-als` without another fit."""
    config = replace(models.MODELS[RECENT_ALS].config, **{name: settings[name] for name in BIAS if name in settings})
    return replace(als, name=RECENT_ALS, item_bias=np.float32(config.recency) * recent(data, days=config.days))


def settings_of(candidates: Mapping[str, Candidate]) -> dict[str, dict[str, float]]:
    """Return the settings of each, as the training's row keeps them."""
    return {name: dict(of.settings) for name, of in candidates.items()}
