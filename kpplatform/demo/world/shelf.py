"""What could be shown on one day: every video on several shelves, each with its own odds.

A shelf is a run of one long list of videos with running sums of their weights, so that a draw from any
shelf is one binary search.
"""

from dataclasses import dataclass

import numpy as np

from kpplatform.demo.world.arrays import DAY, Doubles, Floats, Int32s, Int64s
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.topics import LANGUAGES, TOPICS
from kpplatform.demo.world.videos import PUBLISHED

# The numbers of the shelves: add a language, or a topic's number doubled and a language, or a creator.
POPULAR = 0
FRESH = POPULAR + len(LANGUAGES)
ANYTHING = FRESH + len(LANGUAGES)
BY_TOPIC = ANYTHING + len(LANGUAGES)
EVERYTHING = BY_TOPIC + len(TOPICS) * len(LANGUAGES)
BY_CREATOR = EVERYTHING + 1

_FRESH_DAYS = 3
_FADING_DAYS = 12


@dataclass(frozen=True, slots=True)
class Shelves:
    """The videos of a day on S shelves, N places in all."""

    videos: Int32s
    """(N,) videos, shelf after shelf."""
    sums: Doubles
    """(N + 1,) running sums of the weights, beginning with 0."""
    starts: Int64s
    """(S,) first place of each shelf."""
    ends: Int64s
    """(S,) one past its last place."""

    def draw(self, shelf: Int64s, where: Floats) -> Int32s:
        """Return videos (n, k) from the shelves (n,), each by a number between 0 and 1 (n, k)."""
        start, end = self.starts[shelf][:, None], self.ends[shelf][:, None]
        low, high = self.sums[start], self.sums[end]
        place = np.searchsorted(self.sums, low + where * (high - low), side="right") - 1
        return self.videos[np.clip(place, start, end - 1)]


def stock(catalogue: Catalogue, *, day: int, heat: Floats) -> Shelves:
    """Return the shelves of a day, given how much each video was watched lately: heat (V,) around 1.

    An empty shelf lends the place of the shelf of everything.
    """
    videos, start_ms = catalogue.videos, catalogue.start_ms + day * DAY
    shown = np.flatnonzero((videos.state == PUBLISHED) & (videos.published_at < start_ms + DAY))
    age = np.maximum(start_ms - videos.published_at[shown], 0) / DAY
    language, even = videos.language[shown], np.ones(len(shown))
    freshness = 0.15 + 0.85 * np.exp(-age / _FADING_DAYS)
    pull = (videos.appeal[shown] + heat[shown]) * freshness
    parts = [
        (POPULAR + language, pull),
        (FRESH + language, even * (age < _FRESH_DAYS)),
        (ANYTHING + language, even),
        (BY_TOPIC + len(LANGUAGES) * videos.topic[shown] + language, pull),
        (np.full(len(shown), EVERYTHING), pull),
        (BY_CREATOR + videos.creator[shown], freshness),
    ]
    shelf = np.concatenate([numbers for numbers, _ in parts]).astype(np.int64)
    weight = np.concatenate([weights for _, weights in parts])
    return _arranged(shelf, weight, np.tile(shown, len(parts)), BY_CREATOR + len(catalogue.creators))


def _arranged(shelf: Int64s, weight: Doubles, video: Int64s, count: int) -> Shelves:
    """Sort the places by shelf, leaving out those without weight."""
    kept = np.flatnonzero(weight > 0)
    order = kept[np.argsort(shelf[kept], kind="stable")]
    starts = np.searchsorted(shelf[order], np.arange(count), side="left")
    ends = np.searchsorted(shelf[order], np.arange(count), side="right")
    empty = starts == ends
    starts[empty], ends[empty] = starts[EVERYTHING], ends[EVERYTHING]
    sums = np.concatenate([[0.0], np.cumsum(weight[order])])
    return Shelves(video[order].astype(np.int32), sums, starts, ends)
