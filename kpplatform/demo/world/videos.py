"""What is shown: short vertical videos with their words, their series and their hidden qualities."""

from dataclasses import dataclass

import numpy as np

from kpplatform.demo.world import grammar
from kpplatform.demo.world.arrays import (
    DAY,
    HOUR,
    SECOND,
    Doubles,
    Floats,
    Int8s,
    Int16s,
    Int32s,
    Int64s,
    stream,
    unit,
)
from kpplatform.demo.world.courses import Courses
from kpplatform.demo.world.creators import STYLES, Creators
from kpplatform.demo.world.topics import DOMAIN_OF, DOMAINS, ZH
from kpplatform.demo.world.wording import Words, video_words

DRAFT, SCHEDULED, PUBLISHED, WITHDRAWN = 0, 1, 2, 3

BACKLOG_DAYS = 60
"""Videos were published evenly over so many days before the first one, and until the last one."""

_STATE_SHARES = (0.02, 0.01, 0.94, 0.03)
_PROMOTING_SHARE = 0.25
_HOURS = np.array([1, 1, 0.5, 0.5, 0.5, 1, 2, 4, 4, 3, 3, 5, 7, 5, 3, 3, 4, 6, 9, 10, 10, 9, 6, 3])
"""Relative number of videos published in each local hour."""


@dataclass(frozen=True, slots=True)
class Videos:
    """V videos, one per row, in the order in which they were made; the row is the item in all events."""

    creator: Int32s
    topic: Int16s
    language: Int8s
    state: Int8s
    """(V,) DRAFT, SCHEDULED, PUBLISHED or WITHDRAWN. Only published ones are ever shown."""
    published_at: Int64s
    """(V,) ms since the epoch; for a draft, when it was made."""
    duration_ms: Int32s
    """(V,) 8 to 180 seconds."""
    quality: Floats
    """(V,) hidden, about normal(0, 1)."""
    style: Floats
    """(V, STYLES) hidden unit vectors, near the creator's."""
    appeal: Floats
    """(V,) hidden, what the video attracts on its first day; its mean is 1."""
    course: Int32s
    """(V,) the course that it leads to, or -1."""
    follow_up: Int32s
    """(V,) the next episode of the same series, or -1."""
    words: Words
    """Titles, descriptions and tags, V of each."""

    def __len__(self) -> int:
        return len(self.creator)


def draw_videos(*, creators: Creators, courses: Courses, count: int, start_ms: int, days: int, seed: int) -> Videos:
    """Return the videos."""
    rng = stream(seed, "videos")
    odds = np.sqrt(creators.reach.astype(np.float64))
    creator = rng.choice(len(creators), count, p=odds / odds.sum()).astype(np.int32)
    topic = creators.topics[creator, (rng.random(count) < 0.35).astype(int)]
    language = creators.language[creator]
    state, published_at = _publication(language, start_ms, days, rng)
    duration_ms = _durations(topic, rng)
    skill = rng.normal(0, 0.6, len(creators))
    quality = (skill[creator] + rng.normal(0, 0.8, count)).astype(np.float32)
    course = _promoted(creator, topic, courses, rng)
    series = _series(creator, topic, state, rng)
    words = video_words(
        topic=topic,
        language=language,
        duration_ms=duration_ms,
        pitch=[courses.title[at] if at >= 0 else "" for at in course.tolist()],
        series=series,
        seed=seed,
    )
    return Videos(
        creator=creator,
        topic=topic,
        language=language,
        state=state,
        published_at=published_at,
        duration_ms=duration_ms,
        quality=quality,
        style=unit(creators.style[creator] + 0.35 * rng.standard_normal((count, STYLES), np.float32)),
        appeal=_appeal(creators.reach[creator], quality, rng),
        course=course,
        follow_up=_follow_ups(series, count),
        words=words,
    )


def _publication(language: Int8s, start_ms: int, days: int, rng: np.random.Generator) -> tuple[Int8s, Int64s]:
    """Return states and instants (V,): evenly over the days, within a day by the local hour."""
    count = len(language)
    day = np.arange(count) * (BACKLOG_DAYS + days) // max(count, 1) - BACKLOG_DAYS
    hour = (rng.choice(24, count, p=_HOURS / _HOURS.sum()) - np.where(language == ZH, 8, 0)) % 24
    instant = np.sort(start_ms + day * DAY + hour * HOUR + rng.integers(0, HOUR, count))
    state = rng.choice(4, count, p=_STATE_SHARES).astype(np.int8)
    later = start_ms + days * DAY + rng.integers(HOUR, 7 * DAY, count)
    instant = np.where(state == SCHEDULED, later, instant)
    return state, instant.astype(np.int64)


def _durations(topic: Int16s, rng: np.random.Generator) -> Int32s:
    """Return lengths (V,) in ms, log-normal around the usual one of the domain."""
    usual = np.array([domain.seconds for domain in DOMAINS])[DOMAIN_OF[topic]]
    seconds = np.clip(usual * rng.lognormal(0, 0.5, len(topic)), 8, 180)
    return (seconds * SECOND).astype(np.int32)


def _appeal(reach: Floats, quality: Floats, rng: np.random.Generator) -> Floats:
    """Return appeal (V,): heavy-tailed, by the creator's reach, the quality and luck."""
    luck = rng.lognormal(0, 1.1, len(reach))
    appeal: Doubles = reach**0.7 * np.exp(0.6 * quality) * luck
    appeal /= appeal.mean()
    return appeal.astype(np.float32)


def _promoted(creator: Int32s, topic: Int16s, courses: Courses, rng: np.random.Generator) -> Int32s:
    """Return the course (V,) that a video leads to: its creator's, on its topic where there is one."""
    found = np.full(len(creator), -1, np.int32)
    by_creator: dict[int, list[int]] = {}
    for row, owner in enumerate(courses.creator.tolist()):
        by_creator.setdefault(owner, []).append(row)
    for at in np.flatnonzero(rng.random(len(creator)) < _PROMOTING_SHARE).tolist():
        offered = by_creator.get(int(creator[at]), [])
        close = [course for course in offered if courses.topic[course] == topic[at]]
        if offered:
            found[at] = grammar.pick(close or offered, rng)
    return found


def _series(creator: Int32s, topic: Int16s, state: Int8s, rng: np.random.Generator) -> list[list[int]]:
    """Return runs of three to eight published videos of one creator and topic, in time order."""
    groups: dict[tuple[int, int], list[int]] = {}
    for at in np.flatnonzero(state == PUBLISHED).tolist():
        groups.setdefault((int(creator[at]), int(topic[at])), []).append(at)
    runs = []
    for group in groups.values():
        at = 0
        while at + 3 <= len(group):
            length = int(rng.integers(3, 9))
            if rng.random() < 0.6:
                runs.append(group[at : at + length])
            at += length
    return [run for run in runs if len(run) >= 3]


def _follow_ups(series: list[list[int]], count: int) -> Int32s:
    found = np.full(count, -1, np.int32)
    for run in series:
        found[run[:-1]] = run[1:]
    return found
