"""Everything there is to watch and to buy in a generated world."""

from dataclasses import dataclass
from datetime import datetime

from kpplatform.demo.world.courses import Courses, draw_courses
from kpplatform.demo.world.creators import Creators, draw_creators
from kpplatform.demo.world.videos import Videos, draw_videos

_VIDEOS_PER_CREATOR = 25


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Creators, courses and videos of a world that is watched for `days` days from `start_ms`."""

    start_ms: int
    """The first instant of the first day, ms since the epoch."""
    days: int
    creators: Creators
    courses: Courses
    videos: Videos


def draw_catalogue(*, videos: int, courses: int, days: int, starts_at: datetime, seed: int) -> Catalogue:
    """Return the catalogue that belongs to these sizes, this start and this seed: always the same."""
    start_ms = int(starts_at.timestamp() * 1_000)
    creators = draw_creators(count=max(4, videos // _VIDEOS_PER_CREATOR), seed=seed)
    offered = draw_courses(creators=creators, count=courses, start_ms=start_ms, days=days, seed=seed)
    shown = draw_videos(creators=creators, courses=offered, count=videos, start_ms=start_ms, days=days, seed=seed)
    return Catalogue(start_ms=start_ms, days=days, creators=creators, courses=offered, videos=shown)
