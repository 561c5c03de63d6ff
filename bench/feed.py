"""How many pages of twenty the feed shows a second, over HTTP, with every place written down.

`python -m bench.feed`. Clients, web server and PostgreSQL share the machine. Each client scrolls through three pages
of one viewer's feed, then takes the next viewer. The baseline is a DRF view that answers a constant on the same server.
"""

import argparse
import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import orjson

from bench import feed_world, site

PAGES = 3  # of a session
LIMIT = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--viewers", type=int, default=100_000)
    parser.add_argument("--watches", type=int, default=25, help="of each viewer")
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--threads", type=int, default=2, help="per web worker")
    parser.add_argument("--ranker", choices=("boosted", "attention", ""), default="boosted", help="nothing: no parts")
    asked = parser.parse_args()
    with site.started(threads=asked.threads, DJANGO_SETTINGS_MODULE="bench.feed_settings") as address:
        sizes = {"items": asked.items, "viewers": asked.viewers, "watches": asked.watches, "factors": asked.factors}
        keys = feed_world.seed(**sizes, ranker=asked.ranker)
        timed = {"address": address, "keys": keys, "clients": asked.clients}
        measured = _measured(timed, seconds=asked.seconds)
    parts = ["retrieval", *([f"ranker: {asked.ranker}", "cold"] if asked.ranker else [])]
    world = {"items": asked.items, "viewers": asked.viewers, "watches": asked.viewers * asked.watches}
    told = {"parts": parts, "world": world, "clients": asked.clients, "machine": site.machine()}
    print(json.dumps({"benchmark": "feed", **measured, **told}))


def _measured(timed: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    """Return the figures of the feed, and of constants beside it."""
    _measure(**timed, seconds=5, scroll=_session)
    before = feed_world.impressions()
    feed = _measure(**timed, seconds=seconds, scroll=_session)
    written = feed_world.impressions() - before
    if written != feed["requests"] * LIMIT:
        raise RuntimeError(f"{written} impressions for {feed['requests']} pages of {LIMIT}.")
    constant, signed_in = (
        _measure(**timed, seconds=5, scroll=_constant(path)) for path in ("/constant/", "/signed-in/")
    )
    return {
        **feed,
        "impressions": written,
        "baseline": "a DRF view that answers a constant",
        "baseline_requests_per_s": constant["requests_per_s"],
        "ratio": round(feed["requests_per_s"] / constant["requests_per_s"], 3),
        "signed_in_constant_requests_per_s": signed_in["requests_per_s"],
    }


class Client:
    """One keep-alive connection that asks as little of the machine as it can."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self.socket = socket.create_connection((place.hostname, place.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path: str, key: str, *, method: str = "GET") -> bytes:
        """Return the body of an answer that says yes; raise otherwise."""
        asked = f"{method} {path} HTTP/1.1\r\nHost: {feed_world.HOST}\r\nAuthorization: Bearer {key}\r\n"
        self.socket.sendall(f"{asked}Content-Length: 0\r\n\r\n".encode())
        answer = self.socket.recv(65_536)
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self.socket.recv(65_536)
        head = answer[:end].lower()
        length = int(told.split(b"\r\n", 1)[0]) if (told := head.partition(b"content-length:")[2]) else 0
        while len(answer) < end + 4 + length:
            answer += self.socket.recv(65_536)
        if b" 20" not in head[:12]:
            raise RuntimeError(answer.decode())
        return answer[end + 4 :]


def _session(client: Client, key: str) -> Iterator[float]:
    """Scroll through some pages of the feed and yield what each took."""
    path = f"/api/v1/feed/?limit={LIMIT}"
    for _ in range(PAGES):
        start = time.perf_counter()
        body = client.ask(path, key)
        yield time.perf_counter() - start
        page: dict[str, Any] = orjson.loads(body)
        if len(page["results"]) != LIMIT:
            raise RuntimeError(f"A page of {len(page['results'])}.")
        following = urlsplit(page["next"])
        path = f"{following.path}?{following.query}"


def _constant(path: str) -> Callable[[Client, str], Iterator[float]]:
    def ask(client: Client, key: str) -> Iterator[float]:
        start = time.perf_counter()
        client.ask(path, key)
        yield time.perf_counter() - start

    return ask


def _measure(
    *, address: str, keys: list[str], clients: int, seconds: float, scroll: Callable[[Client, str], Iterator[float]]
) -> dict[str, Any]:
    """Let all clients scroll for so long; return the rate and the latencies."""
    start = time.perf_counter()

    def run(number: int) -> list[float]:
        client, turn, took = Client(address), number, list[float]()
        while time.perf_counter() < start + seconds:
            took.extend(scroll(client, keys[turn % len(keys)]))
            turn += clients
        return took

    with ThreadPoolExecutor(clients) as pool:
        took = [latency for latencies in pool.map(run, range(clients)) for latency in latencies]
    whole = time.perf_counter() - start
    took.sort()
    return {
        "requests": len(took),
        "requests_per_s": round(len(took) / whole, 1),
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p95_ms": round(took[len(took) * 95 // 100] * 1000, 1),
        "p99_ms": round(took[len(took) * 99 // 100] * 1000, 1),
    }


if __name__ == "__main__":
    main()
