"""A world where every viewer watches one creator long and the other not, for reasons a ranker can find."""

from dataclasses import fields, replace

import numpy as np

from recommender.ml.attributes import gather_attributes
from recommender.ml.ranker.circumstances import code
from recommender.ml.ranker.examples import Examples, World
from recommender.ml.ranker.facts import Items, Log, asked
from recommender.ml.signals import Events
from tests.recommender.ml.make import NOON

MINUTE = 60_000
ITEMS = np.arange(100, 140)  # even ones are creator 0's, odd ones creator 1's
DURATION_MS = 60_000
VIEWERS = 60
VIEWS = 30
PHONE, TV = code(1, 0), code(4, 1)


def items() -> Items:
    told = gather_attributes(
        item=ITEMS,
        creator=ITEMS % 2,
        tags=[["music"] if item % 4 < 2 else ["maths"] for item in ITEMS],
        duration_ms=np.full(len(ITEMS), DURATION_MS),
        published_at=np.full(len(ITEMS), NOON - 86_400_000),
        title=[""] * len(ITEMS),
        item_ids=ITEMS,
    )
    return Items.of(ITEMS, told)


def events(*, viewers: int = VIEWERS, views: int = VIEWS, seed: int = 0) -> Events:
    """Return views, minutes apart: even viewers watch even items to the end and like some, odd viewers odd ones."""
    rng = np.random.default_rng(seed)
    viewer = np.repeat(np.arange(viewers), views)
    item = rng.choice(ITEMS, viewers * views)
    loved = item % 2 == viewer % 2
    watch_ms = np.where(loved, DURATION_MS, 3_000) + rng.integers(-2_000, 1, len(item))
    return Events(
        viewer=viewer,
        item=item,
        at=NOON + np.tile(np.arange(views), viewers) * 90 * MINUTE + viewer,
        kind=np.zeros(len(item), np.int8),
        watched=(watch_ms / DURATION_MS).astype(np.float32),
        long_view=np.full(len(item), np.nan, np.float32),
        watch_ms=watch_ms.astype(np.int32),
        flags={"liked": loved & (rng.random(len(item)) < 0.3)},
    )


def world_of_devices() -> World:
    """Return a world where everybody watches even items to the end on a phone, odd ones on a television."""
    rng = np.random.default_rng(0)
    told, seen = items(), events()
    on_tv = rng.random(len(seen.item)) < 0.3
    loved = (seen.item % 2 == 1) == on_tv
    watch_ms = np.where(loved, DURATION_MS, 3_000).astype(np.int32)
    seen = replace(
        seen,
        watch_ms=watch_ms,
        watched=(watch_ms / DURATION_MS).astype(np.float32),
        flags={},
        circumstance=np.where(on_tv, TV, PHONE).astype(np.int8),
    )
    return World.of(Log.gather(seen, told), told, until=NOON * 2)


def nothing() -> Events:
    """Return the history of a newcomer."""
    seen = events(viewers=1)
    columns = {of.name: getattr(seen, of.name)[:0] for of in fields(seen) if of.name not in {"flags", "circumstance"}}
    return Events(**columns)


def world(*, viewers: int = VIEWERS, views: int = VIEWS) -> World:
    told = items()
    return World.of(Log.gather(events(viewers=viewers, views=views), told), told, until=NOON * 2)


def examples(of: World) -> Examples:
    rows = np.arange(len(of.log))
    return of.examples(asked(of.log, rows), rows)


def last_moment(of: World) -> int:
    return int(of.log.at.max()) + 1
