"""A page is drawn place by place from a mix of sources, so that every item's chance of being there is known.

At each place one source is drawn by its share, and it gives its next offer. The propensity of the item at the
place is the sum, over all sources, of the source's share times the chance that it would have given this item.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

LOOK_AHEAD = 8  # offers of a source among which one is drawn


class Offer(NamedTuple):
    """An item that could be shown, and whose it is."""

    item: int
    creator: int


@dataclass(frozen=True)
class Source:
    """Offers, best first, and how much of a page is theirs.

    `ratio` is how likely an offer is against the one before it: 0 gives always the best. `chance` is for
    offers that come in random order: the chance of each item to be the next one.
    """

    name: str
    share: float
    offers: Sequence[Offer]
    ratio: float = 0.0
    chance: float = 0.0


class Placed(NamedTuple):
    """What stands at a place, on whose word, and how likely that was."""

    offer: Offer
    source: str
    propensity: float


@dataclass
class Draw:
    """A page in the making."""

    sources: Sequence[Source]
    cap: int  # items of one creator on the page
    rng: random.Random
    page: list[Placed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.items: set[int] = set()
        self.creators: Counter[int] = Counter()
        self.starts = [0] * len(self.sources)

    def fill(self, size: int) -> list[Placed]:
        """Draw until the page has so many places, or nothing more is offered; the cap yields last."""
        while len(self.page) < size:
            if not (fronts := self._fronts()):
                if self.cap >= size:
                    break
                self.cap, self.starts = size, [0] * len(self.sources)
                continue
            self._place(fronts)
        return self.page

    def _place(self, fronts: list[tuple[Source, list[tuple[Offer, float]]]]) -> None:
        source, front = self.rng.choices(fronts, [source.share for source, _ in fronts])[0]
        offer = self.rng.choices([offer for offer, _ in front], [chance for _, chance in front])[0]
        whole = sum(source.share for source, _ in fronts)
        likely = sum(other.share / whole * (other.chance or dict(offered).get(offer, 0.0)) for other, offered in fronts)
        self.page.append(Placed(offer, source.name, min(likely, 1.0)))
        self.items.add(offer.item)
        self.creators[offer.creator] += 1

    def _fronts(self) -> list[tuple[Source, list[tuple[Offer, float]]]]:
        """Return each source that still has something with its next offers and their chances."""
        fronts = []
        for place, source in enumerate(self.sources):
            ahead = LOOK_AHEAD if source.ratio else 1
            found = list(islice(self._open(place), ahead))
            if found and source.share > 0:
                weights = [source.ratio**rank for rank in range(len(found))]
                chances = [weight / sum(weights) for weight in weights]
                fronts.append((source, list(zip(found, chances, strict=True))))
        return fronts

    def _open(self, place: int) -> Iterator[Offer]:
        """Yield the source's offers that may still be placed, and remember where they begin."""
        offers, is_first = self.sources[place].offers, True
        for index in range(self.starts[place], len(offers)):
            offer = offers[index]
            if offer.item not in self.items and self.creators[offer.creator] < self.cap:
                if is_first:
                    self.starts[place], is_first = index, False
                yield offer
        if is_first:
            self.starts[place] = len(offers)
