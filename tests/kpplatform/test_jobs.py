"""Jobs are done once, whatever dies in between. A real worker, a real broker, a real database."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kpplatform.jobs import operations, queries, running
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import jobs_for_tests
from tests.conftest import COMMITTED
from tests.jobs_for_tests import let_go, marks
from tests.processes import Worker, eventually

pytestmark = [COMMITTED, pytest.mark.slow, pytest.mark.usefixtures("_fresh_cache")]


def enqueue(tenant: Tenant, name: str, **ids: Any) -> Job:
    with scope(tenant):
        job = operations.enqueue(f"tests.jobs_for_tests.{name}", **ids)
        assert job is not None
        return job


def now_is(tenant: Tenant, job: Job) -> Job:
    with scope(tenant):
        return Job.objects.get(pk=job.pk)


def names(tenant: Tenant) -> list[str]:
    with scope(tenant):
        return list(Member.objects.order_by("pk").values_list("name", flat=True))


def change(tenant: Tenant, job: Job, **fields: Any) -> None:
    with scope(tenant):
        Job.objects.filter(pk=job.pk).update(**fields)


def due(at: datetime) -> list[tuple[int, int]]:
    return queries.due(at=at, queue="default", most=100)


@pytest.fixture
def two_workers() -> Iterator[tuple[Worker, Worker]]:
    with Worker() as one, Worker() as other:
        yield one, other


def test_a_job_is_done_once_and_one_rolled_back_never(worker: Worker, school: Tenant) -> None:
    with scope(school):
        operations.enqueue("tests.jobs_for_tests.note", text="never")
        transaction.set_rollback(True)
    job = enqueue(school, "note", text="once")

    eventually(lambda: now_is(school, job).state, Job.State.DONE)

    assert names(school) == ["once"]
    assert marks() == ["school once 1"]


def test_one_tenants_job_after_anothers_in_the_same_worker_sees_its_own_rows_only(
    worker: Worker, school: Tenant, agency: Tenant
) -> None:
    jobs = [
        (tenant, enqueue(tenant, "note", text=f"{tenant.slug}-{round_}"))
        for round_ in range(3)
        for tenant in (school, agency)
    ]

    eventually(lambda: {now_is(tenant, job).state for tenant, job in jobs}, {Job.State.DONE})

    assert sorted(marks()) == [
        f"{slug} {slug}-{round_} {round_ + 1}" for slug in ("agency", "school") for round_ in range(3)
    ]


def test_a_job_that_raises_leaves_nothing_is_tried_again_later_then_dies_and_can_be_replayed(
    worker: Worker, school: Tenant
) -> None:
    job = enqueue(school, "stumble", text="x")
    eventually(lambda: bool(now_is(school, job).error))
    failed = now_is(school, job)
    assert (failed.state, failed.attempts) == (Job.State.WAITING, 1)
    assert failed.due_at > timezone.now() + timedelta(seconds=3)
    assert "on purpose" in failed.error

    change(school, job, attempts=operations.MOST_ATTEMPTS - 1, due_at=timezone.now())
    eventually(lambda: now_is(school, job).state, Job.State.DEAD)
    assert names(school) == []

    change(school, job, name="tests.jobs_for_tests.note")
    with scope(school):
        operations.replay(job=job, at=timezone.now())
    eventually(lambda: now_is(school, job).state, Job.State.DONE)
    assert names(school) == ["x"]


def test_a_wake_up_that_was_lost_is_said_again(worker: Worker, school: Tenant) -> None:
    with scope(school):
        job = Job.objects.create(name="tests.jobs_for_tests.note", ids={"text": "lost"}, due_at=timezone.now())

    eventually(lambda: now_is(school, job).state, Job.State.DONE)

    assert names(school) == ["lost"]


def test_a_job_that_does_not_exist_is_written_down_as_failed(worker: Worker, school: Tenant) -> None:
    job = enqueue(school, "no_such_thing")

    eventually(lambda: "no_such_thing" in now_is(school, job).error)


@pytest.mark.parametrize("work", ["note_slowly", "note_at_length"])
def test_a_worker_killed_in_the_middle_is_made_good_by_its_successor(work: str, worker: Worker, school: Tenant) -> None:
    job = enqueue(school, work, text="x")
    eventually(marks, ["began x"])

    worker.kill()
    let_go()
    worker.start()

    eventually(lambda: now_is(school, job).state, Job.State.DONE)
    assert names(school) == ["x"]
    assert marks() == ["began x", "began x", "ended x"]
    assert now_is(school, job).attempts == 2


def test_a_job_that_takes_its_process_along_is_done_by_the_next(worker: Worker, school: Tenant) -> None:
    job = enqueue(school, "die_once", text="x")

    eventually(lambda: now_is(school, job).state, Job.State.DONE)

    assert names(school) == ["x"]
    assert marks() == ["tried x", "tried x"]


def test_a_long_job_outlives_its_lease_and_shows_how_far_it_is(
    two_workers: tuple[Worker, Worker], school: Tenant
) -> None:
    job = enqueue(school, "note_at_length", text="x")
    eventually(lambda: now_is(school, job).progress, 0.5)
    first_lease = now_is(school, job).lease_until
    assert first_lease is not None

    eventually(lambda: (now_is(school, job).lease_until or first_lease) > first_lease + timedelta(seconds=2))
    let_go()

    eventually(lambda: now_is(school, job).state, Job.State.DONE)
    assert marks() == ["began x", "ended x"]


def test_a_late_worker_is_refused_by_the_token(two_workers: tuple[Worker, Worker], school: Tenant) -> None:
    """Short work is not prolonged: it outlives its lease here, a second worker takes it, both come to the end."""
    job = enqueue(school, "note_slowly", text="x")
    eventually(marks, ["began x", "began x"])

    let_go()
    let_go()

    eventually(lambda: len(marks()), 4)
    eventually(lambda: now_is(school, job).state, Job.State.DONE)
    assert names(school) == ["x"]


def test_work_that_kills_its_worker_every_time_is_given_up(school: Tenant) -> None:
    job = enqueue(school, "note", text="x")
    at = timezone.now()
    with scope(school):
        for _ in range(operations.MOST_ATTEMPTS):
            assert operations.claim(job_id=job.pk, at=at)
            at += timedelta(hours=1)

        assert operations.claim(job_id=job.pk, at=at) is None

    assert now_is(school, job).state == Job.State.DEAD


def test_an_error_that_the_database_could_not_hold_is_written_down_all_the_same(
    school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quote(*, text: str) -> None:
        raise ValueError(f"{text}\0")

    monkeypatch.setattr(jobs_for_tests, "note", running.job(quote))
    job = enqueue(school, "note", text="half a word")

    running.run(tenant_id=school.pk, job_id=job.pk)

    failed = now_is(school, job)
    assert (failed.state, failed.attempts) == (Job.State.WAITING, 1)
    assert "half a word" in failed.error


def test_a_job_is_claimed_by_one_of_two(school: Tenant) -> None:
    job = enqueue(school, "note", text="x")
    done: list[bool] = []

    def run() -> None:
        done.append(running.run(tenant_id=school.pk, job_id=job.pk))
        connection.close()

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == [False, True]
    assert names(school) == ["x"]


def test_what_recurs_is_written_down_once_per_tenant(school: Tenant, agency: Tenant, settings: Any) -> None:
    settings.RECURRING_JOBS = {"tests.jobs_for_tests.note": (60.0, "default")}
    at = timezone.now()

    operations.plan(at=at)
    operations.plan(at=at)

    assert len(due(timezone.now())) == 2
    operations.plan(at=at + timedelta(seconds=120))
    assert len(due(at + timedelta(seconds=120))) == 2, "While one waits, there is no second."


def test_finished_jobs_are_forgotten_after_a_while(school: Tenant) -> None:
    old, fresh, dead = (enqueue(school, "note", text=text) for text in ("old", "fresh", "dead"))
    at = timezone.now()
    long_ago = at - operations.KEPT - timedelta(days=1)
    change(school, old, state=Job.State.DONE, finished_at=long_ago)
    change(school, fresh, state=Job.State.DONE, finished_at=at)
    change(school, dead, state=Job.State.DEAD, finished_at=long_ago)

    with scope(school):
        operations.purge(at=at)

        assert set(Job.objects.all()) == {fresh, dead}


def test_a_backlog_does_not_breed(school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_WAKE_UPS", 4)
    for _ in range(3):
        enqueue(school, "note", text="x")

    assert operations.sweep(at=timezone.now()) == 1
    assert operations.sweep(at=timezone.now()) == 0
