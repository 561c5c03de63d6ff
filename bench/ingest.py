"""How many watches a second the API takes: batches of 100 over HTTP, each from one viewer's session.

`python -m bench.ingest`. Client, web server and PostgreSQL share the machine. The baseline is one COPY of the same
rows into a table with the same columns and indexes, and without everything else: no HTTP, no isolation, no foreign
keys, no cleaning, no looking for what was stored before.
"""

import argparse
import json
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from bench import site

HOST = "bench.localhost"
BATCH = 100
LENGTHS_MS = range(10_000, 60_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watches", type=int, default=300_000)
    parser.add_argument("--viewers", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--threads", type=int, default=4, help="per web worker")
    asked = parser.parse_args()
    with site.started(threads=asked.threads) as address:
        tokens, items = _seed(viewers=asked.viewers, items=asked.items)
        batches = list(_batches(tokens, items, count=asked.watches // BATCH, chance=random.Random(1)))
        warm, timed = batches[: len(batches) // 10], batches[len(batches) // 10 :]
        _send(address, warm, clients=asked.clients)
        site.analyze()
        took, latencies = _send(address, timed, clients=asked.clients)
        rate = len(timed) * BATCH / took
        baseline = _copy_rate(stored=len(batches) * BATCH)
    print(
        json.dumps(
            {
                "benchmark": "ingest",
                "watches_per_s": round(rate),
                "batch": BATCH,
                "requests": len(timed),
                "p50_ms": round(latencies[len(latencies) // 2] * 1000, 1),
                "p95_ms": round(latencies[len(latencies) * 95 // 100] * 1000, 1),
                "baseline": "COPY of the same rows into a table with the same indexes",
                "baseline_rows_per_s": round(baseline),
                "ratio": round(rate / baseline, 3),
                "machine": site.machine(),
            }
        )
    )


def _seed(*, viewers: int, items: int) -> tuple[list[str], list[int]]:
    """Make a tenant with viewers, whose tokens are returned, and free published videos, whose ids are returned."""
    from catalog.models import Item  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415
    from kpplatform.tenancy.models import Member, User  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant, issue_token  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    tenant = create_tenant(slug="bench", name="Bench", hosts=[HOST])
    people = User.objects.bulk_create(User(email=f"{number}@example.com") for number in range(viewers))
    with scope(tenant):
        creator = Creator.objects.create(handle="creator", name="Creator")
        members = Member.objects.bulk_create(Member(user=person) for person in people)
        now = datetime.now(UTC)
        tokens = [issue_token(member=m, name="bench", scopes=["write"], at=now)[1] for m in members]
        published = {"state": Item.State.PUBLISHED, "published_at": datetime(2026, 1, 1, tzinfo=UTC)}
        videos = Item.objects.bulk_create(
            Item(kind="video", creator=creator, title=f"Video {number}", duration_ms=30_000, **published)
            for number in range(items)
        )
    return tokens, [video.pk for video in videos]


def _batches(tokens: list[str], items: list[int], *, count: int, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield token and body: a viewer watches one video after another, at some time in the last days."""
    now = datetime.now(UTC)
    for _ in range(count):
        moment = now - timedelta(seconds=chance.randrange(86_400, 20 * 86_400))
        watches = []
        for _ in range(BATCH):
            watch_ms = chance.choice(LENGTHS_MS)
            watches.append(
                {
                    "event_id": str(UUID(int=chance.getrandbits(128), version=4)),
                    "item": chance.choice(items),
                    "started_at": moment.isoformat(),
                    "watch_ms": watch_ms,
                    "source": "feed",
                    "session": "session",
                }
            )
            moment += timedelta(milliseconds=watch_ms)
        yield chance.choice(tokens), orjson.dumps({"watches": watches})


def _send(address: str, batches: list[tuple[str, bytes]], *, clients: int) -> tuple[float, list[float]]:
    """Send all batches over some connections at once; return the seconds it took, and each request's, sorted."""
    latencies: list[float] = []
    waiting = iter(batches)
    turn = threading.Lock()

    def client() -> None:
        connection = HTTPConnection(urlsplit(address).netloc)
        while True:
            with turn:
                batch = next(waiting, None)
            if batch is None:
                return
            token, body = batch
            headers = {"Host": HOST, "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            start = time.perf_counter()
            connection.request("POST", "/api/v1/watches/", body, headers)
            answer = connection.getresponse()
            told = orjson.loads(answer.read())
            latencies.append(time.perf_counter() - start)
            if answer.status != 200 or told["stored"] != BATCH:
                raise RuntimeError(told)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    if len(latencies) != len(batches):
        raise RuntimeError("Not every batch was stored.")
    return took, sorted(latencies)


def _copy_rate(*, stored: int) -> float:
    """Return the rows a second at which one COPY writes what the API has stored."""
    from django.db import connections  # noqa: PLC0415

    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    columns = "tenant_id, event_id, viewer_id, item_id, started_at, received_at, watch_ms, duration_ms, source, session"
    stream = f"COPY (SELECT {columns}, quarantine FROM catalog_watch ORDER BY id) TO STDOUT"
    with scope(Tenant.objects.get()), connections["default"].cursor() as cursor, cursor.copy(stream) as out:
        rows = [bytes(block) for block in out]
    if len(rows) != stored:
        raise RuntimeError(f"{len(rows)} watches are stored instead of {stored}.")
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE plain (LIKE catalog_watch INCLUDING ALL)")
        start = time.perf_counter()
        with cursor.copy(f"COPY plain ({columns}, quarantine) FROM STDIN") as into:
            into.write(b"".join(rows))
        return stored / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
