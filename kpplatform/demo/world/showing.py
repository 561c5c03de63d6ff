"""What the platform of the generated world shows next: popular, personal, followed, fresh, at random."""

import numpy as np

from kpplatform.demo.world.arrays import Floats, Int8s, Int32s, Int64s
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.shelf import ANYTHING, BY_CREATOR, BY_TOPIC, FRESH, POPULAR, Shelves
from kpplatform.demo.world.topics import LANGUAGES
from kpplatform.demo.world.viewers import Viewers

SOURCES = ("popular", "taste", "followed", "fresh", "random", "series")
"""Why a video was shown; a source is an index into this."""
BY_POPULARITY, BY_TASTE, BY_FOLLOWING, BY_FRESHNESS, BY_CHANCE, BY_SERIES = range(6)

_EDGES = np.cumsum([0.26, 0.44, 0.12, 0.06], dtype=np.float32)
"""Where chance turns from one of the first five sources to the next."""
_SERIES_SHARE = 0.6
_CHOICES = 3
_RESERVE = np.float32(-2)
_SEEN = np.float32(-4)
_OTHER_LANGUAGE = (0.03, 0.35)
"""How often the other language is shown, to viewers of one and of two languages."""


def show(
    catalogue: Catalogue,
    viewers: Viewers,
    shelves: Shelves,
    *,
    who: Int32s,
    at_ms: Int64s,
    rng: np.random.Generator,
) -> tuple[Int32s, Int8s]:
    """Return a video and its source for each viewer (n,) at times (n,); -1 where nothing is out yet."""
    videos = catalogue.videos
    source = np.searchsorted(_EDGES, rng.random(len(who), np.float32), side="right").astype(np.int8)
    source[(source == BY_FOLLOWING) & (viewers.followed[who, 0] < 0)] = BY_TASTE
    own = shelves.draw(_shelf(viewers, who, source, rng), rng.random((len(who), _CHOICES), np.float32))
    reserve = shelves.draw(ANYTHING + viewers.language[who].astype(np.int64), rng.random((len(who), 1), np.float32))
    choices = np.concatenate([own, reserve], axis=1)
    following = _next_episodes(catalogue, viewers, who, at_ms, rng)
    goes_on = following >= 0
    choices[goes_on] = following[goes_on, None]
    source[goes_on] = BY_SERIES
    rank = _SEEN * viewers.has_seen(who[:, None], choices)
    rank += _fit(catalogue, viewers, who, choices) * (source == BY_TASTE)[:, None]
    rank[:, -1] += _RESERVE
    rank[videos.published_at[choices] > at_ms[:, None]] = -np.inf
    best, every = rank.argmax(axis=1), np.arange(len(who))
    source[best == _CHOICES] = BY_CHANCE
    return np.where(np.isfinite(rank[every, best]), choices[every, best], -1), source


def _shelf(viewers: Viewers, who: Int32s, source: Int8s, rng: np.random.Generator) -> Int64s:
    """Return the shelf (n,) to take from, for viewers (n,) and sources (n,)."""
    chance = rng.random((3, len(who)), np.float32)
    other = np.array(_OTHER_LANGUAGE, np.float32)[viewers.bilingual[who].astype(np.int8)]
    language = viewers.language[who] ^ (chance[0] < other)
    reached = np.cumsum(viewers.weight[who], axis=1)  # (n, 6)
    interest = np.minimum((chance[1][:, None] > reached).sum(axis=1), reached.shape[1] - 1)
    topic = viewers.interest[who, interest].astype(np.int64)
    followed = (viewers.followed[who] >= 0).sum(axis=1)
    creator = viewers.followed[who, (chance[2] * followed).astype(np.int64)]
    return np.choose(
        source,
        [
            POPULAR + language,
            BY_TOPIC + len(LANGUAGES) * topic + language,
            BY_CREATOR + creator,
            FRESH + language,
            ANYTHING + language,
        ],
    ).astype(np.int64)


def _fit(catalogue: Catalogue, viewers: Viewers, who: Int32s, choices: Int32s) -> Floats:
    """Return how near the styles of videos (n, k) are to those of viewers (n,)."""
    near: Floats = np.einsum("nd,nkd->nk", viewers.style[who], catalogue.videos.style[choices])
    return near


def _next_episodes(
    catalogue: Catalogue, viewers: Viewers, who: Int32s, at_ms: Int64s, rng: np.random.Generator
) -> Int32s:
    """Return the next episode (n,) of what the viewers have just enjoyed, or -1."""
    videos, last = catalogue.videos, viewers.last_item[who]
    following = np.where(last >= 0, videos.follow_up[last], -1)
    fits = viewers.engaged[who] & (videos.published_at[following] <= at_ms)
    fits &= rng.random(len(who), np.float32) < _SERIES_SHARE
    return np.where(fits & ~viewers.has_seen(who, following), following, -1).astype(np.int32)
