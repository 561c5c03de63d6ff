"""Searching settings for a tenant: a row like that of a training, whose best settings the next trainings use.

Whoever is told that the job is somebody else's, or was cancelled, stops at the next step of a fit.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from kpplatform.jobs.running import current_job_id
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender.ml.searching import Trial, best, search
from recommender.models import TrainingRun
from recommender.training import devices
from recommender.training.judging import held_back
from recommender.training.reading import fingerprint, read
from recommender.training.retraining import FEWEST_EVENTS
from recommender.training.runs import RunLog, run_log

Kind, Stage = TrainingRun.Kind, TrainingRun.Stage
Told = Callable[[Trial], object]


class Trials:
    """The trials of a search, each written into its row as soon as it is made."""

    def __init__(self, run: RunLog, model: str, *, minutes: float, most: int, told: Told | None = None) -> None:
        self.run, self.model, self.minutes, self.most, self.told = run, model, minutes, most, told
        self.made = [Trial(**trial) for trial in run.run.metrics.get("trials", [])]

    @property
    def seconds(self) -> float:
        """Return what they have cost."""
        return sum(trial.seconds for trial in self.made)

    def note(self, trial: Trial) -> None:
        """Keep one more, and show how far the search is and the best so far."""
        self.made.append(trial)
        self.run.point((len(self.made), None, trial.ndcg, self.seconds))
        share = max(len(self.made) / self.most, self.seconds / (60 * self.minutes) if self.minutes > 0 else 1.0)
        self.run.progress(int(1000 * share), 1000)
        metrics: dict[str, Any] = {"trials": [of._asdict() for of in self.made]}
        if found := best(self.made):
            reached = {"ndcg@10": found.ndcg, "usual ndcg@10": self.made[0].ndcg}
            figures = {name: ndcg for name, ndcg in reached.items() if ndcg is not None}
            metrics |= {"best": self.model, "models": {self.model: figures}, "found": dict(found.settings)}
        self.run.tell(metrics=metrics)
        if self.told:
            self.told(trial)


def tune(
    *,
    tenant: Tenant,
    model: str,
    minutes: float,
    most: int = 100,
    seed: int = 0,
    sampler: str = "tpe",
    at: datetime,
    told: Told | None = None,
) -> list[Trial]:
    """Try settings of a model on what was done before `at`, judged on its last fifth; keep every trial in the row.

    A search whose worker died goes on with the trials that its row has. Raises UnknownModel or BrokenData.
    """
    with run_log(tenant=tenant, kind=Kind.SEARCH, at=at) as run:
        run.enter(Stage.READING, until=0.05)
        with scope(tenant):
            data, _ = read(until=run.run.data_until, in_full=False)
        plan = {"model": model, "minutes": minutes, "trials": most, "sampler": sampler, "seed": seed}
        run.tell(device=devices.described(), data=fingerprint(data), events=len(data), plan=plan)
        trials = Trials(run, model, minutes=minutes, most=most, told=told)
        if len(data) < FEWEST_EVENTS:
            run.tell(outcome="too_few_events")
            return trials.made
        run.enter(Stage.FITTING, until=1.0, model=model)
        search(
            model,
            held_back(data, learned_until=None),
            minutes=minutes - trials.seconds / 60,
            most=most,
            sampler=sampler,
            seed=seed,
            known=list(trials.made),
            told=trials.note,
            device=devices.device(),
            progress=lambda *_: run.goes_on(),
        )
        found = best(trials.made)
        run.tell(outcome="found" if found else "all_failed", settings={model: dict(found.settings)} if found else {})
    return trials.made


def tune_as_asked(*, tenant: Tenant, at: datetime) -> None:
    """Search as the row says that the current job has."""
    with scope(tenant):
        asked = TrainingRun.objects.get(job=current_job_id()).plan
    tune(
        tenant=tenant,
        model=asked["model"],
        minutes=asked["minutes"],
        most=asked["trials"],
        seed=asked["seed"],
        sampler=asked["sampler"],
        at=at,
    )
