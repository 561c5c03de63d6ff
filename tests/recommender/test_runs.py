"""A training's row while it goes on: how far, how it learns, what it costs, how it ended."""

import math
import os
from datetime import timedelta

import pytest
from django.utils import timezone
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from kpplatform.jobs.models import Job
from kpplatform.jobs.running import LeaseLost
from kpplatform.jobs.running import run as do
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import queries
from recommender.models import ModelVersion, TrainingRun
from recommender.operations import ask_for_training
from recommender.training import retrain, retraining
from recommender.training.fitting import checkpoints, forget_checkpoints
from recommender.training.runs import MOST_POINTS, RunLog, run_log
from recommender.training.snapshots import GIVEN_UP_AFTER_S
from tests.conftest import COMMITTED
from tests.recommender import planted

pytestmark = pytest.mark.usefixtures("_fresh_cache")
State, Stage = TrainingRun.State, TrainingRun.Stage


class Clock:
    """A clock that one can set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def row() -> TrainingRun:
    return TrainingRun.objects.order_by("-pk")[0]


def a_run(tenant: Tenant, clock: Clock) -> RunLog:
    at = timezone.now()
    run = TrainingRun.objects.create(kind="daily", data_until=at, started_at=at, updated_at=at)
    return RunLog(tenant, run, clock=clock)


def test_a_training_leaves_a_row_that_says_what_it_did(in_school: Tenant) -> None:
    planted.busy_world()

    retrain(tenant=in_school, at=timezone.now())

    run, version = row(), ModelVersion.objects.get()
    assert (run.state, run.stage, run.progress, run.kind) == ("done", "ended", 1.0, "full")
    assert (run.version, run.outcome, run.data) == (version, version.reason, version.data)
    assert (run.events, run.viewers, run.items) == (60 * 14, 60, 60)
    assert (run.metrics, run.device[:3]) == (version.metrics, "CPU")
    assert run.peak_mb > 50
    assert run.seconds > 0
    assert run.ended_at


def test_nothing_new_and_too_little_are_said_too(in_school: Tenant) -> None:
    for _ in range(2):
        retrain(tenant=in_school, at=timezone.now())

    assert [run.outcome for run in queries.training_runs()] == ["nothing_new", "too_few_events"]


def test_progress_and_time_left_are_written_once_a_second(in_school: Tenant) -> None:
    clock = Clock()
    log = a_run(in_school, clock)
    log.enter(Stage.FITTING, until=0.5, model="gru")

    clock.now += 10
    log.progress(1, 2)
    assert (row().progress, row().seconds_left, row().model) == (0.25, 30.0, "gru")

    log.progress(2, 2)
    assert row().progress == 0.25
    clock.now += 1
    log.progress(2, 2)
    assert row().progress == 0.5


def test_a_curve_is_kept_in_the_row_and_for_tensorboard(in_school: Tenant) -> None:
    log = a_run(in_school, Clock())
    log.enter(Stage.FITTING, until=0.5, model="gru")

    for step in (1, 2, 3):
        log.point((step, 1 / step, 0.1 * step if step == 2 else None, step))
    log.end(State.DONE)

    assert row().curves == {
        "gru": [
            {"step": 1, "loss": 1.0, "quality": None, "seconds": 1},
            {"step": 2, "loss": 0.5, "quality": 0.2, "seconds": 2},
            {"step": 3, "loss": pytest.approx(1 / 3), "quality": None, "seconds": 3},
        ]
    }
    board = EventAccumulator(str(tenant_folder("tensorboard", f"run-{log.run.pk}") / "gru")).Reload()
    assert [event.value for event in board.Scalars("loss")] == pytest.approx([1, 1 / 2, 1 / 3])
    assert [event.step for event in board.Scalars("quality")] == [2]


def test_a_loss_that_is_no_number_is_said_and_spoils_nothing(in_school: Tenant) -> None:
    log = a_run(in_school, Clock())
    log.enter(Stage.FITTING, until=0.5, model="gru")

    log.point((1, math.nan, math.inf, 1.0))

    log.write()
    assert row().curves["gru"] == [{"step": 1, "loss": None, "quality": None, "seconds": 1.0}]
    assert row().notes[0]["what"] == "gru: the loss of step 1 is nan"


def test_a_long_curve_is_thinned_and_keeps_its_ends(in_school: Tenant) -> None:
    log = a_run(in_school, Clock())
    log.enter(Stage.FITTING, until=0.5, model="gru")

    for step in range(1, 5_001):
        log.point((step, 1.0, None, 0.0))

    points = log.run.curves["gru"]
    assert len(points) <= MOST_POINTS
    assert (points[0]["step"], points[-1]["step"]) == (1, 5_000)


@COMMITTED
def test_a_training_that_breaks_is_shown_as_failed_and_goes_on_in_the_same_row(
    school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(school):
        planted.busy_world()
        job = ask_for_training()
        assert job is not None

    def broken(**_: object) -> None:
        raise RuntimeError("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr(retraining, "read", broken)
        do(tenant_id=school.pk, job_id=job.pk)
    with scope(school):
        assert (row().state, "on purpose" in row().error) == ("failed", True)
        Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))

    do(tenant_id=school.pk, job_id=job.pk)

    with scope(school):
        run = TrainingRun.objects.get()
        assert (run.state, run.error, run.resumed, run.job) == ("done", "", 1, job.pk)


def test_a_training_whose_worker_is_gone_is_not_shown_as_running(in_school: Tenant) -> None:
    at = timezone.now()
    job = Job.objects.create(name="x", state="running", due_at=at, lease_until=at + timedelta(minutes=1))
    TrainingRun.objects.create(kind="daily", job=job.pk, data_until=at, started_at=at, updated_at=at)

    assert not queries.training_runs().get().is_lost  # type: ignore[attr-defined]

    Job.objects.update(lease_until=at - timedelta(seconds=1))
    assert queries.training_runs().get().is_lost  # type: ignore[attr-defined]

    with run_log(tenant=in_school, kind="daily", at=at):
        left = TrainingRun.objects.get(job=job.pk)
        assert (left.state, left.error) == ("failed", "Its worker died.")


def test_who_has_lost_the_job_writes_nothing_more(in_school: Tenant) -> None:
    def lose_the_job() -> None:
        with run_log(tenant=in_school, kind="daily", at=timezone.now()):
            TrainingRun.objects.update(state="done", outcome="by another")
            raise LeaseLost

    with pytest.raises(LeaseLost):
        lose_the_job()

    assert (row().state, row().outcome, row().error) == ("done", "by another", "")


def test_two_trainings_of_a_tenant_do_not_take_each_other_s_checkpoints(in_school: Tenant) -> None:
    ours, theirs, given_up = (checkpoints(a_run(in_school, Clock())) for _ in range(3))
    for folder in (ours, theirs, given_up):
        (folder / "gru").mkdir(parents=True)
        (folder / "gru" / "checkpoint.pt").write_bytes(b"some")
    for path in (given_up, *given_up.rglob("*")):
        os.utime(path, times=(0, timezone.now().timestamp() - 2 * GIVEN_UP_AFTER_S))
    ends = RunLog(in_school, TrainingRun.objects.order_by("pk")[0])

    forget_checkpoints(ends)

    assert [path for path in (ours, theirs, given_up) if path.exists()] == [theirs]
