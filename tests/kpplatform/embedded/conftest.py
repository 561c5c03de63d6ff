"""What the tests of the embedded servers share: folders, questions to servers, and their processes."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from kpplatform import embedded
from kpplatform.embedded import places, processes
from kpplatform.embedded.state import State

PROJECT = Path(__file__).resolve().parents[3]
ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops privileges")


@contextmanager
def a_folder() -> Iterator[Path]:
    """Make a folder that the unprivileged account may enter, as pytest's own may not be."""
    path = Path(tempfile.mkdtemp(prefix="kp-test-"))
    path.chmod(places.ENTERABLE)
    try:
        yield path
    finally:
        places.discard(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    with a_folder() as path:
        yield path


@pytest.fixture(scope="module")
def used() -> Iterator[Path]:
    """The folder of servers that run during the whole module, to be looked at only."""
    with a_folder() as path, embedded.servers(path, fast=True):
        yield path


@pytest.fixture
def servers(used: Path) -> embedded.Servers:
    found = embedded.running(used)
    assert found is not None
    return found


def ask(url: str, question: str) -> object:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def tell(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def eventually(answer: Callable[[], object], expected: object) -> None:
    """Ask until the answer comes, through the refusals while a server is down."""
    for _ in range(600):
        try:
            if answer() == expected:
                return
        except (psycopg.OperationalError, redis.ConnectionError):
            pass
        time.sleep(0.05)
    assert answer() == expected


def processes_of(folder: Path, server: str = "") -> list[int]:
    """The living processes of the folder's servers, their leader first."""
    state = State.load(folder)
    assert state is not None
    found = processes.marked(f"{state.mark}{server}")
    return sorted(found, key=lambda pid: (found[pid].startswith("postgres: "), pid))


def guards_of(folder: Path) -> list[int]:
    state = State.load(folder)
    assert state is not None
    return list(processes.marked(state.mark[::-1]))


def supervisor(folder: Path) -> subprocess.Popen[str]:
    """A process that runs the servers and has said so."""
    child = subprocess.Popen(
        [sys.executable, "-m", "kpplatform.embedded", "--data", folder, "--fast"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline().startswith("DATABASE_URL=")
    return child
