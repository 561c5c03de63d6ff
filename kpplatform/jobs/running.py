"""Running a job: claim it, do it inside the tenant's scope, note how it ended."""

import logging
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.module_loading import import_string

from kpplatform.jobs import operations
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope

log = logging.getLogger(__name__)

_current: ContextVar[tuple[Tenant, Job] | None] = ContextVar("job", default=None)


@dataclass(frozen=True)
class Work:
    """A function that may be run as a job.

    Short work runs in one transaction together with its end, so that it happens exactly once. Long work opens
    its own scopes, is prolonged while it runs, and must be safe to repeat.
    """

    do: Callable[..., None]
    long: bool = False

    def __call__(self, **ids: Any) -> None:
        self.do(**ids)


def job(do: Callable[..., None]) -> Work:
    """Mark a function as short work."""
    return Work(do)


def long_job(do: Callable[..., None]) -> Work:
    """Mark a function as long work: it is handed `tenant` and opens its own scopes."""
    return Work(do, long=True)


def run(*, tenant_id: int, job_id: int) -> bool:
    """Do the job if it is to be had; False when somebody else has done it or is at it."""
    tenant = Tenant.objects.get(pk=tenant_id)
    with scope(tenant):
        claimed = operations.claim(job_id=job_id, at=timezone.now())
    if claimed is None:
        return False
    try:
        _do(tenant, claimed)
    except Exception:  # whatever a job raises is written down and retried
        log.exception("job %s %s failed", claimed.pk, claimed.name)
        error = traceback.format_exc(limit=20).replace("\0", "\\0")  # PostgreSQL's texts have no such character
        with scope(tenant):
            operations.fail(job=claimed, error=error, at=timezone.now())
    return True


class LeaseLost(RuntimeError):
    """Somebody else has the job by now; what this worker did in its transaction is taken back."""


def _do(tenant: Tenant, claimed: Job) -> None:
    work = import_string(claimed.name)
    if not isinstance(work, Work):
        raise TypeError(f"{claimed.name} is not a job.")
    if not work.long:
        with scope(tenant):
            work(**claimed.ids)
            if not operations.finish(job=claimed, at=timezone.now()):
                raise LeaseLost
        return
    with _prolonged(tenant, claimed):
        token = _current.set((tenant, claimed))
        try:
            work(tenant=tenant, **claimed.ids)
        finally:
            _current.reset(token)
    with scope(tenant):
        operations.finish(job=claimed, at=timezone.now())


def report(progress: float) -> None:
    """Show how far the current long job is, between 0 and 1. Outside a job this says nothing."""
    if current := _current.get():
        tenant, held = current
        with scope(tenant):
            if not operations.hold(job=held, at=timezone.now(), progress=progress):
                raise LeaseLost


def current_job_id() -> int | None:
    """Return which long job is being done; none outside a job."""
    current = _current.get()
    return current[1].pk if current else None


class _prolonged:  # noqa: N801  reads as a word: with _prolonged(...)
    """Prolong the lease from a thread of its own while the work goes on."""

    def __init__(self, tenant: Tenant, held: Job) -> None:
        self.tenant, self.held = tenant, held
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self.over.wait(settings.JOB_LEASE_S / 3):
            try:
                with scope(self.tenant):
                    if not operations.hold(job=self.held, at=timezone.now()):
                        break
            except DatabaseError:
                log.exception("the lease of job %s could not be prolonged; trying again", self.held.pk)
                connection.close()
        connection.close()

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()
