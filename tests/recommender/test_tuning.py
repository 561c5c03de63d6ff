"""Searching settings: the best of what was tried, never below the usual ones; gone on with; used by trainings."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from kpplatform.tenancy.models import Tenant
from recommender.ml.models import MODELS, UnknownModel
from recommender.ml.searching import best, search
from recommender.ml.splits import Split, leave_one_out
from recommender.models import TrainingRun
from recommender.queries import found_settings
from recommender.training.tuning import tune
from tests.recommender import planted
from tests.recommender.ml import make

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture(scope="module")
def split() -> Split:
    return leave_one_out(make.two_tastes()[0], back=1)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_search_begins_at_the_usual_settings_and_ends_no_worse(split: Split, sampler: str) -> None:
    trials = search("item-cosine", split, minutes=5, most=4, sampler=sampler)

    usual, found = MODELS["item-cosine"].config, best(trials)
    assert trials[0].settings == {"neighbours": usual.neighbours, "shrink": usual.shrink}
    assert found is not None
    assert (found.ndcg or 0) >= (trials[0].ndcg or 0)
    assert len({str(trial.settings) for trial in trials}) == 4


def test_the_same_seed_tries_the_same(split: Split) -> None:
    ours, theirs = (search("ease", split, minutes=5, most=3, seed=7) for _ in range(2))

    assert [(of.settings, of.ndcg) for of in ours] == [(of.settings, of.ndcg) for of in theirs]


def test_what_is_known_is_not_tried_again_and_no_time_is_no_trial(split: Split) -> None:
    first = search("ease", split, minutes=5, most=2)

    more = search("ease", split, minutes=5, most=3, known=first)

    assert more[:2] == first
    assert len({str(trial.settings) for trial in more}) == 3
    assert search("ease", split, minutes=0) == []


def test_a_model_without_settings_to_search_is_refused(split: Split) -> None:
    with pytest.raises(UnknownModel, match="popularity"):
        search("popularity", split, minutes=1)


def test_a_tenants_search_is_a_row_and_its_best_is_used_by_trainings(in_school: Tenant) -> None:
    planted.busy_world()

    trials = tune(tenant=in_school, model="ease", minutes=5, most=3, at=timezone.now())

    run, found = TrainingRun.objects.get(), best(trials)
    assert found is not None
    assert (run.kind, run.state, run.outcome) == ("search", "done", "found")
    assert [point["quality"] for point in run.curves["ease"]] == [trial.ndcg for trial in trials]
    assert len(run.metrics["trials"]) == 3
    assert found_settings() == {"ease": dict(found.settings)}


@pytest.mark.usefixtures("in_school")
def test_it_is_asked_for_from_a_shell() -> None:
    planted.busy_world()
    said = StringIO()

    call_command("tune", tenant="school", model="ease", minutes=5, trials=2, stdout=said)

    *trials, end = [json.loads(line) for line in said.getvalue().splitlines()]
    assert (len(trials), end["trials"]) == (2, 2)
    assert set(end["best"]["settings"]) == {"reg"}
