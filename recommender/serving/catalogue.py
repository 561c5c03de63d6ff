"""What a tenant has to show, as arrays in memory. Shapes: M items on show."""

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.ml.arrays import Flags, Longs
from recommender.serving.page import Offer

NEWEST_OF_A_CREATOR = 3
TRIES = 4  # draws for each item wanted, since some will be hidden


@dataclass(frozen=True)
class Catalogue:
    """The published items, sorted by id; who may watch those that are not free is asked for each viewer."""

    items: Longs  # (M,) sorted
    creators: Longs  # (M,)
    published: Longs  # (M,) microseconds since the epoch
    is_free: Flags  # (M,)
    popular: tuple[Offer, ...] = ()  # best first

    @cached_property
    def by_creator(self) -> Longs:
        """Return the places of the free items ordered by creator, each one's newest first."""
        free = np.flatnonzero(self.is_free)
        return free[np.lexsort((-self.items[free], -self.published[free], self.creators[free]))]

    def of_creators(self, creators: Iterable[int]) -> list[Offer]:
        """Return the newest few free items of each creator, the newest of all first."""
        owners = self.creators[self.by_creator]
        found: list[int] = []
        for creator in creators:
            first = int(np.searchsorted(owners, creator))
            last = min(int(np.searchsorted(owners, creator, side="right")), first + NEWEST_OF_A_CREATOR)
            found.extend(self.by_creator[first:last].tolist())
        found.sort(key=lambda place: (-int(self.published[place]), -int(self.items[place])))
        return [Offer(int(self.items[place]), int(self.creators[place])) for place in found]

    def at_random(self, *, hidden: Collection[int], wanted: int, rng: random.Random) -> list[Offer]:
        """Return up to so many different free items that are not hidden, each equally likely."""
        free = self.free
        if not len(free):
            return []
        drawn = dict.fromkeys(rng.choices(range(len(free)), k=TRIES * wanted))
        offers = [Offer(int(self.items[free[place]]), int(self.creators[free[place]])) for place in drawn]
        return [offer for offer in offers if offer.item not in hidden][:wanted]

    @cached_property
    def free(self) -> Longs:
        """Return the places of the items that are free."""
        return np.flatnonzero(self.is_free)

    @property
    def nbytes(self) -> int:
        return 4 * self.items.nbytes + self.is_free.nbytes
