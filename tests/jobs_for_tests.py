"""Jobs that a real worker runs in tests. They leave their marks where any process reads them."""

import os
import signal
import time
from typing import cast

from kpplatform.jobs import running
from kpplatform.rest.throttles import counters
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import current_tenant, scope

MARKS, GO = "test:marks", "test:go"
PATIENCE_S = 30


def mark(text: str) -> None:
    counters().rpush(MARKS, text)


def marks() -> list[str]:
    return [str(found, "utf-8") for found in cast("list[bytes]", counters().lrange(MARKS, 0, -1))]


def let_go() -> None:
    """Let one waiting job go on."""
    counters().rpush(GO, "go")


def wait() -> None:
    for _ in range(PATIENCE_S * 10):
        if counters().lpop(GO):
            return
        time.sleep(0.1)
    raise TimeoutError("Nobody let this job go on.")


@running.job
def note(*, text: str) -> None:
    """Write one member, and say in whose scope and with how many others."""
    Member.objects.create(name=text)
    mark(f"{current_tenant().slug} {text} {Member.objects.count()}")


@running.job
def stumble(*, text: str) -> None:
    """Write, then break: nothing of it may stay."""
    Member.objects.create(name=text)
    mark(f"stumbled {text}")
    raise RuntimeError("on purpose")


@running.job
def die_once(*, text: str) -> None:
    """Take the worker's child along, as running out of memory does, the first time."""
    Member.objects.create(name=text)
    mark(f"tried {text}")
    if len(marks()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)


@running.job
def note_slowly(*, text: str) -> None:
    Member.objects.create(name=text)
    mark(f"began {text}")
    wait()
    mark(f"ended {text}")


@running.long_job
def note_at_length(*, tenant: Tenant, text: str) -> None:
    """Work outside a transaction, longer than one lease, and write at the end."""
    mark(f"began {text}")
    running.report(0.5)
    wait()
    with scope(tenant):
        Member.objects.get_or_create(name=text)
    mark(f"ended {text}")
