"""A training by a transformer alone, and a search that dies, as jobs that a real worker runs in tests."""

import os
import signal
from unittest import mock

from django.utils import timezone

from kpplatform.jobs.running import long_job
from kpplatform.tenancy.models import Tenant
from recommender.ml.model import Point
from recommender.ml.searching import Trial
from recommender.training import candidates, retrain, tune_as_asked
from recommender.training.candidates import Budget
from recommender.training.runs import RunLog
from recommender.training.tuning import Trials
from tests.jobs_for_tests import mark, marks

ALONE = Budget(minutes=10, memory_mb=8_000, long_from=0, long=("transformer",))
QUICK = {"width": 32, "layers": 1, "epochs": 60, "rate": 0.005, "dropout": 0.0, "hidden_items": 0.0, "averaged": 0.9}
DIES_AFTER = 3  # epochs


@long_job
def learn_a_sequence(*, tenant: Tenant) -> None:
    """Train, and the first time take the worker's child along in the middle of the fit."""
    is_first = not marks()
    point = RunLog.point

    def told(log: RunLog, at: Point) -> None:
        mark(f"{log.curve} {at.step}")
        if is_first and at.step == DIES_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)
        point(log, at)

    with mock.patch.object(RunLog, "point", told), mock.patch.object(candidates, "COSTS", {}):
        retrain(tenant=tenant, at=timezone.now(), budget=ALONE)


@long_job
def search_settings(*, tenant: Tenant) -> None:
    """Search, and the first time take the worker's child along after two trials."""
    is_first = not marks()
    note = Trials.note

    def noted(trials: Trials, trial: Trial) -> None:
        note(trials, trial)
        mark(f"{len(trials.made)} {trial.ndcg}")
        if is_first and len(trials.made) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    with mock.patch.object(Trials, "note", noted):
        tune_as_asked(tenant=tenant, at=timezone.now())
