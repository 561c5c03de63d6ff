"""Other processes that a test needs: a real Celery worker, a real web server, on the same test database."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from django.db import connections

ROOT = Path(__file__).resolve().parents[1]
QUICK = {"JOB_LEASE_S": "2", "SWEEP_EVERY_S": "0.5", "LOG_LEVEL": "WARNING"}


def database_url(alias: str) -> str:
    """Return the address under which another process reaches this role's test database."""
    at = connections[alias].settings_dict
    user, password = quote(at["USER"], safe=""), quote(at["PASSWORD"], safe="")
    return f"postgres://{user}:{password}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process of this installation, on the test database."""
    roles = {"APP_DATABASE_URL": database_url("default"), "OPERATOR_DATABASE_URL": database_url("operator")}
    return os.environ | QUICK | roles | more


def eventually(answer: Callable[[], object], expected: object = True) -> None:  # noqa: FBT002  the usual question
    """Ask until the expected answer comes."""
    for _ in range(1_200):
        if answer() == expected:
            return
        time.sleep(0.05)
    assert answer() == expected


class Worker:
    """A Celery worker with its beat, in a process group of its own, so that it can be killed as a machine dies."""

    def __init__(self, **env: str) -> None:
        self.env = env
        self.process: subprocess.Popen[bytes] | None = None
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the worker

    def start(self) -> None:
        schedule = Path(tempfile.gettempdir()) / f"beat-{os.getpid()}-{id(self)}"
        options = ["--concurrency=1", "--queues=default,training", "--without-gossip", "--without-mingle", "--beat"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "kpplatform.celery", "worker", *options, f"--schedule={schedule}"],
            cwd=ROOT,
            env=environment(**self.env),
            start_new_session=True,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def kill(self) -> None:
        """End it as a power cut would: parent, child and beat at once."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, sign)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def said(self) -> str:
        """Return what it has written to its log so far."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if kind is not None:
            sys.stderr.write(self.said())
        self.log.close()


@contextmanager
def web(*, workers: int = 2, threads: int = 4, **env: str) -> Iterator[int]:
    """Start a web server of so many processes and yield its port once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws"]
    command += ["--workers", str(workers), "--blocking-threads", str(threads), "--log-level", "warning"]
    process = subprocess.Popen([*command, "kpplatform.wsgi:application"], cwd=ROOT, env=environment(**env))
    try:
        eventually(lambda: _answers(port))
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(port: int) -> bool:
    asked = HTTPConnection("127.0.0.1", port, timeout=5)
    with suppress(OSError):
        asked.request("GET", "/health/", headers={"Host": "localhost"})
        return asked.getresponse().status == 200
    return False
