"""A whole site to measure: embedded servers in a throw-away folder, migrated, and a web server in front.

Say `with site.started() as address:` before anything of Django is imported; inside, this process may use the
models too. PostgreSQL waits for the disk at every commit, as it does for a real installation.
"""

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import django
from django.core.management import call_command
from django.db import connections

from kpplatform import embedded

ROOT = Path(__file__).resolve().parents[1]
NEVER = "1000000000"
STARTS_WITHIN_S = 30.0


@contextmanager
def started(*, workers: int = 2, threads: int = 4, **settings: str) -> Iterator[str]:
    """Start the site and yield its address, e.g. http://127.0.0.1:41234. Throttles count, but let everything pass."""
    with migrated(**settings), _web(workers=workers, threads=threads) as address:
        yield address


@contextmanager
def migrated(**settings: str) -> Iterator[None]:
    """Start the servers, point Django at them and make the tables."""
    folder = Path(tempfile.mkdtemp(prefix="kp-bench-"))
    folder.chmod(0o755)
    try:
        with embedded.servers(folder) as servers:
            addresses = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
            throttles = {"THROTTLE_MEMBER": NEVER, "THROTTLE_TENANT": NEVER}
            usual = {"DATA_DIR": str(folder), "LOG_LEVEL": "WARNING", "DJANGO_SETTINGS_MODULE": "kpplatform.settings"}
            usual["SANDBOX_CHECKOUT"] = "1"
            os.environ.update(addresses | throttles | usual | settings)
            django.setup()
            call_command("migrate", verbosity=0)
            yield
            connections.close_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _web(*, workers: int, threads: int) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-ws"]
    command += ["--workers", str(workers), "--blocking-threads", str(threads), "--log-level", "warning"]
    process = subprocess.Popen([*command, "kpplatform.wsgi:application"], cwd=ROOT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/health/", process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(address, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The web server does not answer at {address}.")


def analyze() -> None:
    """Tell the planner what is in the tables now, as autovacuum does within a minute of growth."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")


def machine() -> str:
    """Return what the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return f"{len(os.sched_getaffinity(0))} × {model}, Python {platform.python_version()}, {platform.system()}"
