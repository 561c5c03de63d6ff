"""The short form of `make chaos`: parts are killed while they sell, and in the end the books are right."""

import json
import os
import subprocess
import sys

import pytest

from tests.processes import ROOT


@pytest.mark.slow
def test_whatever_is_killed_the_books_are_right_in_the_end() -> None:
    """In a process and on servers of its own: those of the other tests are not killed."""
    own = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    command = [sys.executable, "-m", "tests.chaos", "--seconds", "20", "--seed", "7", "--customers", "2"]

    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False, timeout=420)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["faults"] == []
    assert report["captured"] > 0
    assert sum(report["killed"].values()) > 0
