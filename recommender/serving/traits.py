"""What rules of a page need to know of items, and what a viewer has met. Shapes: n items, M items on show, T topics."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.ml.arrays import Flags, Floats, Longs
from recommender.serving.catalogue import Catalogue
from recommender.serving.space import Space
from recommender.serving.texts import Words, words

MOST_TOPICS = 128  # dimensions for topics; more share them


@dataclass(frozen=True)
class Traits:
    """Columns of items (n,)."""

    topics: Longs  # 0 unknown
    vectors: Floats  # (n, ·) of length 1, or 0 where nothing is told
    is_new: Flags  # of a topic that the viewer has not met
    is_small: Flags  # of a small creator


@dataclass(frozen=True)
class Teller:
    """Tells of any items of the catalogue, to one viewer."""

    catalogue: Catalogue
    space: Space
    met: Longs  # items that the viewer has met
    small_followers: int

    def of(self, items: Longs) -> Traits:
        """Return the traits of items (n,)."""
        places = self.catalogue.places_of(items)
        known = places >= 0
        shown = np.where(known, places, 0)
        if not len(self.catalogue.items):
            nothing = np.zeros(len(items), np.bool_)
            return Traits(np.zeros(len(items), np.int64), self.space.directions(items), nothing, nothing)
        return Traits(
            topics=np.where(known, self.catalogue.topics[shown], 0),
            vectors=self._vectors(items, np.where(known, self._code(shown), -1)),
            is_new=known & self._is_new[self._code(shown)],
            is_small=self._is_small(places),
        )

    def small_among(self, items: Longs) -> int:
        """Return how many of items (n,) are of small creators."""
        return int(np.count_nonzero(self._is_small(self.catalogue.places_of(items))))

    def place_of(self, item: int) -> int:
        """Return where an item stands in the catalogue, −1 for what is not on show."""
        [place] = self.catalogue.places_of(np.array([item])).tolist()
        return int(place)

    def words_at(self, place: int) -> Words:
        """Return the words of the text of the item that stands there, none where nothing is told or it is no copy."""
        if place < 0 or int(self.catalogue.items[place]) in self.catalogue.no_copies:
            return {}
        return words(self.catalogue.texts[place])

    @cached_property
    def all_new(self) -> Flags:
        """Return which items on show (M,) are of topics that the viewer has not met."""
        return self._is_new[self.catalogue.topic_codes[1]]

    @cached_property
    def all_small(self) -> Flags:
        """Return which items on show (M,) are of small creators."""
        return np.asarray(self.catalogue.followers < self.small_followers)

    @cached_property
    def _is_new(self) -> Flags:
        """Return which topics (T,) the viewer has not met."""
        topics, codes = self.catalogue.topic_codes
        is_new = topics > 0
        places = self.catalogue.places_of(self.met)
        is_new[codes[places[places >= 0]]] = False
        return np.asarray(is_new)

    def _is_small(self, places: Longs) -> Flags:
        """Return which of the items at these places (n,), −1 for none, are of small creators."""
        known = places >= 0
        known[known] = self.catalogue.followers[places[known]] < self.small_followers
        return known

    def _code(self, places: Longs) -> Longs:
        return self.catalogue.topic_codes[1][places]

    def _vectors(self, items: Longs, codes: Longs) -> Floats:
        """Return directions of items (n, D) beside their topics (n, ·), each half of the whole where both are known."""
        topics = self.catalogue.topic_codes[0]
        width = min(len(topics), MOST_TOPICS)
        directions = self.space.directions(items)
        wide = directions.shape[1]
        both = np.zeros((len(items), wide + width), np.float32)
        both[:, :wide] = directions
        told = np.flatnonzero((codes >= 0) & (topics[codes] > 0))
        both[told, wide + codes[told] % max(width, 1)] = 1
        lengths = np.sqrt(np.einsum("nd,nd->n", both, both))
        both /= np.where(lengths > 0, lengths, 1)[:, None]
        return both
