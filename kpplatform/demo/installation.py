"""A whole installation on one machine: servers, workers, beat, payment sandbox and web, for as long as it is wanted."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from kpplatform import embedded
from kpplatform.demo.programs import PYTHON, Programs, wait_until

HOST = "127.0.0.1"
GRANIAN = str(Path(sys.executable).parent / "granian")
WEB_WORKERS = 2
WEB_THREADS = 4


@dataclass(frozen=True)
class Installation:
    """Where it answers, and its programs."""

    port: int
    programs: Programs


@contextmanager
def installation(*, folder: Path, port: int, opening: list[str]) -> Iterator[Installation]:
    """Run an installation whose data lie in the folder; `opening` are the arguments of `manage.py open_demo`.

    With DATABASE_URL and REDIS_URL in the environment those servers are used, else our embedded ones. A training
    has a minute unless TRAINING_MINUTES says otherwise, so that a demo is soon there. The sandbox takes payments.
    """
    sandbox_port = free_port()
    environment = (
        {"TRAINING_MINUTES": "1", "SANDBOX_CHECKOUT": "1"}
        | os.environ
        | {
            "DATA_DIR": str(folder),
            "PUBLIC_PORT": str(port),
            "SANDBOX_URL": f"http://{HOST}:{sandbox_port}",
        }
    )
    with ExitStack() as stack:
        if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
            stack.enter_context(embedded.servers(folder))
        programs = Programs(logs=folder / "logs", environment=environment)
        stack.callback(programs.stop)
        programs.run("migrate", "--verbosity", "0")
        programs.start("sandbox", [PYTHON, "manage.py", "sandbox_provider", "--port", str(sandbox_port)])
        for name, command in workers(folder).items():
            programs.start(name, command)
        programs.start("web", web(port))
        programs.run("open_demo", *opening)
        wait_until(lambda: _answers(port), within_s=60, what="The web server")
        yield Installation(port=port, programs=programs)


def workers(folder: Path) -> dict[str, list[str]]:
    """Return the commands of the Celery programs: short work, training, and the clock."""
    celery = [PYTHON, "-m", "celery", "--app", "kpplatform.celery"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--concurrency", "1"]
    return {
        "worker": [*worker, "--queues", "default", "--hostname", "default@%h"],
        "training": [*worker, "--queues", "training", "--hostname", "training@%h"],
        "beat": [*celery, "beat", "--schedule", str(folder / "beat"), "--pidfile", ""],
    }


def web(port: int) -> list[str]:
    """Return the command of the web server."""
    threads = ["--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS)]
    where = ["--host", HOST, "--port", str(port)]
    return [GRANIAN, "--interface", "wsgi", *threads, *where, "--no-ws", "kpplatform.wsgi:application"]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as attempt:
        attempt.bind((HOST, 0))
        return int(attempt.getsockname()[1])


def is_free(port: int) -> bool:
    """Return whether nobody listens on the port."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return attempt.connect_ex((HOST, port)) != 0


def _answers(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
