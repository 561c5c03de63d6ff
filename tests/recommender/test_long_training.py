"""A version with a transformer: trained by settings that a search has found, killed on the way, served."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender.models import ModelVersion, TrainingRun
from recommender.training import candidates, retrain
from tests import make
from tests.conftest import COMMITTED
from tests.jobs_for_tests import marks
from tests.processes import Worker, eventually
from tests.recommender import planted
from tests.recommender.long_jobs import ALONE, DIES_AFTER, QUICK
from tests.recommender.test_feed import page

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def found(settings: dict[str, Any]) -> None:
    """Let a search have found these settings of the transformer."""
    now = timezone.now()
    TrainingRun.objects.create(
        kind=TrainingRun.Kind.SEARCH,
        state=TrainingRun.State.DONE,
        settings={"transformer": settings},
        data_until=now,
        started_at=now,
        updated_at=now,
    )


def test_a_version_with_a_transformer_serves_a_page(
    in_school: Tenant, client: APIClient, viewer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    piano, _cooking = planted.busy_world()
    found(QUICK)
    monkeypatch.setattr(candidates, "COSTS", {})
    retrain(tenant=in_school, at=timezone.now(), budget=ALONE)
    for item in piano[:4]:
        planted.watch(viewer, item)

    answered = page(client, limit=10)

    version, run = ModelVersion.objects.get(), TrainingRun.objects.order_by("-pk")[0]
    assert (version.kind, version.state) == ("transformer", "published")
    assert run.settings["transformer"]["epochs"] == QUICK["epochs"]
    assert set(run.curves) == {"transformer", "transformer (all)"}
    assert run.curves["transformer"][0]["loss"] > run.curves["transformer"][-1]["loss"]
    assert not tenant_folder("training", "checkpoints").exists()
    of_model = [card["id"] for card in answered["results"] if card["source"] == "model"]
    assert answered["version"] == version.pk
    assert len({item.pk for item in piano} & set(of_model)) > len(of_model) / 2


@pytest.mark.slow
@COMMITTED
def test_a_worker_that_is_killed_in_the_middle_of_a_fit_goes_on_from_its_checkpoint(worker: Worker) -> None:
    school = make.tenant("school")
    with scope(school):
        planted.busy_world()
        found(QUICK)
        job = enqueue("tests.recommender.long_jobs.learn_a_sequence", queue="training", key="long")
        assert job is not None

    def state() -> str:
        with scope(school):
            return str(Job.objects.get(pk=job.pk).state)

    eventually(state, Job.State.DONE)

    judged = [mark for mark in marks() if "(all)" not in mark]
    assert judged[: DIES_AFTER + 1] == [f"transformer {epoch}" for epoch in range(1, DIES_AFTER + 2)]
    with scope(school):
        run = TrainingRun.objects.get(job=job.pk)
        assert (run.state, run.resumed, run.version.kind) == ("done", 1, "transformer")
    assert worker.process
