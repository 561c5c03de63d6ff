"""How long a refresh of all portraits takes, and that its memory does not grow with the viewers.

`python -m bench.portraits [--viewers 100000] [--watches 20]`. Two tenants, the second a fifth of the first, each with a
database and a process of its own. The baseline is the mere reading of the same watches, as every training reads them.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import site
from bench.feed_world import seed

ROOT = Path(__file__).resolve().parents[1]
ITEMS = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=100_000)
    parser.add_argument("--watches", type=int, default=20, help="of each viewer")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    print(json.dumps(measure(asked.viewers, asked.watches) if asked.alone else compare(asked.viewers, asked.watches)))


def compare(viewers: int, watches: int) -> dict[str, Any]:
    fifth, whole = (_in_a_process(count, watches) for count in (viewers // 5, viewers))
    return {
        "benchmark": "portraits",
        "watches_each": watches,
        "whole": whole,
        "fifth": fifth,
        "viewers_per_s": round(whole["viewers"] / whole["refresh_s"]),
        "ratio_to_reading": round(whole["refresh_s"] / whole["read_s"], 2),
        "ratio_of_memory": round(whole["peak_mb"] / fifth["peak_mb"], 3),
        "machine": site.machine(),
    }


def measure(viewers: int, watches: int) -> dict[str, float]:
    """Fill a database, refresh in this process, and return the seconds and the most memory that it took."""
    with site.migrated():
        seed(items=ITEMS, viewers=viewers, watches=watches, factors=8)
        from catalog.queries import interactions_between  # noqa: PLC0415
        from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
        from kpplatform.tenancy.scope import scope  # noqa: PLC0415
        from recommender.ml.evaluation import peak_mb  # noqa: PLC0415
        from recommender.queries import newest_run  # noqa: PLC0415
        from recommender.training import refresh_portraits  # noqa: PLC0415

        tenant, now = Tenant.objects.get(), datetime.now(UTC)
        began = time.perf_counter()
        with scope(tenant):
            read = sum(len(block) for block in interactions_between(None, now))
        read_s, idle_mb = time.perf_counter() - began, peak_mb()
        began = time.perf_counter()
        refresh_portraits(tenant=tenant, at=now)
        refresh_s = time.perf_counter() - began
        with scope(tenant):
            run = newest_run()
            assert run is not None
        return {
            "viewers": run.viewers,
            "watches": read,
            "read_s": round(read_s, 2),
            "refresh_s": round(refresh_s, 1),
            "idle_mb": round(idle_mb, 1),
            "peak_mb": round(peak_mb(), 1),
        }


def _in_a_process(viewers: int, watches: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.portraits", "--alone", f"--viewers={viewers}", f"--watches={watches}"]
    threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), "OPENBLAS_NUM_THREADS": "1"}
    said = subprocess.run(command, cwd=ROOT, env={**os.environ, **threads}, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
