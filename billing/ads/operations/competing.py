"""Who may compete for a page's places; when nobody does, what has turned the last ones away."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from billing.ads.models import PlaceCount
from billing.ads.queries.seen import Seen
from billing.ads.serving.live import Live

Flags = NDArray[np.bool_]
Outcome = PlaceCount.Outcome
Asked = Mapping[str, Collection[Any]]

# What is told of a viewer with their consent only, and never of minors.
PERSONAL = ("segment", "country")


def competing(
    market: Live, asked: Asked, *, member: int, before: Seen, liked: Flags, at: datetime
) -> tuple[Flags, PlaceCount.Outcome]:
    """Return who may compete (N,), and at which gate the last ones were turned away, where nobody may.

    `asked` is what is told of the page and, with consent, of the viewer; `member` is who they are, `liked` what they
    have the taste for (N,).
    """
    left = np.ones(len(market), np.bool_)
    for why, passing in _gates(market, asked, member=member, before=before, liked=liked, at=at):
        came, left = left, left & passing
        if not left.any():
            is_personal = why == Outcome.TARGET and _wants_to_know_more(market, asked, came, member=member)
            return left, Outcome.CONSENT if is_personal else why
    return left, Outcome.PRICE


def _gates(
    market: Live, asked: Asked, *, member: int, before: Seen, liked: Flags, at: datetime
) -> Iterator[tuple[PlaceCount.Outcome, Flags]]:
    """Yield who passes each gate, one after the other, and why a place stays empty that nobody passes."""
    yield Outcome.NO_CAMPAIGN, market.is_in_time(at)
    yield Outcome.BUDGET, market.is_open
    yield Outcome.TARGET, _all_but(market.of_member.get(member), market.board.fitting(asked))
    yield Outcome.RELEVANCE, liked
    for places in before.capped(market):
        liked = _all_but(places, liked)
    yield Outcome.CAPPED, liked


def _wants_to_know_more(market: Live, asked: Asked, came: Flags, *, member: int) -> bool:
    """Tell whether, of those who came to the gate of targets, some would pass it for a viewer of whom more is told."""
    if any(asked.get(name) for name in PERSONAL):
        return False
    fitting = market.board.fitting(asked, but=PERSONAL)
    return bool((came & _all_but(market.of_member.get(member), fitting)).any())


def _all_but(places: Collection[int] | None, flags: Flags) -> Flags:
    """Return the flags, lowered at these places (N,)."""
    if places is None:
        return flags
    lowered = flags.copy()
    lowered[list(places)] = False
    return lowered
