"""Where the viewers of a generated world found what they watched, and what the feed had shown them beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.models import Source
from kpplatform.demo.copying import copy, times
from kpplatform.demo.seeding.places import Places
from kpplatform.demo.world.arrays import DAY, SECOND, Bools, Bytes, Int8s, Int32s, Int64s
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.events import Events
from kpplatform.demo.world.showing import BY_CHANCE, BY_FOLLOWING, BY_SERIES, SOURCES
from kpplatform.demo.world.videos import PUBLISHED
from recommender.models import Impression

PLACES = 10
"""Of a page. Who leaves before its end was shown the rest of it, too."""
# What a client tells: it knows where something was played, not why the feed chose it.
ELSEWHERE = (Source.SEARCH, Source.SEARCH, Source.PROFILE, Source.SHARE, Source.NOTIFICATION, Source.EXTERNAL)
TOLD = np.array([Source.FEED, Source.FOLLOWING, Source.RELATED, *ELSEWHERE, Source.DIRECT], dtype=str)
_FOLLOWING, _RELATED, _ELSEWHERE = 1, 2, 3
_OUTSIDE_THE_FEED = {BY_FOLLOWING: 0.5, BY_CHANCE: 0.5}

_Why = Impression.Source
WHY = {
    "popular": _Why.POPULAR,
    "taste": _Why.MODEL,
    "followed": _Why.FOLLOWED,
    "fresh": _Why.FRESH,
    "random": _Why.EXPLORED,
    "series": _Why.SIMILAR,
}
REASONS = np.array([WHY[source] for source in SOURCES] + [_Why.SIMILAR, _Why.INTERESTS, _Why.COLD], dtype=str)
# Of the places that nobody came to: by which reason (an index into REASONS) each share of them was filled.
_LEFT = np.array([0.2, 0.38, 0.06, 0.1, 0.1, 0.0, 0.08, 0.05, 0.03])
_ANY = {SOURCES.index("fresh"), BY_CHANCE, len(REASONS) - 1}


def told_by(events: Events, rng: np.random.Generator) -> Int8s:
    """Return where clients say that these watches (n,) began, as indices into TOLD."""
    told = np.zeros(len(events), np.int8)
    told[events.source == BY_SERIES] = _RELATED
    chance = rng.random(len(events))
    for source, share in _OUTSIDE_THE_FEED.items():
        out = (events.source == source) & (chance < share)
        told[out] = _FOLLOWING if source == BY_FOLLOWING else rng.integers(_ELSEWHERE, len(TOLD), int(out.sum()))
    return told


@dataclass(frozen=True, slots=True)
class Shown:
    """n places of pages."""

    viewer: Int32s
    item: Int32s
    at: Int64s
    page: Int64s
    """(n,) number of the page in the chunk."""
    position: Int64s
    reason: NDArray[np.int64]
    """(n,) index into REASONS."""

    def beside(self, other: "Shown") -> "Shown":
        """Return the places of both."""
        return Shown(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in self.__slots__))


def pages_of(events: Events, told: Int8s, catalogue: Catalogue, rng: np.random.Generator) -> Shown:
    """Return all places of the pages from which these clean watches (n,), told to begin there, were played."""
    rows = np.flatnonzero(told == 0)
    if not len(rows):
        nobody, nothing = np.zeros(0, np.int32), np.zeros(0, np.int64)
        return Shown(nobody, nobody, nothing, nothing, nothing, nothing)
    rows = rows[np.lexsort((events.started_at[rows], events.session[rows]))]
    session = events.session[rows]
    begins = np.flatnonzero(np.diff(session, prepend=session[0] - 1))
    nth = np.arange(len(rows)) - np.repeat(begins, np.diff(begins, append=len(rows)))  # of its visit
    page = np.cumsum(nth % PLACES == 0) - 1
    first = np.flatnonzero(np.diff(page, prepend=-1))
    at = events.started_at[rows][first] - SECOND
    played = Shown(
        viewer=events.viewer[rows],
        item=events.item[rows],
        at=at[page],
        page=page,
        position=nth,
        reason=events.source[rows].astype(np.int64),
    )
    return played.beside(_left(played, first, catalogue, rng))


def _left(played: Shown, first: Int64s, catalogue: Catalogue, rng: np.random.Generator) -> Shown:
    """Return the places below the last one that was played on each page."""
    many = np.bincount(played.page)
    free = PLACES - many
    page = np.repeat(np.arange(len(many)), free)
    after = np.arange(len(page)) - np.repeat(np.cumsum(free) - free, free)
    reason = rng.choice(len(REASONS), len(page), p=_LEFT / _LEFT.sum())
    at = played.at[first][page]
    item = rng.choice(played.item, len(page))
    new = np.isin(reason, list(_ANY)) | (catalogue.videos.published_at[item] > at)
    item[new] = _any(catalogue, at[new], rng, is_fresh=reason[new] == SOURCES.index("fresh"))
    return Shown(
        viewer=played.viewer[first][page],
        item=item,
        at=at,
        page=page,
        position=(played.position[first] + many)[page] + after,
        reason=reason,
    )


def _any(catalogue: Catalogue, at: Int64s, rng: np.random.Generator, *, is_fresh: Bools) -> Int32s:
    """Return a published video (n,) for each time, of the last days where that is asked for."""
    out = np.flatnonzero(catalogue.videos.state == PUBLISHED)
    out = out[np.argsort(catalogue.videos.published_at[out], kind="stable")]
    published = catalogue.videos.published_at[out]
    until = np.maximum(np.searchsorted(published, at), 1)
    since = np.where(is_fresh, np.searchsorted(published, at - 3 * DAY), 0)
    chosen = np.minimum(since, until - 1) + (rng.random(len(at)) * (until - np.minimum(since, until - 1))).astype(int)
    found: Int32s = out[chosen].astype(np.int32)
    return found


def write(shown: Shown, places: Places, rng: np.random.Generator) -> int:
    """Write the places as impressions; return how many there are."""
    names = _names(int(shown.page.max(initial=-1)) + 1, rng)
    chance = 0.02 + 0.9 * rng.random(len(shown.page)) ** 3
    return copy(
        Impression,
        {
            "viewer_id": places.viewers[shown.viewer],
            "item_id": places.videos[shown.item],
            "page": [names[page].tobytes().hex() for page in shown.page.tolist()],
            "position": shown.position,
            "propensity": chance,
            "source": REASONS[shown.reason],
            "shown_at": times(shown.at),
        },
    )


def _names(many: int, rng: np.random.Generator) -> Bytes:
    """Return random UUIDs (many, 16)."""
    names = rng.integers(0, 256, (many, 16), np.uint8)
    names[:, 6] = names[:, 6] & 0x0F | 0x40
    names[:, 8] = names[:, 8] & 0x3F | 0x80
    return names
