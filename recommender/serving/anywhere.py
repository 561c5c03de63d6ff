"""Any free item of the catalogue, each that may be placed equally likely: what exploration draws from.

Items are drawn when they are asked for, never beforehand, so that the chance of each is one over how many there are
at that moment. Shapes: M items on show.
"""

import random
from collections.abc import Collection

import numpy as np

from recommender.ml.arrays import Flags
from recommender.serving.catalogue import Catalogue

TRIES = 20  # before what may be placed is looked up


class Anywhere:
    """What of the catalogue may be placed at the next place of one page."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        share: float,
        hidden: Collection[int],
        creators: Collection[int],
        rng: random.Random,
    ) -> None:
        self.catalogue, self.share, self.rng = catalogue, share, rng
        self.left = catalogue.is_free.copy()  # (M,) neither hidden nor on the page
        places = catalogue.places_of(np.fromiter(hidden, np.int64, len(hidden)))
        self.left[places[places >= 0]] = False
        for creator in creators:
            self.left[catalogue.free_of(creator)] = False
        self.open = self.left.copy()  # (M,) nor barred by a rule of the page
        self.many = int(np.count_nonzero(self.open))

    def close(self, place: int) -> None:
        """Do not place the item again that stands there in the catalogue, −1 for none of it."""
        if place >= 0:
            self.left[place] = False
            self.many -= int(self.open[place])
            self.open[place] = False

    def bar_creator(self, creator: int) -> None:
        """Place nothing of a creator until `unbar`."""
        self._bar(self.catalogue.free_of(creator))

    def bar_topic(self, topic: int) -> None:
        """Place nothing of a topic until `unbar`."""
        self._bar(np.flatnonzero(self.catalogue.topics == topic))

    def unbar(self) -> None:
        """Let rules of the page bar nothing."""
        self.open = self.left.copy()
        self.many = int(np.count_nonzero(self.open))

    def within(self, wanted: Flags | None) -> int:
        """Return how many may be placed, of those that are wanted (M,)."""
        return self.many if wanted is None else int(np.count_nonzero(self.open & wanted))

    def has(self, place: int, wanted: Flags | None) -> bool:
        """Tell whether the item that stands there is among those."""
        return place >= 0 and bool(self.open[place]) and (wanted is None or bool(wanted[place]))

    def draw(self, wanted: Flags | None) -> int:
        """Return the place of one of those, each equally likely. There has to be one."""
        for _ in range(TRIES):
            place = self.rng.randrange(len(self.open))
            if self.open[place] and (wanted is None or wanted[place]):
                return place
        return int(self.rng.choice(np.flatnonzero(self.open if wanted is None else self.open & wanted)))

    def _bar(self, places: np.ndarray) -> None:
        self.many -= int(np.count_nonzero(self.open[places]))
        self.open[places] = False
