"""The auction: who wins which slot, at what price, and how likely that was.

A bid is ranked by score = bid × chance × quality × pace. A winner pays the least bid with which it would have kept its
slot: the score below it ÷ its own (chance × quality × pace), and not less than the reserve. In one slot that is the
second price, and the best bid is what a view is worth (Vickrey, 1961); in several it is the generalised second price
(Edelman, Ostrovsky and Schwarz, 2007). The pace multiplies the bid and divides the price, so that being held back
makes nobody pay more than they would have had to.
"""

import random
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Bids:
    """Who wants a place, as columns (N,), in the order in which they came to be: of equals the first is the first."""

    bid: Longs  # micros for each event that is paid for, at most
    chance: Floats  # that a view brings this event, in (0, 1]: 1 where the view itself is paid for
    quality: Floats  # in (0, 1]
    pace: Floats  # in (0, 1]

    def __len__(self) -> int:
        return len(self.bid)

    @property
    def weight(self) -> Floats:
        """Return what a micro of the bid counts in the score (N,)."""
        return self.chance * self.quality * self.pace

    @property
    def score(self) -> Floats:
        return self.bid * self.weight


class Won(NamedTuple):
    """A slot's winner."""

    place: int  # among the bids
    price: int  # micros for each event that is paid for: at most the bid
    propensity: float  # that this one stands in this slot


def auction(
    bids: Bids, *, slots: int, reserve: int, explore: float = 0.0, rng: random.Random | None = None
) -> list[Won]:
    """Return the winners of so many slots, the best slot first; fewer when fewer bid the reserve.

    `reserve` is in micros a view: what a bid brings in a view, bid × chance, is not below it. With the chance `explore`
    the first slot goes to any of them, each as likely, for the reserve; so one learns of those that never win.
    """
    least = _least(bids, reserve)
    enough = (bids.bid >= least).nonzero()[0]
    ranked: list[int] = enough[np.argsort(-bids.score[enough], kind="stable")].tolist()
    lucky = None
    if ranked and explore and (rng or random).random() < explore:
        lucky = (rng or random).randrange(len(ranked))
    order = ranked if lucky is None else [ranked[lucky], *ranked[:lucky], *ranked[lucky + 1 :]]
    won = []
    for slot, place in enumerate(order[:slots]):
        below = order[slot + 1] if slot + 1 < len(order) and (slot or lucky in {None, 0}) else None
        price = max(int(least[place]), 0 if below is None else _price(bids, place, below))
        propensity = _propensity(slot, ranked.index(place), len(ranked), explore)
        won.append(Won(place, min(price, int(bids.bid[place])), propensity))
    return won


def _least(bids: Bids, reserve: int) -> Longs:
    """Return the least bid that brings the reserve (N,)."""
    return np.ceil(reserve / bids.chance).astype(np.int64)


def _price(bids: Bids, place: int, below: int) -> int:
    """Return the least bid with which it stands above the other."""
    return int(np.ceil(bids.score[below] / bids.weight[place]))


def _propensity(slot: int, rank: int, many: int, explore: float) -> float:
    """Return how likely the bid of this rank (0 is the best) stands in this slot.

    One that is drawn for the first slot moves those above it down by one.
    """
    if slot == 0:
        return explore / many + (1 - explore if rank == 0 else 0)
    if rank == slot:  # nobody of a lower rank was drawn: itself neither
        return 1 - explore + explore * rank / many
    return explore * (many - slot) / many
