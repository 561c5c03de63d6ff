"""While a job with a key waits there is no second one, and what it is to do is never lost."""

from collections.abc import Callable
from threading import Event, Thread

import pytest
from django.db import connection
from django.utils import timezone

from kpplatform.jobs import operations
from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import WaitsAlready
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests.conftest import COMMITTED

pytestmark = [COMMITTED, pytest.mark.usefixtures("_fresh_cache")]

NAME, KEY = "tests.jobs_for_tests.note", "recount"
PATIENCE_S = 10


def enqueue() -> Job | None:
    return operations.enqueue(NAME, key=KEY, text="x")


def beside(tenant: Tenant, do: Callable[[], None]) -> Thread:
    """Do it in the tenant's scope, on a connection of its own."""

    def run() -> None:
        with scope(tenant):
            do()
        connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def test_a_waiting_job_that_was_relied_upon_begins_after_what_relies_on_it(school: Tenant) -> None:
    with scope(school):
        job = enqueue()
    assert job is not None
    relied, go = Event(), Event()
    seen: list[int] = []

    def write() -> None:
        Member.objects.create(name="to be counted")
        assert enqueue() is None
        relied.set()
        go.wait(PATIENCE_S)

    def begin() -> None:
        assert operations.claim(job_id=job.pk, at=timezone.now())
        seen.append(Member.objects.count())

    writer = beside(school, write)
    assert relied.wait(PATIENCE_S)
    worker = beside(school, begin)
    worker.join(0.5)
    go.set()
    writer.join()
    worker.join()

    assert seen == [1]


def test_a_job_that_is_being_begun_is_followed_by_another(school: Tenant) -> None:
    with scope(school):
        job = enqueue()
    assert job is not None
    begun, go = Event(), Event()
    followed: list[Job | None] = []

    def begin() -> None:
        assert operations.claim(job_id=job.pk, at=timezone.now())
        begun.set()
        go.wait(PATIENCE_S)

    worker = beside(school, begin)
    assert begun.wait(PATIENCE_S)
    writer = beside(school, lambda: followed.append(enqueue()))
    writer.join(0.5)
    go.set()
    worker.join()
    writer.join()

    assert followed[0] is not None


def test_a_dead_job_is_not_replayed_beside_the_one_that_replaces_it(school: Tenant) -> None:
    with scope(school):
        dead = enqueue()
        assert dead is not None
        Job.objects.update(state=Job.State.DEAD)
        enqueue()

        with pytest.raises(WaitsAlready):
            operations.replay(job=dead, at=timezone.now())

        assert Job.objects.get(pk=dead.pk).state == Job.State.DEAD
