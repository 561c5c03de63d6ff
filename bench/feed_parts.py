"""What stands beside the model in the feed benchmark's version: a ranker and a cold start, as large as real ones."""

from typing import Any

import numpy as np

from recommender.ml import content
from recommender.ml.arrays import Longs
from recommender.ml.cold import Cold
from recommender.ml.factors import Factors
from recommender.ml.ranker import choosing
from recommender.ml.ranker.choosing import Config
from recommender.ml.ranker.examples import World
from recommender.ml.ranker.facts import Items, Log, asked
from recommender.ml.ranker.features import REMEMBERED
from recommender.ml.signals import Events

EVENTS = 20_000
CREATORS, TOPICS = 2_000, 50
START, MINUTE = 1_700_000_000_000, 60_000


def cold_start(model: Factors, rng: np.random.Generator) -> Cold:
    """Return a map from words, tags and creators to some place in the model's space."""
    out = rng.normal(scale=0.01, size=(content.WIDTH, model.item_vectors.shape[1])).astype(np.float32)
    return Cold(model.name, hidden=np.zeros((content.WIDTH, 0), np.float32), out=out)


def ranking(kind: str, ids: Longs, rng: np.random.Generator) -> Any:
    """Return a ranker of a kind, fitted on views of these items whose length depends on the creator."""
    items = Items(
        ids=ids,
        creator=np.append(ids % CREATORS, -1),
        topic=np.append(ids % TOPICS, -1),
        duration_ms=np.append(np.full(len(ids), 30_000), 0),
        published_at=np.append(np.full(len(ids), START), 0),
    )
    item = rng.integers(0, len(ids), EVENTS)
    share = rng.beta(1 + items.creator[item] % 5, 3)
    events = Events(
        viewer=np.arange(EVENTS) // REMEMBERED,
        item=ids[item],
        at=START + np.arange(EVENTS) % REMEMBERED * 10 * MINUTE,
        kind=np.zeros(EVENTS, np.int8),
        watched=share.astype(np.float32),
        long_view=np.full(EVENTS, np.nan, np.float32),
        watch_ms=(share * 30_000).astype(np.int32),
        flags={"liked": rng.random(EVENTS) < share / 4},
    )
    world = World.of(Log.gather(events, items), items, until=START * 2)
    rows = np.arange(len(world.log))
    told = world.examples(asked(world.log, rows), rows)
    return choosing.fit(kind, world, told, at=START + REMEMBERED * 10 * MINUTE, config=Config()).ranker
