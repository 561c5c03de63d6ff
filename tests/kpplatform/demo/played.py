"""Worlds to look at: played small, and told apart by their digests."""

import hashlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kpplatform.demo.world.arrays import Int32s
from kpplatform.demo.world.catalogue import Catalogue, draw_catalogue
from kpplatform.demo.world.events import CLEAN, Events, joined
from kpplatform.demo.world.history import history
from kpplatform.demo.world.viewers import Viewers, draw_viewers

MARCH = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 10


class World(NamedTuple):
    catalogue: Catalogue
    viewers: Viewers
    chunks: list[Events]
    events: Events
    """Every event, dirty ones too."""
    clean: Events
    owners: Int32s


def catalogue(*, seed: int = 1, videos: int = 1_500) -> Catalogue:
    return draw_catalogue(videos=videos, courses=40, days=DAYS, starts_at=MARCH, seed=seed)


def play(*, seed: int = 1, viewers: int = 2_500, videos: int = 1_500) -> World:
    offered = catalogue(seed=seed, videos=videos)
    people = draw_viewers(count=viewers, videos=videos, seed=seed)
    owners = np.arange(len(offered.creators), dtype=np.int32)
    chunks = list(history(catalogue=offered, viewers=people, seed=seed, visits_per_day=0.8, owners=owners))
    events = joined(chunks)
    return World(offered, people, chunks, events, events.take(events.dirt == CLEAN), owners)


def digest(part: object) -> str:
    """Hash every array and every text inside."""
    total = hashlib.sha256()
    for piece in pieces(part):
        total.update(piece)
    return total.hexdigest()


def pieces(part: object) -> Iterator[bytes]:
    if is_dataclass(part):
        for field in fields(part):
            yield from pieces(getattr(part, field.name))
    else:
        yield part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode()


def ratios(events: Events) -> NDArray[np.float64]:
    return events.watch_ms / events.duration_ms
