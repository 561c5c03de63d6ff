"""A page is drawn place by place from a mix of sources, so that every item's chance of being there is known.

At each place one source is drawn by its share, and it gives its next offer. The propensity of the item at the
place is the sum, over all sources, of the source's share times the chance that it would have given this item.
"""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
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


class Draw:
    """A page in the making. Nothing `hidden` is placed, and no more than `cap` of one creator while others offer."""

    def __init__(
        self, sources: Sequence[Source], *, hidden: Collection[int], own: int | None, cap: int, rng: random.Random
    ) -> None:
        self.sources = [source for source in sources if source.share > 0 and source.offers]
        self.cap, self.rng = cap, rng
        self.closed = set(hidden)
        self.own = own
        self.creators: Counter[int] = Counter()
        self.page: list[Placed] = []
        self._begin()

    def fill(self, size: int) -> list[Placed]:
        """Draw until the page has so many places, or nothing more is offered; the cap yields last."""
        while len(self.page) < size:
            if any(self.fronts):
                self._place()
            elif self.cap < size:
                self.cap = size
                self._begin()
            else:
                break
        return self.page

    def _begin(self) -> None:
        self.starts = [0] * len(self.sources)  # what stands before can no longer be placed
        self.fronts = [self._front(place) for place in range(len(self.sources))]

    def _place(self) -> None:
        """Draw a source and one of its next offers."""
        open_now = [(source, front) for source, front in zip(self.sources, self.fronts, strict=True) if front]
        shares = [source.share for source, _ in open_now]
        source, front = self.rng.choices(open_now, shares)[0]
        offer = self.rng.choices(front, _chances(source, front))[0] if len(front) > 1 else front[0]
        likely = sum([other.share * _chance(other, among, offer) for other, among in open_now]) / sum(shares)
        self.page.append(Placed(offer, source.name, min(likely, 1.0)))
        self._close(offer)

    def _close(self, offer: Offer) -> None:
        """Do not place the item again, nor more of a creator who has reached the cap."""
        self.closed.add(offer.item)
        self.creators[offer.creator] += 1
        full = offer.creator if self.creators[offer.creator] >= self.cap else None
        for place, front in enumerate(self.fronts):
            for other in front:
                if other.item == offer.item or other.creator == full:
                    self.fronts[place] = self._front(place)
                    break

    def _front(self, place: int) -> list[Offer]:
        """Return the source's next offers that may be placed: one, or those among which one is drawn."""
        source, start = self.sources[place], self.starts[place]
        offers, front = source.offers, list[Offer]()
        for index in range(start, len(offers)):
            item, creator = offers[index]
            if item in self.closed or creator == self.own or self.creators[creator] >= self.cap:
                continue
            if not front:
                self.starts[place] = index
            front.append(offers[index])
            if not source.ratio or len(front) == LOOK_AHEAD:
                return front
        if not front:
            self.starts[place] = len(offers)
        return front


def _chances(source: Source, front: Sequence[Offer]) -> list[float]:
    return [source.ratio**rank for rank in range(len(front))]


def _chance(source: Source, front: Sequence[Offer], offer: Offer) -> float:
    """Return how likely the source is to give this offer next."""
    if source.chance or offer not in front:
        return source.chance
    chances = _chances(source, front)
    return chances[front.index(offer)] / sum(chances)
