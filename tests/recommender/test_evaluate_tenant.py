"""What is found when models are judged on a tenant's data is kept: means, intervals, folds, seed, and of which data."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from kpplatform.tenancy.models import Member, Tenant
from recommender.admin.runs import best_figures
from recommender.ml.evaluation import Question
from recommender.ml.interactions import BrokenData
from recommender.models import TrainingRun
from recommender.training.validating import evaluate
from tests import make
from tests.recommender import planted

pytestmark = pytest.mark.usefixtures("_fresh_cache")
FOLDED: dict[str, Any] = {"protocol": "k-fold", "folds": 3, "seed": 7, "json": True}


def asked(**told: Any) -> list[dict[str, Any]]:
    said = StringIO()
    call_command("evaluate", tenant="school", stdout=said, **FOLDED, **told)
    return [json.loads(line) for line in said.getvalue().splitlines()]


@pytest.mark.usefixtures("in_school")
def test_the_figures_of_a_k_fold_are_kept_with_all_that_they_depend_on() -> None:
    planted.busy_world()

    taste, popular = asked(model="item-cosine,popularity")

    run = TrainingRun.objects.get()
    assert (run.kind, run.state, run.outcome, run.progress) == ("evaluation", "done", "judged", 1.0)
    assert run.plan == {
        "protocol": "k-fold",
        "folds": 3,
        "by": "interaction",
        "k": 10,
        "seed": 7,
        "models": ["item-cosine", "popularity"],
    }
    assert (len(run.data), run.events, run.viewers, run.items) == (64, 60 * 14, 60, 60)
    for row in (taste, popular):
        kept = {part: run.metrics[part][row["model"]] for part in ("models", "intervals", "spread")}
        assert kept["models"]["ndcg@10"] == row["ndcg@10"]
        assert (kept["intervals"], kept["spread"]) == (row["intervals"], row["spread"])
        assert kept["intervals"]["ndcg@10"][0] <= row["ndcg@10"] <= kept["intervals"]["ndcg@10"][1]
    assert run.metrics["best"] == "item-cosine"
    assert taste["ndcg@10"] > popular["ndcg@10"]


@pytest.mark.usefixtures("in_school")
def test_the_same_seed_and_data_give_the_same_row() -> None:
    planted.busy_world()

    for _ in range(2):
        asked(model="popularity")

    staff = make.client(make.member(Member.Role.ADMIN))
    first, second = staff.get("/api/v1/training-runs/").json()["results"]
    assert (first["kind"], first["data"]) == (second["kind"], second["data"]) == ("evaluation", first["data"])
    assert first["metrics"] == second["metrics"]


@pytest.mark.usefixtures("in_school")
def test_an_evaluation_that_was_cut_off_goes_on_with_the_models_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    planted.busy_world()
    fresh = asked(model="popularity")[0]
    was = TrainingRun.objects.get()
    was.metrics["models"]["popularity"]["ndcg@10"] = 0.5  # so that one sees whether it is judged again
    was.save()
    TrainingRun.objects.update(job=1)
    monkeypatch.setattr("recommender.training.runs.current_job_id", lambda: 1)

    asked(model="popularity,svd")

    run = TrainingRun.objects.get()
    assert fresh["ndcg@10"] != 0.5
    assert set(run.metrics["models"]) == {"popularity", "svd"}
    assert (run.metrics["models"]["popularity"]["ndcg@10"], run.resumed) == (0.5, 1)


@pytest.mark.usefixtures("in_school")
def test_runs_beside_each_other_say_how_sure_they_are() -> None:
    planted.busy_world()
    (row,) = asked(model="popularity")
    run = TrainingRun.objects.get()

    told = dict(best_figures([run]))

    low, high = row["intervals"]["hr@10"]
    assert told["hr@10"] == [f"{row['hr@10']:.4f} ({low:.4f} … {high:.4f})"]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"model": "svd,oracle"}, "model_unknown"),
        ({"model": "svd", "beside": "popularity"}, "for_folders_only"),
        ({"model": "svd"}, "folds_too_many"),  # nothing was watched
    ],
)
@pytest.mark.usefixtures("in_school")
def test_what_cannot_be_judged_is_said_by_code(told: dict[str, Any], code: str) -> None:
    with pytest.raises(CommandError, match=f"^{code}: "):
        asked(**told)


def test_a_failed_evaluation_says_why(in_school: Tenant) -> None:
    question = Question(folder=Path(), protocol="k-fold", model="", folds=1)

    with pytest.raises(BrokenData):
        evaluate(tenant=in_school, names=["svd"], question=question, at=timezone.now())

    run = TrainingRun.objects.get()
    assert (run.state, "at least 2" in run.error) == ("failed", True)


@pytest.mark.usefixtures("school")
def test_a_tenant_that_is_not_there_is_said() -> None:
    with pytest.raises(CommandError, match=r"^tenant_unknown: "):
        call_command("evaluate", tenant="nowhere")
