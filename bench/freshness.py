"""How long it takes from a like until a page that follows it, over HTTP, and how much of the page follows.

`python -m bench.freshness`. Viewers who watched one group of items like an item of another; their next request for a
page is sent as soon as the like is answered. The baseline is the page before the like: how much of it was of that
other group. Nothing is trained between the two.
"""

import argparse
import json
import time
from typing import Any, NamedTuple

import orjson

from bench import feed_world, site
from bench.feed import LIMIT, Client


class Trial(NamedTuple):
    """A like: how long until the next page was there, and what share of the pages before and after is of its group."""

    took: float
    before: float
    after: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--viewers", type=int, default=20_000)
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--likes", type=int, default=200)
    asked = parser.parse_args()
    with site.started(threads=2) as address:
        keys = feed_world.seed(items=asked.items, viewers=asked.viewers, watches=2, factors=asked.factors)
        client = Client(address)
        trials = [_liked(client, key, number) for number, key in enumerate(keys[: asked.likes])]
    took = sorted(trial.took for trial in trials)
    print(
        json.dumps(
            {
                "benchmark": "freshness",
                "likes": len(trials),
                "like_to_page_p50_ms": round(1000 * took[len(took) // 2], 1),
                "like_to_page_p95_ms": round(1000 * took[len(took) * 95 // 100], 1),
                "like_to_page_max_ms": round(1000 * took[-1], 1),
                "share_of_its_group_before": round(sum(trial.before for trial in trials) / len(trials), 3),
                "share_of_its_group_after": round(sum(trial.after for trial in trials) / len(trials), 3),
                "items": asked.items,
                "machine": site.machine(),
            }
        )
    )


def _liked(client: Client, key: str, number: int) -> Trial:
    """Like an item of a group that the viewer is not known to like, and ask for a page at once."""
    liked = 1 + number * (feed_world.GROUPS + 1)  # items and groups in turn
    before = _share(client, key, liked)
    began = time.perf_counter()
    client.ask(f"/api/v1/items/{liked}/reactions/like/", key, method="PUT")
    after = _share(client, key, liked)
    return Trial(time.perf_counter() - began, before, after)


def _share(client: Client, key: str, liked: int) -> float:
    """Return what share of a new page is of the group of that item; the time of this call counts."""
    page: dict[str, Any] = orjson.loads(client.ask(f"/api/v1/feed/?limit={LIMIT}", key))
    of_group: int = sum(card["id"] % feed_world.GROUPS == liked % feed_world.GROUPS for card in page["results"])
    return of_group / LIMIT


if __name__ == "__main__":
    main()
