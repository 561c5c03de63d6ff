"""Viewers behave by hidden tastes, which can be learned."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from kpplatform.demo.world import behaviour
from kpplatform.demo.world.arrays import DAY, HOUR, Floats, Int32s, Int64s, stream
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.events import Events
from kpplatform.demo.world.showing import BY_CHANCE, BY_POPULARITY, BY_TASTE
from kpplatform.demo.world.viewers import Viewers, draw_viewers, drift
from tests.kpplatform.demo.played import DAYS, World, catalogue, digest, play, ratios


def test_viewers_watch_what_meets_their_taste(world: World) -> None:
    """Among videos shown at random, so that nothing but taste can make the difference."""
    clean = world.clean.take(world.clean.source == BY_CHANCE)
    main = world.viewers.weight[clean.viewer].argmax(axis=1)
    meets = world.catalogue.videos.topic[clean.item] == world.viewers.interest[clean.viewer, main]

    assert meets.sum() > 100
    assert ratios(clean)[meets].mean() > 2 * ratios(clean)[~meets].mean()
    assert clean.liked[meets].mean() > 2 * clean.liked[~meets].mean()


def test_personal_choices_are_watched_longer_than_popular_ones(world: World) -> None:
    popular = world.clean.take(world.clean.source == BY_POPULARITY)
    personal = world.clean.take(world.clean.source == BY_TASTE)

    assert ratios(personal).mean() > 1.5 * ratios(popular).mean()


def test_what_others_watched_foretells_tomorrow_better_than_popularity(world: World) -> None:
    """Item-item cosine over nine days, judged by the tenth, seen videos dropped."""
    clean, shape = world.clean, (len(world.viewers), len(world.catalogue.videos))
    last_day = clean.started_at >= world.catalogue.start_ms + (DAYS - 1) * DAY
    good = ratios(clean) > 0.9
    past, seen, future = (_matrix(clean.take(rows), shape) for rows in (good & ~last_day, ~last_day, good & last_day))
    views = past.sum(axis=0)
    near = (past.T @ past) / np.sqrt(np.outer(views + 1, views + 1))
    np.fill_diagonal(near, 0)

    cosine = _hits(past @ near - 1e6 * seen, future - future * seen)
    popularity = _hits(views - 1e6 * seen, future - future * seen)

    assert cosine > 2 * popularity


def _matrix(events: Events, shape: tuple[int, int]) -> Floats:
    found = np.zeros(shape, np.float32)
    found[events.viewer, events.item] = 1
    return found


def _hits(scores: Floats, wanted: Floats) -> float:
    """Return the share of viewers with something wanted who have some of it among their ten best."""
    best = np.argpartition(-scores, 10, axis=1)[:, :10]
    hit = np.take_along_axis(wanted, best, axis=1).max(axis=1)
    return float(hit[wanted.any(axis=1)].mean())


def test_tastes_move_further_the_more_days_pass() -> None:
    viewers = draw_viewers(count=2_000, videos=100, seed=1)
    everyone = np.arange(2_000, dtype=np.int32)
    before, rng, distances = viewers.taste(everyone), stream(1, "drift"), []

    for _ in range(3):
        for _ in range(10):
            drift(viewers, slice(0, 2_000), days=1, rng=rng)
        distances.append(float(np.abs(viewers.taste(everyone) - before).sum(axis=1).mean()))

    assert 0.05 < distances[0] < distances[1] < distances[2] < 1
    assert viewers.weight.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert np.linalg.norm(viewers.style, axis=1) == pytest.approx(1, abs=1e-4)


class Crowd(NamedTuple):
    """Viewers, all shown one video each at noon."""

    catalogue: Catalogue
    viewers: Viewers
    who: Int32s
    what: Int32s
    noon: Int64s

    def outcome(self, catalogue: Catalogue | None = None) -> behaviour.Outcome:
        return behaviour.respond(
            catalogue or self.catalogue,
            self.viewers,
            who=self.who,
            what=self.what,
            at_ms=self.noon,
            rng=stream(5, "crowd"),
        )


@pytest.fixture
def crowd() -> Crowd:
    offered, count = catalogue(videos=500), 4_000
    rng = np.random.default_rng(2)
    return Crowd(
        offered,
        draw_viewers(count=count, videos=500, seed=2),
        np.arange(count, dtype=np.int32),
        rng.integers(500, size=count).astype(np.int32),
        np.full(count, offered.start_ms + 12 * HOUR),
    )


def test_an_answer_changes_nothing_and_its_memory_does(crowd: Crowd) -> None:
    before = digest(crowd.viewers)

    outcome = crowd.outcome()
    after_answer = digest(crowd.viewers)
    behaviour.absorb(crowd.catalogue, crowd.viewers, who=crowd.who, what=crowd.what, at_ms=crowd.noon, outcome=outcome)

    assert after_answer == before
    assert crowd.viewers.has_seen(crowd.who, crowd.what).all()
    assert (crowd.viewers.fatigue > 0).all()
    assert (crowd.viewers.last_end == crowd.noon + outcome.watch_ms).all()
    assert ((crowd.viewers.followed >= 0).sum(axis=1) == outcome.followed).all()


def test_a_longer_video_is_watched_to_a_smaller_part(crowd: Crowd) -> None:
    shares = []
    for seconds in (10, 40, 160):
        length = np.full(500, seconds * 1_000, np.int32)
        videos = replace(crowd.catalogue.videos, duration_ms=length)
        shares.append(crowd.outcome(replace(crowd.catalogue, videos=videos)).watch_ms.mean() / (seconds * 1_000))

    assert shares[0] > 1.2 * shares[1] > 1.4 * shares[2]


def test_the_tired_watch_less_and_leave_sooner_and_recover_by_evening(crowd: Crowd) -> None:
    rested = crowd.outcome()
    crowd.viewers.fatigue[:], crowd.viewers.last_end[:] = 2, crowd.noon
    tired = crowd.outcome()
    crowd.viewers.last_end[:] = crowd.noon - 10 * HOUR
    evening = crowd.outcome()

    assert tired.watch_ms.mean() < 0.7 * rested.watch_ms.mean()
    assert tired.leaves.mean() > 2 * rested.leaves.mean()
    assert evening.watch_ms.mean() == pytest.approx(rested.watch_ms.mean(), rel=0.05)


def test_the_same_topic_again_and_again_wears_off(crowd: Crowd) -> None:
    crowd.viewers.last_item[:], crowd.viewers.last_end[:] = crowd.what, crowd.noon
    once = crowd.outcome().match.mean()
    crowd.viewers.streak[:] = 8

    assert crowd.outcome().match.mean() < once - 0.5


def test_some_skip_at_once_and_some_watch_again(crowd: Crowd) -> None:
    outcome = crowd.outcome()
    share = outcome.watch_ms / crowd.catalogue.videos.duration_ms[crowd.what]

    assert 0.2 < (outcome.watch_ms < 2_000).mean() < 0.8
    assert 0.005 < (share > 1).mean() < 0.2
    assert share.max() <= 4


def test_the_smallest_world_plays_too() -> None:
    tiny = play(viewers=1, videos=5)

    assert len(tiny.chunks) == DAYS
    assert (tiny.events.viewer <= 0).all() or (tiny.owners >= 0).any()
