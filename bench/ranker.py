"""How long ranking takes in a web process: one viewer's history, so many candidates, one thread.

`OMP_NUM_THREADS=1 python -m bench.ranker [--events 30000] [--rounds 200]`. Both kinds are fitted on a made-up log, as
large as asked for, saved and loaded as a web process does; each request reads 200 events of a viewer. Baseline: the
rates of long views of items, looked up and put in order.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from recommender.ml import saved
from recommender.ml.arrays import Longs
from recommender.ml.ranker import choosing
from recommender.ml.ranker.choosing import Config
from recommender.ml.ranker.examples import World
from recommender.ml.ranker.facts import Items, Log, asked
from recommender.ml.ranker.features import ITEM_NAMES, REMEMBERED
from recommender.ml.signals import Events

CANDIDATES = (200, 500)
ITEMS = 10_000
CREATORS = 500
TOPICS = 40
START = 1_700_000_000_000
MINUTE = 60_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=200)
    told = parser.parse_args()
    rng = np.random.default_rng(0)
    world, events = made_up(told.events, rng)
    for name in choosing.NAMES:
        print(json.dumps(measure(name, world, events, rounds=told.rounds, rng=rng)))


def made_up(many: int, rng: np.random.Generator) -> tuple[World, Events]:
    """Return views by viewers of 200 each, whose length depends on the creator."""
    items = Items(
        ids=np.arange(ITEMS),
        creator=np.append(rng.integers(0, CREATORS, ITEMS), -1),
        topic=np.append(rng.integers(0, TOPICS, ITEMS), -1),
        duration_ms=np.append(rng.integers(5_000, 180_000, ITEMS), 0),
        published_at=np.append(np.full(ITEMS, START), 0),
    )
    item = rng.integers(0, ITEMS, many)
    share = rng.beta(1 + items.creator[item] % 5, 3)
    events = Events(
        viewer=np.arange(many) // REMEMBERED,
        item=item,
        at=START + np.arange(many) % REMEMBERED * 10 * MINUTE,
        kind=np.zeros(many, np.int8),
        watched=share.astype(np.float32),
        long_view=np.full(many, np.nan, np.float32),
        watch_ms=(share * items.duration_ms[item]).astype(np.int32),
        flags={"liked": rng.random(many) < share / 4},
    )
    return World.of(Log.gather(events, items), items, until=START * 2), events


def measure(name: str, world: World, events: Events, *, rounds: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return the median and the 95th percentile (ms) of a request, for each number of candidates."""
    rows = np.arange(len(world.log))
    at = int(world.log.at.max()) + MINUTE
    fitted = choosing.fit(name, world, world.examples(asked(world.log, rows), rows), at=at, config=Config())
    with tempfile.TemporaryDirectory() as folder:
        fitted.ranker.save(Path(folder))
        ranker = saved.load(Path(folder))
        history = _of(events, 0)
        by_rate = ranker.table[:, ITEM_NAMES.index("item_long")]
        figures: dict[str, Any] = {"benchmark": "ranker", "model": name, "history": REMEMBERED, "rounds": rounds}
        for many in CANDIDATES:
            pages = [rng.choice(ITEMS, many, replace=False) for _ in range(rounds)]
            taken, cpu = _times(lambda page: ranker.rank(history, page, at=at), pages)
            baseline, _ = _times(lambda page: np.argsort(-by_rate[ranker.items.codes(page)]), pages)
            figures |= {
                f"cpu_ms@{many}": round(cpu, 3),
                f"p50_ms@{many}": round(statistics.median(taken), 3),
                f"p95_ms@{many}": round(float(np.quantile(taken, 0.95)), 3),
                f"times_baseline@{many}": round(statistics.median(taken) / statistics.median(baseline), 1),
            }
    return figures


def _times(ask: Callable[[Longs], object], pages: list[Longs]) -> tuple[list[float], float]:
    """Return how long each request took (ms), and how much of the processor one took on average."""
    ask(pages[0])
    taken, used = [], time.process_time()
    for page in pages:
        began = time.perf_counter()
        ask(page)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken, (time.process_time() - used) * 1_000 / len(pages)


def _of(events: Events, viewer: int) -> Events:
    own = events.viewer == viewer
    return Events(
        viewer=events.viewer[own],
        item=events.item[own],
        at=events.at[own],
        kind=events.kind[own],
        watched=events.watched[own],
        long_view=events.long_view[own],
        watch_ms=events.watch_ms[own],
    )


if __name__ == "__main__":
    main()
