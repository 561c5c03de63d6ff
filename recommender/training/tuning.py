"""Searching settings for a tenant: a row like that of a training, whose best settings the next trainings use."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender.ml.model import Point
from recommender.ml.searching import Trial, best, search
from recommender.models import TrainingRun
from recommender.training import devices
from recommender.training.judging import held_back
from recommender.training.reading import fingerprint, read
from recommender.training.runs import run_log

Kind, Stage = TrainingRun.Kind, TrainingRun.Stage


def tune(
    *,
    tenant: Tenant,
    model: str,
    minutes: float,
    at: datetime,
    told: Callable[[Trial], object] | None = None,
    **asked: Any,
) -> list[Trial]:
    """Try settings of a model on what was done before `at`, judged on its last fifth; keep every trial in the row.

    A search whose worker died goes on with the trials that its row has. Raises UnknownModel or BrokenData.
    """
    with run_log(tenant=tenant, kind=Kind.SEARCH, at=at) as run:
        run.enter(Stage.READING, until=0.05)
        with scope(tenant):
            data, _ = read(until=run.run.data_until, in_full=False)
        run.tell(device=devices.described(), data=fingerprint(data), events=len(data), plan={"minutes": minutes})
        known = [Trial(**trial) for trial in run.run.metrics.get("trials", [])]
        run.enter(Stage.FITTING, until=1.0, model=model)
        kept = list(known)

        def note(trial: Trial) -> None:
            kept.append(trial)
            run.point(Point(len(kept), None, trial.ndcg, sum(of.seconds for of in kept)))
            run.progress(int(sum(of.seconds for of in kept)), int(60 * minutes) + 1)
            run.tell(metrics={"trials": [of._asdict() for of in kept]})
            if told:
                told(trial)

        left = minutes - sum(of.seconds for of in known) / 60
        split = held_back(data, learned_until=None)
        trials = search(model, split, minutes=left, known=known, told=note, device=devices.device(), **asked)
        found = best(trials)
        run.tell(outcome="found" if found else "all_failed", settings={model: dict(found.settings)} if found else {})
    return trials
