"""Who publishes: creators with a language, one or two topics, a style and a reach."""

from dataclasses import dataclass

import numpy as np

from kpplatform.demo.world import names
from kpplatform.demo.world.arrays import Bools, Floats, Int8s, Int16s, stream, unit
from kpplatform.demo.world.grammar import pick, some_idea
from kpplatform.demo.world.topics import DOMAIN_OF, TOPICS, topic_shares

STYLES = 8
"""Dimensions of the hidden vectors of creators, videos and viewers."""

_CHINESE_SHARE = 0.65
_SECOND_TOPIC_SHARE = 0.5
_REACH_EXPONENT = 0.8


@dataclass(frozen=True, slots=True)
class Creators:
    """C creators, one per row."""

    handle: list[str]
    name: list[str]
    bio: list[str]
    language: Int8s
    """(C,) index into LANGUAGES."""
    topics: Int16s
    """(C, 2) main and second topic; the same twice for a creator of one topic."""
    verified: Bools
    reach: Floats
    """(C,) relative number of followers, Zipf, the largest is 1."""
    style: Floats
    """(C, STYLES) unit vectors."""

    def __len__(self) -> int:
        return len(self.handle)


def draw_creators(*, count: int, seed: int) -> Creators:
    """Return the creators; every topic has one before any topic has many."""
    rng = stream(seed, "creators")
    language = (rng.random(count) >= _CHINESE_SHARE).astype(np.int8)
    main = _main_topics(count, rng)
    ranks = rng.permutation(count) + 1
    reach = (ranks**-_REACH_EXPONENT).astype(np.float32)
    handle, name, bio = _texts(main, language, rng)
    return Creators(
        handle=handle,
        name=name,
        bio=bio,
        language=language,
        topics=np.stack([main, _second_topics(main, rng)], axis=1),
        verified=rng.random(count) < 0.1 + 0.8 * (ranks <= max(1, count // 10)),
        reach=reach,
        style=unit(rng.standard_normal((count, STYLES), np.float32)),
    )


def _main_topics(count: int, rng: np.random.Generator) -> Int16s:
    """Return topics (C,) in proportion to their shares, evenly rather than by luck."""
    edges = np.cumsum(topic_shares())
    places = (np.arange(count) + rng.random(count)) / count
    topics = np.minimum(np.searchsorted(edges, places), len(TOPICS) - 1)
    return rng.permutation(topics).astype(np.int16)


def _second_topics(main: Int16s, rng: np.random.Generator) -> Int16s:
    """Return a second topic (C,) from the same domain for some, the main one again for the others."""
    second = main.copy()
    for at in np.flatnonzero(rng.random(len(main)) < _SECOND_TOPIC_SHARE):
        second[at] = pick(np.flatnonzero(DOMAIN_OF[main[at]] == DOMAIN_OF).tolist(), rng)
    return second


def _texts(topics: Int16s, languages: Int8s, rng: np.random.Generator) -> tuple[list[str], list[str], list[str]]:
    """Return handles, names and bios, C of each."""
    latin, shown, bios = [], [], []
    for topic, language in zip(topics.tolist(), languages.tolist(), strict=True):
        idea = some_idea(topic, language, rng)
        name, given, letters = names.person(language, rng)
        latin.append(letters)
        shown.append(names.brand(idea, name=name, given=given, rng=rng))
        bios.append(names.bio(idea, role=pick(idea.voice.roles, rng), rng=rng))
    return names.handles(latin), shown, bios
