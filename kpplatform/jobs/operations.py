"""What is done with jobs: enqueue, claim, finish, fail, replay; and across tenants: sweep, plan."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from kpplatform.errors import Conflict
from kpplatform.jobs import queries
from kpplatform.jobs.models import Job
from kpplatform.tenancy.scope import current_tenant_id, scope

MOST_ATTEMPTS = 5
FIRST_RETRY = timedelta(seconds=5)
KEPT = timedelta(days=14)
# No queue is told more than this at once, however long its backlog is.
MOST_WAKE_UPS = 1_000
WAITS_ONCE = "a_keyed_job_waits_once"
PLANNING = 0x6B70706C616E  # "kpplan": the advisory lock under which one process plans


class WaitsAlready(Conflict):
    code = "waits_already"


def wake_up(*, tenant_id: int, job_id: int, queue: str) -> None:
    """Tell a worker of this queue that there is a job. What is lost on the way the sweeper says again."""
    current_app.send_task("kpplatform.jobs.run", args=(tenant_id, job_id), queue=queue, retry=False)


@transaction.atomic
def enqueue(
    name: str, *, queue: str = "default", key: str = "", due_at: datetime | None = None, **ids: Any
) -> Job | None:
    """Write down work for the scope's tenant, in the caller's transaction.

    With a key, a second job is not added while one is waiting: None is returned.
    """
    while True:
        try:
            with transaction.atomic():
                job = Job.objects.create(name=name, ids=ids, queue=queue, key=key, due_at=due_at or timezone.now())
        except IntegrityError as error:
            if WAITS_ONCE not in str(error):
                raise
            if _waiting(key):
                return None
            continue  # The one that waited was begun a moment ago, without what the caller has written.
        _wake_after_commit(job)
        return job


def claim(*, job_id: int, at: datetime) -> Job | None:
    """Take the job for one lease, with a token above every earlier one; None when it is not to be had.

    Work whose worker died at it too often is given up.
    """
    lapsed = Q(state=Job.State.RUNNING, lease_until__lt=at)
    Job.objects.filter(lapsed, pk=job_id, attempts__gte=MOST_ATTEMPTS).update(
        state=Job.State.DEAD, error="Its worker died each time.", lease_until=None, finished_at=at
    )
    until = at + timedelta(seconds=settings.JOB_LEASE_S)
    taken = Job.objects.filter(lapsed | Q(state=Job.State.WAITING, due_at__lte=at), pk=job_id).update(
        state=Job.State.RUNNING,
        token=F("token") + 1,
        attempts=F("attempts") + 1,
        lease_until=until,
        due_at=until,
    )
    return Job.objects.get(pk=job_id) if taken else None


def hold(*, job: Job, at: datetime, progress: float | None = None) -> bool:
    """Prolong the lease; False when somebody else has the job by now."""
    until = at + timedelta(seconds=settings.JOB_LEASE_S)
    fields: dict[str, Any] = {"lease_until": until, "due_at": until}
    if progress is not None:
        fields["progress"] = progress
    return bool(_held(job).update(**fields))


def finish(*, job: Job, at: datetime) -> bool:
    """Note that the work is done; False when somebody else has the job by now."""
    return bool(_held(job).update(state=Job.State.DONE, progress=1.0, error="", lease_until=None, finished_at=at))


def fail(*, job: Job, error: str, at: datetime) -> None:
    """Put the job back with a growing delay, or to the dead after its last attempt."""
    if job.attempts >= MOST_ATTEMPTS:
        _held(job).update(state=Job.State.DEAD, error=error, lease_until=None, finished_at=at)
        return
    # A keyed successor may be waiting already; then this one has nothing left to do.
    if job.key and Job.objects.filter(key=job.key, state=Job.State.WAITING).exists():
        _held(job).update(state=Job.State.DEAD, error=f"Replaced by a newer job.\n{error}", finished_at=at)
        return
    delay = FIRST_RETRY * 2**job.attempts
    _held(job).update(state=Job.State.WAITING, error=error, lease_until=None, due_at=at + delay)


@transaction.atomic
def replay(*, job: Job, at: datetime) -> None:
    """Give a dead job new attempts. Raises WaitsAlready when a newer one with its key is to do the work."""
    if job.key and _waiting(job.key):
        raise WaitsAlready("A newer job is waiting to do this.")
    Job.objects.filter(pk=job.pk, state=Job.State.DEAD).update(
        state=Job.State.WAITING, attempts=0, due_at=at, finished_at=None
    )
    _wake_after_commit(job)


@transaction.atomic
def cancel(*, job_id: int, at: datetime) -> bool:
    """Have the job done no further; False when it is over. Who is at it learns of it with the next report."""
    unfinished = Job.objects.filter(pk=job_id, state__in=[Job.State.WAITING, Job.State.RUNNING])
    over = {"state": Job.State.DONE, "lease_until": None, "finished_at": at, "token": F("token") + 1}
    return bool(unfinished.update(error="Cancelled.", **over))


@transaction.atomic
def purge(*, at: datetime) -> int:
    """Forget the scope's jobs that were done long ago, and say how many. The dead stay until somebody looks."""
    return Job.objects.filter(state=Job.State.DONE, finished_at__lt=at - KEPT).delete()[0]


def sweep(*, at: datetime) -> int:
    """Wake somebody up for what is due and was lost (a wake-up that never came, a worker that died); say how often.

    What waits in a queue is due as well; a full queue is told nothing, so that a backlog does not breed.
    """
    told = 0
    for queue in queries.queues_due(at=at):
        room = MOST_WAKE_UPS - _backlog(queue)
        for tenant_id, job_id in queries.due(at=at, queue=queue, most=max(room, 0)):
            wake_up(tenant_id=tenant_id, job_id=job_id, queue=queue)
            told += 1
    return told


@transaction.atomic
def plan(*, at: datetime) -> None:
    """Write down the recurring work that is due, for every open tenant. One process plans at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [PLANNING])
        if not cursor.fetchone()[0]:
            return
    for name, (every_s, queue) in settings.RECURRING_JOBS.items():
        for tenant in queries.tenants_without(name=name, since=at - timedelta(seconds=every_s)):
            with scope(tenant):
                enqueue(name, queue=queue, key=name, due_at=at)


def _waiting(key: str) -> Job | None:
    """Return the job that waits under this key. Nobody begins it before the caller's transaction is over."""
    return Job.objects.select_for_update(no_key=True).filter(key=key, state=Job.State.WAITING).first()


def _backlog(queue: str) -> int:
    with current_app.connection_for_read() as broker:
        channel: Any = broker.default_channel
        return int(channel.queue_declare(queue).message_count)


def _wake_after_commit(job: Job) -> None:
    told = partial(wake_up, tenant_id=current_tenant_id(), job_id=job.pk, queue=job.queue)
    # Robust: when the broker is away the work is written down all the same, and the sweeper finds it.
    transaction.on_commit(told, robust=True)


def _held(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, token=job.token, state=Job.State.RUNNING)
