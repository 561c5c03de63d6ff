"""How soon every web process serves another version, and what the requests notice of it.

`python -m bench.swap`. Clients ask for feeds while versions are published in turn, each in its own folder. A version
is everywhere when the last page by one before it has been asked for. The latencies of the seconds after each
publication stand beside those of the quiet time between.
"""

import argparse
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import orjson

from bench import feed_world, site
from bench.feed import LIMIT, Client

AFTER_S = 3.0  # of a swap; what is later counts as quiet


class Answer(NamedTuple):
    """When a page was asked for, how long it took and who was served by what; no version is a failure."""

    at: float
    took: float
    version: int | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--viewers", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2, help="web processes")
    parser.add_argument("--swaps", type=int, default=6)
    parser.add_argument("--every", type=float, default=8.0, help="seconds")
    asked = parser.parse_args()
    with site.started(workers=asked.workers, threads=2) as address:
        keys = feed_world.seed(items=asked.items, viewers=asked.viewers, watches=25, factors=asked.factors)
        answers, swaps = _swapped(address, keys, clients=asked.clients, swaps=asked.swaps, every=asked.every)
    print(
        json.dumps(
            {
                "benchmark": "swap",
                "world": {"items": asked.items, "factors": asked.factors, "viewers": asked.viewers},
                "processes": asked.workers,
                "clients": asked.clients,
                "requests": len(answers),
                "failed": sum(answer.version is None for answer in answers),
                "swaps": len(swaps),
                "until_everywhere_s": [round(_until_everywhere(answers, *swap), 2) for swap in swaps],
                "after_a_swap": _latencies([of for of in answers if _since_a_swap(of, swaps) < AFTER_S]),
                "quiet": _latencies([of for of in answers if _since_a_swap(of, swaps) >= AFTER_S]),
                "machine": site.machine(),
            }
        )
    )


def _swapped(
    address: str, keys: list[str], *, clients: int, swaps: int, every: float
) -> tuple[list[Answer], list[tuple[float, int]]]:
    """Publish versions while the clients scroll; return all answers, and when each version was published."""
    over = threading.Event()
    with ThreadPoolExecutor(clients) as pool:
        scrolling = [pool.submit(_scroll, address, keys[number::clients], over) for number in range(clients)]
        time.sleep(every)
        done = []
        for _ in range(swaps):
            version = feed_world.publish_again()
            done.append((time.monotonic(), version))
            time.sleep(every)
        over.set()
    return [answer for answers in scrolling for answer in answers.result()], done


def _scroll(address: str, keys: list[str], over: threading.Event) -> list[Answer]:
    client, answers, turn = Client(address), list[Answer](), 0
    while not over.is_set():
        at = time.monotonic()
        try:
            page: dict[str, Any] = orjson.loads(client.ask(f"/api/v1/feed/?limit={LIMIT}", keys[turn % len(keys)]))
            version = page["version"]
        except (RuntimeError, OSError):
            client, version = Client(address), None
        answers.append(Answer(at, time.monotonic() - at, version))
        turn += 1
    return answers


def _until_everywhere(answers: list[Answer], at: float, version: int) -> float:
    """Return how long after the swap the last page by an earlier version was asked for."""
    return max((answer.at - at for answer in answers if answer.version and answer.version < version), default=0.0)


def _since_a_swap(answer: Answer, swaps: list[tuple[float, int]]) -> float:
    return min((answer.at + answer.took - at for at, _ in swaps if answer.at + answer.took >= at), default=AFTER_S)


def _latencies(answers: list[Answer]) -> dict[str, float]:
    took = sorted(answer.took for answer in answers)
    return {
        "requests": len(took),
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p95_ms": round(took[len(took) * 95 // 100] * 1000, 1),
        "p99_ms": round(took[len(took) * 99 // 100] * 1000, 1),
        "max_ms": round(took[-1] * 1000, 1),
    }


if __name__ == "__main__":
    main()
