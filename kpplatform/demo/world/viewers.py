"""Who watches: viewers with hidden tastes that drift, rhythms, patience, and what they remember.

The simulator keeps one row per viewer and changes it in place; a million viewers take about 0.4 GB.
"""

from dataclasses import dataclass

import numpy as np

from kpplatform.demo.world.arrays import (
    Bools,
    Bytes,
    Doubles,
    Floats,
    Int8s,
    Int16s,
    Int32s,
    Int64s,
    stream,
    unit,
)
from kpplatform.demo.world.creators import STYLES
from kpplatform.demo.world.topics import DOMAIN_OF, DOMAINS, EN, TOPICS, ZH, topic_shares

INTERESTS = 6
"""Topics that one viewer cares about at a time."""

HABITS = ("like", "save", "share", "follow", "comment", "buy")
"""The columns of Viewers.habits."""

_CHINESE_SHARE = 0.65
_BILINGUAL_SHARE = 0.15
_BOT_SHARE = 0.0005
_FOLLOWS = 12
_PURCHASES = 6
_SEEN_BYTES = 128 << 20
_WALK = np.float32(0.06)
_TURN = np.float32(0.04)
_JUMPS_PER_DAY = 0.015


@dataclass(frozen=True, slots=True)
class Viewers:
    """U viewers, one per row: what they are like, and what they remember."""

    language: Int8s
    """(U,) index into LANGUAGES."""
    bilingual: Bools
    interest: Int8s
    """(U, INTERESTS) topics."""
    weight: Floats
    """(U, INTERESTS) how much of the taste each interest takes, adding up to one."""
    style: Floats
    """(U, STYLES) unit vectors in the space of the videos' styles."""
    activity: Floats
    """(U,) relative number of visits, heavy-tailed, mean about 1."""
    peak: Floats
    """(U,) the hour of day in UTC around which most visits begin."""
    patience: Floats
    """(U,) around 1; the patient tire later."""
    habits: Floats
    """(U, 6) log odds added to each of HABITS."""
    bot: Bools

    fatigue: Floats
    """(U,) tiredness after the last video, 0 when rested."""
    streak: Int16s
    """(U,) how many videos of one topic were just seen in a row."""
    last_item: Int32s
    """(U,) the last video, or -1."""
    engaged: Bools
    """(U,) whether more than half of it was watched."""
    last_end: Int64s
    """(U,) when it was left, ms since the epoch."""
    followed: Int32s
    """(U, 12) creators, filled from the left, -1 where there is none yet."""
    bought: Int32s
    """(U, 6) courses, filled from the left, -1 where there is none yet."""
    seen: Bytes
    """(U, B) a bit per video; where memory is short several videos share one."""

    def __len__(self) -> int:
        return len(self.language)

    def has_seen(self, who: Int32s, what: Int32s) -> Bools:
        """Return whether viewers (n,) or (n, 1) have seen videos of a like shape; may err towards yes."""
        bit = what % (8 * self.seen.shape[1])
        found: Bools = (self.seen[who, bit >> 3] >> (bit & 7)) & 1 > 0
        return found

    def taste(self, who: Int32s) -> Floats:
        """Return the tastes (n, T) of viewers (n,) over all topics, each adding up to one."""
        found = np.zeros((len(who), len(TOPICS)), np.float32)
        np.add.at(found, (np.arange(len(who))[:, None], self.interest[who]), self.weight[who])
        return found


def draw_viewers(*, count: int, videos: int, seed: int) -> Viewers:
    """Return rested viewers who have seen nothing, for a catalogue of so many videos."""
    rng = stream(seed, "viewers")
    language = np.where(rng.random(count) < _CHINESE_SHARE, ZH, EN).astype(np.int8)
    seen_bytes = min(-(-videos // 8), max(64, _SEEN_BYTES // max(count, 1)))
    return Viewers(
        language=language,
        bilingual=rng.random(count) < _BILINGUAL_SHARE,
        interest=_interests(count, rng),
        weight=_weights(count, rng),
        style=unit(rng.standard_normal((count, STYLES), np.float32)),
        activity=rng.lognormal(-0.6, 1.1, count).astype(np.float32),
        peak=_peaks(language, rng),
        patience=rng.lognormal(0, 0.3, count).astype(np.float32),
        habits=0.8 * rng.standard_normal((count, len(HABITS)), np.float32),
        bot=rng.random(count) < _BOT_SHARE,
        fatigue=np.zeros(count, np.float32),
        streak=np.zeros(count, np.int16),
        last_item=np.full(count, -1, np.int32),
        engaged=np.zeros(count, np.bool_),
        last_end=np.zeros(count, np.int64),
        followed=np.full((count, _FOLLOWS), -1, np.int32),
        bought=np.full((count, _PURCHASES), -1, np.int32),
        seen=np.zeros((count, seen_bytes), np.uint8),
    )


def drift(viewers: Viewers, who: slice, *, days: float, rng: np.random.Generator) -> None:
    """Move these viewers' tastes as so many days would: a slow walk, and now and then a new interest."""
    weight, style = viewers.weight[who], viewers.style[who]
    spread = np.float32(np.sqrt(days))
    weight *= np.exp(_WALK * spread * rng.standard_normal(weight.shape, np.float32))
    jumps = np.flatnonzero(rng.random(len(weight)) < 1 - np.exp(-_JUMPS_PER_DAY * days))
    place = rng.integers(INTERESTS, size=len(jumps))
    viewers.interest[who][jumps, place] = rng.choice(len(TOPICS), len(jumps), p=_odds(topic_shares()))
    weight[jumps, place] = rng.uniform(0.15, 0.6, len(jumps))
    weight /= weight.sum(axis=1, keepdims=True)
    style[:] = unit(style + _TURN * spread * rng.standard_normal(style.shape, np.float32))


def _interests(count: int, rng: np.random.Generator) -> Int8s:
    """Return topics (U, INTERESTS), two thirds of them from two home domains."""
    shares = topic_shares()
    anywhere = rng.choice(len(TOPICS), (count, INTERESTS), p=_odds(shares))
    domains = np.bincount(DOMAIN_OF, weights=shares, minlength=len(DOMAINS))
    home = rng.choice(len(DOMAINS), (count, 2), p=_odds(domains.astype(np.float32)))
    starts = np.searchsorted(DOMAIN_OF, np.arange(len(DOMAINS)))
    sizes = np.bincount(DOMAIN_OF, minlength=len(DOMAINS))
    domain = home[np.arange(count)[:, None], rng.integers(2, size=(count, INTERESTS))]
    inside = starts[domain] + (rng.random(domain.shape) * sizes[domain]).astype(int)
    return np.where(rng.random(domain.shape) < 0.67, inside, anywhere).astype(np.int8)


def _weights(count: int, rng: np.random.Generator) -> Floats:
    """Return Dirichlet weights (U, INTERESTS), sparse: one or two interests take most."""
    drawn = rng.standard_gamma(0.7, (count, INTERESTS), np.float32) + np.float32(1e-3)
    drawn /= drawn.sum(axis=1, keepdims=True)
    return drawn


def _peaks(language: Int8s, rng: np.random.Generator) -> Floats:
    """Return peak hours in UTC (U,): evenings for most, lunch or early morning for some."""
    count = len(language)
    local = rng.choice([20.8, 12.6, 7.6, 23.2], count, p=[0.6, 0.17, 0.13, 0.1]) + rng.normal(0, 1, count)
    offset = np.where(language == ZH, 8, rng.choice([-5, 0, 1], count))
    return ((local - offset) % 24).astype(np.float32)


def _odds(shares: Floats) -> Doubles:
    exact = shares.astype(np.float64)
    exact /= exact.sum()
    return exact
