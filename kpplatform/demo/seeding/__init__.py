"""A generated world becomes a tenant's rows: all of them, or none."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from catalog.models import Item, Topic
from creators.models import Creator
from kpplatform.demo.copying import check_each_statement, reserve
from kpplatform.demo.seeding import shelves, stories
from kpplatform.demo.seeding.places import Places
from kpplatform.demo.world.catalogue import Catalogue, draw_catalogue
from kpplatform.demo.world.history import VIEWERS_IN_A_CHUNK, history
from kpplatform.demo.world.topics import DOMAINS, TOPICS
from kpplatform.demo.world.viewers import draw_viewers
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Size:
    """How large a world is. The same size and end give the same world."""

    viewers: int = 2_000
    videos: int = 1_500
    courses: int = 60
    days: int = 21
    seed: int = 1


def seed_world(*, tenant: Tenant, size: Size, ends_at: datetime, progress: Progress) -> int:
    """Fill the tenant with a world whose last day ends at the given time; return how many watches it has.

    One transaction: a tenant is never half filled. `progress` is told the share of the work that is done.
    What depends on the rows is set right by `settle` afterwards.
    """
    starts_at = ends_at - timedelta(days=size.days)
    catalogue = draw_catalogue(
        videos=size.videos, courses=size.courses, days=size.days, starts_at=starts_at, seed=size.seed
    )
    viewers = draw_viewers(count=size.viewers, videos=size.videos, seed=size.seed)
    chunks = size.days * -(-size.viewers // VIEWERS_IN_A_CHUNK)
    watches = 0
    with scope(tenant):
        check_each_statement()
        places = places_of(catalogue, size)
        stories.write_viewers(viewers=viewers, places=places, starts_at=starts_at, seed=size.seed)
        shelves.write(catalogue=catalogue, places=places, owners=owners(catalogue, size))
        told = history(catalogue=catalogue, viewers=viewers, seed=size.seed, owners=owners(catalogue, size))
        for chunk, events in enumerate(told):
            watches += stories.write(events=events, catalogue=catalogue, places=places, seed=size.seed + chunk)
            progress(min(1.0, (chunk + 1) / chunks))
    progress(1.0)
    return watches


def owners(catalogue: Catalogue, size: Size) -> NDArray[np.int32]:
    """Return which viewer runs each creator (C,): the first viewers, as long as there are some, then nobody."""
    row = np.arange(len(catalogue.creators), dtype=np.int32)
    return np.where(row < size.viewers, row, np.int32(-1))


def places_of(catalogue: Catalogue, size: Size) -> Places:
    topics = reserve(Topic, len(DOMAINS) + len(TOPICS))
    items = reserve(Item, len(catalogue.courses) + len(catalogue.videos))
    return Places(
        domains=topics[: len(DOMAINS)],
        topics=topics[len(DOMAINS) :],
        creators=reserve(Creator, len(catalogue.creators)),
        courses=items[: len(catalogue.courses)],
        videos=items[len(catalogue.courses) :],
        viewers=reserve(Member, size.viewers),
    )
