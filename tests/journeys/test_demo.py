"""The main job on a whole installation: real servers, real workers, real HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_fresh_installation_does_the_main_job() -> None:
    mine = {"DATA_DIR", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in mine}

    done = subprocess.run(
        [sys.executable, "manage.py", "demo", "--check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout, done.stderr[-3_000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["ok"], found["steps"][-1]
    assert done.returncode == 0
    assert len(found["steps"]) >= 32
