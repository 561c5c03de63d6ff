"""How a viewer behaves towards a video: how long they watch, what they press, whether they leave.

`respond` only answers; `absorb` makes the viewers remember. Between them they are a simulator: show each
viewer one video at a time, give the outcome to whoever learns, absorb it, show the next.

Shapes: n showings in one call, at most one per viewer.
"""

from dataclasses import dataclass

import numpy as np

from kpplatform.demo.world.arrays import HOUR, MINUTE, Bools, Doubles, Floats, Int16s, Int32s, Int64s
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.topics import DOMAIN_OF
from kpplatform.demo.world.videos import Videos
from kpplatform.demo.world.viewers import HABITS, Viewers

MEMORY = 20 * MINUTE
"""A pause after which a streak of one topic no longer counts."""

_REST_HOURS = np.float32(2.5)
_USUAL_SECONDS = 20
_PRICE_SCALE = (9900.0, 2999.0)
_BASE = np.array([-4.1, -5.3, -5.8, -5.2, -6.2, -5.3], np.float32)
"""Log odds of each of HABITS without any joy."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What n viewers did with the videos shown to them."""

    match: Floats
    """(n,) hidden: how well the video suited the viewer at that moment, about -3 to 3."""
    watch_ms: Int32s
    """(n,) time on the video; more than its length where it was watched again."""
    liked: Bools
    saved: Bools
    shared: Bools
    followed: Bools
    """(n,) the viewer began to follow the creator."""
    commented: Bools
    not_interested: Bools
    bought: Int32s
    """(n,) the course bought, or -1."""
    leaves: Bools
    """(n,) the visit ends with this video."""


def affinity(viewers: Viewers, who: Int32s, topic: Int16s) -> Floats:
    """Return the share (n,) of the viewers' tastes that the topics meet; a sister topic counts a quarter."""
    interest, weight = viewers.interest[who], viewers.weight[who]  # (n, 6)
    same = interest == topic[:, None]
    sister = DOMAIN_OF[interest] == DOMAIN_OF[topic][:, None]
    share: Floats = np.einsum("nk,nk->n", weight, np.where(same, 1, 0.25 * sister).astype(np.float32))
    return share


def fatigue(viewers: Viewers, who: Int32s, at_ms: Int64s) -> Floats:
    """Return how tired the viewers (n,) still are at these times: it halves in under two hours."""
    hours = ((at_ms - viewers.last_end[who]) / HOUR).astype(np.float32)
    left: Floats = viewers.fatigue[who] * np.exp(-hours / _REST_HOURS)
    return left


def match(videos: Videos, viewers: Viewers, who: Int32s, what: Int32s, at_ms: Int64s) -> Floats:
    """Return how well videos (n,) suit viewers (n,) at times (n,): taste, style, quality, language, mood."""
    topic, last = videos.topic[what], viewers.last_item[who]
    suits = 3.2 * np.sqrt(affinity(viewers, who, topic)) - 1.1
    suits += 1.6 * np.einsum("nd,nd->n", viewers.style[who], videos.style[what])
    suits += 0.5 * videos.quality[what]
    foreign = videos.language[what] != viewers.language[who]
    suits -= foreign * np.where(viewers.bilingual[who], 0.2, 1.8)
    suits += 0.4 * (viewers.followed[who] == videos.creator[what][:, None]).any(axis=1)
    suits += 0.9 * ((videos.follow_up[last] == what) & viewers.engaged[who])
    suits -= 0.8 * viewers.has_seen(who, what)
    suits -= 0.12 * np.minimum(_streak(videos, viewers, who, what, at_ms), 8)
    suits -= 0.9 * fatigue(viewers, who, at_ms)
    return suits.astype(np.float32)


def respond(
    catalogue: Catalogue,
    viewers: Viewers,
    *,
    who: Int32s,
    what: Int32s,
    at_ms: Int64s,
    rng: np.random.Generator,
) -> Outcome:
    """Return what viewers (n,) do with videos (n,) shown at times (n,). Changes nothing but the rng."""
    duration_ms = catalogue.videos.duration_ms[what]
    suits = match(catalogue.videos, viewers, who, what, at_ms)
    ratio = _ratio(suits, duration_ms, rng)
    skipped = _chance(-1 - 1.4 * suits, rng)
    glance_ms = 900 + 2_200 * rng.random(len(who), np.float32) ** 2
    new = ~viewers.has_seen(who, what)
    acts = _acts(viewers, who, suits + np.minimum(ratio, 1), new & ~skipped, rng)
    tired: Floats = fatigue(viewers, who, at_ms) / viewers.patience[who]
    return Outcome(
        match=suits,
        watch_ms=np.where(skipped, glance_ms, ratio * duration_ms).astype(np.int32),
        liked=acts["like"],
        saved=acts["save"],
        shared=acts["share"],
        followed=acts["follow"] & _may_follow(viewers, who, catalogue.videos.creator[what]),
        commented=acts["comment"],
        not_interested=skipped & new & _chance(-5.5 - 1.3 * suits, rng),
        bought=_purchases(catalogue, viewers, who=who, what=what, at_ms=at_ms, wants=acts["buy"], rng=rng),
        leaves=_chance(1.5 * tired - 0.45 * suits - 3.1, rng),
    )


def absorb(
    catalogue: Catalogue,
    viewers: Viewers,
    *,
    who: Int32s,
    what: Int32s,
    at_ms: Int64s,
    outcome: Outcome,
) -> None:
    """Make the viewers (n,), all different, remember what they did with videos (n,) at times (n,)."""
    videos = catalogue.videos
    minutes = outcome.watch_ms.astype(np.float32) / MINUTE
    viewers.streak[who] = _streak(videos, viewers, who, what, at_ms) + 1
    viewers.fatigue[who] = fatigue(viewers, who, at_ms) + 0.015 + 0.06 * minutes
    viewers.last_item[who] = what
    viewers.engaged[who] = 2 * outcome.watch_ms > videos.duration_ms[what]
    viewers.last_end[who] = at_ms + outcome.watch_ms
    bit = what % (8 * viewers.seen.shape[1])
    viewers.seen[who, bit >> 3] |= np.left_shift(1, bit & 7).astype(np.uint8)
    _note(viewers.followed, who[outcome.followed], videos.creator[what[outcome.followed]])
    buys = outcome.bought >= 0
    _note(viewers.bought, who[buys], outcome.bought[buys])


def _chance(odds: Floats | Doubles, rng: np.random.Generator) -> Bools:
    """Let each thing happen, or not, by its log odds."""
    happens: Bools = rng.random(odds.shape, np.float32) * (1 + np.exp(-odds)) < 1
    return happens


def _acts(viewers: Viewers, who: Int32s, joy: Floats, able: Bools, rng: np.random.Generator) -> dict[str, Bools]:
    """Return what so much joy (n,) moves the viewers (n,) to, for each of HABITS, where they are able to (n,)."""
    acts = _chance(_BASE + viewers.habits[who] + 1.1 * joy[:, None], rng) & able[:, None]  # (n, 6)
    return dict(zip(HABITS, acts.T, strict=True))


def _ratio(suits: Floats, duration_ms: Int32s, rng: np.random.Generator) -> Floats:
    """Return watched shares (n,), log-normal: more for a match, less for a long video; ends are sticky."""
    seconds = duration_ms.astype(np.float32) / 1_000
    noise = 0.5 * rng.standard_normal(len(suits), np.float32)
    ratio = np.exp(-0.45 + 0.5 * suits - 0.35 * np.log(seconds / _USUAL_SECONDS) + noise)
    finished = (ratio > 0.97) & (ratio < 1.25)
    return np.where(finished, 1, np.minimum(ratio, 4)).astype(np.float32)


def _streak(videos: Videos, viewers: Viewers, who: Int32s, what: Int32s, at_ms: Int64s) -> Int16s:
    """Return how many videos of the topic the viewers (n,) have just seen in a row."""
    last = viewers.last_item[who]
    goes_on = (last >= 0) & (videos.topic[last] == videos.topic[what])
    goes_on &= at_ms - viewers.last_end[who] < MEMORY
    return np.where(goes_on, viewers.streak[who], 0).astype(np.int16)


def _may_follow(viewers: Viewers, who: Int32s, creator: Int32s) -> Bools:
    followed = viewers.followed[who]
    free: Bools = (followed[:, -1] < 0) & (followed != creator[:, None]).all(axis=1)
    return free


def _purchases(
    catalogue: Catalogue,
    viewers: Viewers,
    *,
    who: Int32s,
    what: Int32s,
    at_ms: Int64s,
    wants: Bools,
    rng: np.random.Generator,
) -> Int32s:
    """Return the courses bought (n,) or -1: the one the video leads to, the less often the dearer it is."""
    courses, found = catalogue.courses, np.full(len(who), -1, np.int32)
    course = catalogue.videos.course[what]
    at = np.flatnonzero(wants & (course >= 0))
    course, bought = course[at], viewers.bought[who[at]]
    price = courses.price_minor[course] / np.array(_PRICE_SCALE)[courses.language[course]]
    sold = rng.random(len(at)) < np.exp(-0.5 * price)
    sold &= courses.published_at[course] <= at_ms[at]
    sold &= (bought[:, -1] < 0) & (bought != course[:, None]).all(axis=1)
    found[at[sold]] = course[sold]
    return found


def _note(memory: Int32s, who: Int32s, what: Int32s) -> None:
    """Write what (n,) into the first free place of the rows who (n,) of the memory (U, P)."""
    memory[who, (memory[who] >= 0).sum(axis=1)] = what
