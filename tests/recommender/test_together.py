"""A worker has several processes fit a model together: the same version as by one, and told when one of them dies."""

import os
import signal
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from kpplatform.tenancy.models import Tenant
from recommender.models import ModelVersion, TrainingRun
from recommender.training import candidates, retrain
from recommender.training.runs import RunLog
from tests.recommender import planted
from tests.recommender.long_jobs import ALONE, QUICK
from tests.recommender.test_long_training import found

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("_fresh_cache")]
TOKENS = 512  # of a batch of all processes


@pytest.fixture(autouse=True)
def _nothing_is_too_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "COSTS", {})


def lines(process: Path, name: str) -> list[bytes]:
    """Return with what a process was begun, by the name of the file; nothing of one that is gone."""
    try:
        return (process / name).read_bytes().split(b"\0")
    except OSError:
        return []


def ranks() -> list[int]:
    """Return the processes that fit together for this test, the first one first."""
    ours = f"KP_TEST={os.getpid()}".encode()
    mine = {}
    for process in Path("/proc").glob("[0-9]*"):
        told = lines(process, "environ")
        rank = [line for line in told if line.startswith(b"RANK=")]
        if ours in told and rank and b"recommender.ml.together" in lines(process, "cmdline"):
            mine[rank[0]] = int(process.name)
    return [mine[rank] for rank in sorted(mine)]


def newest() -> tuple[ModelVersion, TrainingRun]:
    return ModelVersion.objects.order_by("-pk")[0], TrainingRun.objects.filter(kind__in=["full", "daily"]).latest("pk")


def test_two_processes_publish_what_one_does(in_school: Tenant, settings: Settings) -> None:
    planted.busy_world()
    known = {}
    for many in (1, 2):
        found(QUICK | {"tokens": TOKENS // many})
        settings.TRAINING_PROCESSES = many
        retrain(tenant=in_school, at=timezone.now(), budget=ALONE)
        known[many] = newest()
        ModelVersion.objects.update(state=ModelVersion.State.WITHDRAWN, data="")

    (alone, one), (together, two) = known[1], known[2]
    assert (together.kind, together.reason) == (alone.kind, alone.reason) == ("transformer", "beats_popularity")
    figures = [version.metrics["models"]["transformer"]["ndcg@20"] for version in (alone, together)]
    assert figures[0] == pytest.approx(figures[1], abs=0.1)
    assert set(two.curves) == set(one.curves) == {"transformer", "transformer (all)"}
    assert [point["step"] for point in two.curves["transformer"]] == [
        point["step"] for point in one.curves["transformer"]
    ]
    assert two.device.endswith("2 processes")


def test_when_one_process_dies_the_version_in_place_stays_and_the_run_says_why(
    in_school: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted.busy_world()
    found(QUICK)
    retrain(tenant=in_school, at=timezone.now(), budget=ALONE)
    standing, _ = newest()
    point = RunLog.point
    killed: list[int] = []

    def told(log: RunLog, at: tuple[int, float | None, float | None, float]) -> None:
        point(log, at)
        if not killed:
            killed.append(ranks()[1])
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(RunLog, "point", told)
    monkeypatch.setenv("KP_TEST", str(os.getpid()))
    settings.TRAINING_PROCESSES = 2
    ModelVersion.objects.update(data="")  # as if something had happened since
    retrain(tenant=in_school, at=timezone.now(), budget=ALONE)

    rejected, run = newest()
    assert (rejected.state, rejected.reason) == ("rejected", "nothing_could_be_fitted")
    assert any("transformer is left out: process_failed" in note["what"] for note in run.notes)
    assert any("SIGKILL" in note["what"] for note in run.notes)
    assert ModelVersion.objects.get(state="published") == standing
    assert ranks() == []
