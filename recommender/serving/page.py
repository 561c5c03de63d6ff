"""What a page is made of: offers, who makes them, and places with the chance of what stands there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from recommender.ml.arrays import Flags, Floats, Longs


class Offer(NamedTuple):
    """An item that could be shown, and whose it is."""

    item: int
    creator: int


@dataclass(frozen=True)
class Source:
    """Offers, best first, and how much of a page is theirs.

    `ratio` is how likely an offer is against the one before it: 0 gives always the best, as the page's rules see it;
    else one of the next few in their own order. `relevance` (n,) says how good each offer is, from 0 to 1; unless it
    is told, it falls evenly.
    """

    name: str
    share: float
    offers: Sequence[Offer]
    ratio: float = 0.0
    relevance: Floats | None = None


class Placed(NamedTuple):
    """What stands at a place, on whose word, and how likely that was."""

    offer: Offer
    source: str
    propensity: float


@dataclass(frozen=True)
class Rules:
    """What a page keeps to, while there is something else; numbers of places."""

    size: int  # places that the viewer sees
    per_creator: int
    per_topic: int
    alike: float = 1.1  # cosine of two texts from which they are the same; no cosine is above 1
    new_topics: int = 0  # at least, while there are any
    small: int = 0  # at least, for small creators
    method: str = "none"
    diversity: float = 0.0


@dataclass(frozen=True)
class Pool:
    """All that sources offer, each item once. Shapes: S sources, N offers."""

    sources: Sequence[Source]  # those with a share and an offer

    @cached_property
    def offers(self) -> list[Offer]:
        """Return each offer once."""
        return list(dict.fromkeys(offer for source in self.sources for offer in source.offers))

    @cached_property
    def orders(self) -> list[Longs]:
        """Return where the offers of each source stand, in its order."""
        place = self.place_of
        return [np.array([place[offer.item] for offer in source.offers], np.int64) for source in self.sources]

    @cached_property
    def place_of(self) -> dict[int, int]:
        """Return where each item stands."""
        return {offer.item: place for place, offer in enumerate(self.offers)}

    @cached_property
    def offered(self) -> Flags:
        """Return who offers what (S, N)."""
        told = np.zeros((len(self.sources), len(self.offers)), np.bool_)
        for row, order in zip(told, self.orders, strict=True):
            row[order] = True
        return told

    @cached_property
    def relevance(self) -> Floats:
        """Return how good each offer is to each source (S, N), 0 for what is not its own."""
        told = np.zeros((len(self.sources), len(self.offers)), np.float32)
        for row, source, order in zip(told, self.sources, self.orders, strict=True):
            row[order] = evenly(len(order)) if source.relevance is None else source.relevance
        return told

    @cached_property
    def items(self) -> Longs:
        return np.array([offer.item for offer in self.offers], np.int64)

    @cached_property
    def creators(self) -> Longs:
        return np.array([offer.creator for offer in self.offers], np.int64)


def evenly(many: int) -> Floats:
    """Return a relevance that falls evenly from 1 (n,)."""
    return np.linspace(1, 0, many, endpoint=False, dtype=np.float32)
