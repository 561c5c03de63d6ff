"""What a tenant has to show, as arrays in memory. Shapes: M items on show."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np

from recommender.ml.arrays import Flags, Longs
from recommender.serving.page import Offer
from recommender.serving.texts import NO_TEXTS, Texts

NEWEST_OF_A_CREATOR = 3
POPULAR = 500


@dataclass(frozen=True)
class Catalogue:
    """The published items, sorted by id; who may watch those that are not free is asked for each viewer."""

    items: Longs  # (M,) sorted
    creators: Longs  # (M,)
    published: Longs  # (M,) microseconds since the epoch
    is_free: Flags  # (M,)
    topics: Longs  # (M,) 0 where there is none
    followers: Longs  # (M,) of the creator
    viewers: Longs  # (M,) who watched it of late
    reactions: Longs  # (M,)
    texts: Texts = NO_TEXTS  # of the M items
    slugs: Mapping[int, str] = field(default_factory=dict)  # of topics
    no_copies: frozenset[int] = frozenset()  # items that count as like no other, for staff said so
    copies: Mapping[int, frozenset[int]] = field(default_factory=dict)  # items ruled to be copies, and of which

    @classmethod
    def plain(cls, items: Longs, *, creators: Longs, published: Longs, is_free: Flags) -> Self:
        """Return a catalogue of items of which nothing else is told."""
        nothing = np.zeros(len(items), np.int64)
        return cls(items, creators, published, is_free, nothing, nothing, nothing, nothing)

    @cached_property
    def popular(self) -> tuple[Offer, ...]:
        """Return the free items that most viewers watched of late, then those most reacted to, then the newest."""
        return tuple(self.offers(self.by_popularity[:POPULAR]))

    @cached_property
    def by_popularity(self) -> Longs:
        """Return the places of the free items, the most popular first."""
        free = self.free
        keys = (-self.items, -self.published, -self.reactions, -self.viewers)
        return free[np.lexsort([key[free] for key in keys])]

    @cached_property
    def _by_topic(self) -> tuple[Longs, Longs]:
        """Return the ranks of free items by popularity, ordered by topic and then by rank, and their topics."""
        topics = self.topics[self.by_popularity]
        order = np.argsort(topics, kind="stable")
        return order, topics[order]

    def of_topics(self, topics: Collection[int], *, k: int) -> list[Offer]:
        """Return the k most popular free items within topics."""
        ranks, topic = self._by_topic
        within = [ranks[slice(*np.searchsorted(topic, [of, of + 1]))][:k] for of in topics]
        chosen = np.sort(np.concatenate([np.zeros(0, np.int64), *within]))[:k]
        return self.offers(self.by_popularity[chosen])

    @cached_property
    def by_creator(self) -> Longs:
        """Return the places of the free items ordered by creator, each one's newest first."""
        free = np.flatnonzero(self.is_free)
        return free[np.lexsort((-self.items[free], -self.published[free], self.creators[free]))]

    @cached_property
    def owners(self) -> Longs:
        """Return the creators of the same."""
        return self.creators[self.by_creator]

    def free_of(self, creator: int) -> Longs:
        """Return the places of a creator's free items, the newest first."""
        return self.by_creator[slice(*np.searchsorted(self.owners, [creator, creator + 1]))]

    def of_creators(self, creators: Iterable[int]) -> list[Offer]:
        """Return the newest few free items of each creator, the newest of all first."""
        found = [place for creator in creators for place in self.free_of(creator)[:NEWEST_OF_A_CREATOR].tolist()]
        found.sort(key=lambda place: (-int(self.published[place]), -int(self.items[place])))
        return self.offers(np.array(found, np.int64))

    def newest_of_each(self, creators: Longs, *, each: int) -> list[Offer]:
        """Return the newest few free items of each creator: everybody's newest in the order given, then the second."""
        starts = np.searchsorted(self.owners, creators)
        ends = np.searchsorted(self.owners, creators, side="right")
        places = np.arange(each)[:, None] + starts  # (each, creators)
        return self.offers(self.by_creator[places[places < ends]])

    def offers(self, places: Longs) -> list[Offer]:
        """Return the items at these places as offers."""
        return list(map(Offer, self.items[places].tolist(), self.creators[places].tolist()))

    def places_of(self, items: Longs) -> Longs:
        """Return the places of items (n,), −1 for what is not on show."""
        if not len(self.items):
            return np.full(len(items), -1)
        places = np.minimum(np.searchsorted(self.items, items), len(self.items) - 1)
        return np.where(self.items[places] == items, places, -1)

    def told(self, place: int) -> tuple[str, list[str]]:
        """Return an item's title and its tags; its topic is one of them, as at training."""
        title, tags = self.texts.told(place)
        slug = self.slugs.get(int(self.topics[place]))
        return title, [*tags, slug] if slug else tags

    def containing(self, words: Iterable[str]) -> Iterator[int]:
        """Yield the items in whose titles or tags one of the words is found."""
        for word in words:
            yield from self.items[self.texts.containing(word)].tolist()

    @cached_property
    def topic_codes(self) -> tuple[Longs, Longs]:
        """Return the topics that there are (T,), sorted, and of each item (M,) the place of its topic there."""
        topics, codes = np.unique(self.topics, return_inverse=True)
        return topics, codes

    @cached_property
    def free(self) -> Longs:
        """Return the places of the items that are free."""
        return np.flatnonzero(self.is_free)

    @property
    def nbytes(self) -> int:
        return 12 * self.items.nbytes + self.is_free.nbytes + self.texts.nbytes
