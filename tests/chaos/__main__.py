"""Sell for so many seconds while parts are killed at random times, let everything settle, and check the promises.

    python -m tests.chaos [--seconds 420] [--seed 1] [--customers 3]

Killed with SIGKILL: the worker (parent, child and beat at once), customers in the middle of an order or a refund, and
PostgreSQL. The provider fails after its commit, hangs, refuses, and delivers its messages twice, late, in another
order, or not at all. Printed: what was done and killed, as JSON. The exit is 1 when a promise is broken.
"""

import argparse
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench import site

KEY = "sk_chaos"
SLUGS = ("chaos-a", "chaos-b")
SETTLES_WITHIN_S = 120.0
PAUSES_S = 1.0, 8.0  # between two deaths: long enough to be at work again, mostly
QUICK = {"JOB_LEASE_S": "2", "SWEEP_EVERY_S": "0.5", "LOG_LEVEL": "ERROR"}
FAULTS = (
    *[("/v1/checkouts", kind) for kind in ("fail_after_commit", "time_out_after_commit", "too_many")],
    *[("/v1/refunds", kind) for kind in ("fail_after_commit", "time_out_after_commit", "too_many", "refuse")],
    *[("/v1/charges", kind) for kind in ("fail_after_commit", "too_many", "decline_soft")],
    *[("/v1/payouts", kind) for kind in ("fail_after_commit", "time_out_after_commit", "too_many", "refuse")],
    *[("webhook", kind) for kind in ("duplicate", "reorder", "delay", "drop")],
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=420)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--customers", type=int, default=3)
    asked = parser.parse_args()
    report = run(seconds=asked.seconds, seed=asked.seed, customers=asked.customers)
    sys.stdout.write(json.dumps(report) + "\n")
    sys.exit(1 if report["faults"] else 0)


def run(*, seconds: float, seed: int, customers: int) -> dict[str, Any]:
    """Return what was done, what was killed, and which promises are broken."""
    web, provider, folder = _free_port(), _free_port(), Path(tempfile.mkdtemp(prefix="kp-chaos-"))
    settings = QUICK | {"SANDBOX_URL": f"http://127.0.0.1:{provider}", "SANDBOX_KEY": KEY, "PUBLIC_PORT": str(web)}
    with ExitStack() as stack:
        stack.enter_context(site.migrated(**settings))
        from tests.chaos import world  # noqa: PLC0415  the settings come first

        server = stack.enter_context(_provider(folder, provider))
        world.fill(SLUGS, viewers=customers)
        parts = world.Parts(folder=folder, port=web, customers=customers, seed=seed)
        stack.enter_context(parts.running())
        sold = _eventually(world.has_sold)
        killed = _kill(parts, server, seconds=seconds, rng=random.Random(seed))
        parts.end_customers()
        settled = _eventually(lambda: world.is_settled(server.bank))
        missing = [what for what, is_there in (("sold", sold), ("settled", settled)) if not is_there]
        return {
            "seconds": seconds,
            "seed": seed,
            "killed": dict(killed),
            **world.counted(),
            "faults": [*(f"not {what}" for what in missing), *world.faults(server.bank)],
        }


def _kill(parts: Any, server: Any, *, seconds: float, rng: random.Random) -> Counter[str]:
    """Kill one part after the other, and bring it back, until the time is over; return how often each died."""
    from billing.providers.sandbox.faults import Fault, Kind  # noqa: PLC0415

    killed, end = Counter[str](), time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(rng.uniform(*PAUSES_S))
        on, kind = rng.choice(FAULTS)
        server.faults.plan(Fault(on=on, kind=Kind(kind), times=rng.randint(1, 3), seconds=3.0))
        who = rng.choice(["worker", "customer", "customer", "postgresql"])
        parts.kill(who, rng)
        killed[who] += 1
    return killed


@contextmanager
def _provider(folder: Path, port: int) -> Iterator[Any]:
    from billing.providers.sandbox.server import listening  # noqa: PLC0415

    with listening(port=port, path=folder / "sandbox.jsonl", key=KEY) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _eventually(answer: Callable[[], bool]) -> bool:
    end = time.monotonic() + SETTLES_WITHIN_S
    while time.monotonic() < end:
        if answer():
            return True
        time.sleep(0.3)
    return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
