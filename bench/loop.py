"""What a feed makes of its viewers, day after day: the generated world uses it, and it is trained every night.

`python -m bench.loop`. Three feeds get the same world of the same seed: items at random, the popular ones, and the
whole pipeline with its default settings. Reported per day: minutes watched and long views per viewer, visits that come
again, the entropy of the topics that a viewer is shown (bits), and how unequally creators are shown (Gini).
"""

import argparse
import json
import time
from typing import Any

import numpy as np

from bench import site
from bench.loop_world import Day, Living, begun, moment
from kpplatform.demo.world.arrays import DAY, MINUTE

SOURCES = ("personal", "similar", "cold", "interests", "followed", "social", "popular", "fresh", "explored")
POLICIES: dict[str, dict[str, Any]] = {
    "random": {**dict.fromkeys(SOURCES, 0.0), "explored": 1.0, "small_floor": 0.0, "new_topics": 0, "method": "none"},
    "popular": {**dict.fromkeys(SOURCES, 0.0), "popular": 1.0, "small_floor": 0.0, "new_topics": 0, "method": "none"},
    "full": {},
}
FEWEST_SHOWN = 5  # to a viewer on a day, before the entropy of their topics says anything


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=1_000)
    parser.add_argument("--videos", type=int, default=1_500)
    parser.add_argument("--warm", type=int, default=7, help="days that are history when the feeds begin")
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    asked = parser.parse_args()
    sizes = {name: getattr(asked, name) for name in ("viewers", "videos", "warm", "days")}
    began = time.perf_counter()
    with site.migrated():
        told = {
            policy: [_lived(policy, settings, seed=seed, **sizes) for seed in range(1, asked.seeds + 1)]
            for policy, settings in POLICIES.items()
        }
    print(
        json.dumps(
            {
                "bench": "loop",
                "machine": site.machine(),
                **sizes,
                "seeds": asked.seeds,
                "seconds": round(time.perf_counter() - began),
                "per_day": told,
                "mean": (means := {policy: _means(runs) for policy, runs in told.items()}),
                "ratio_minutes_full_to_random": round(means["full"]["minutes"] / means["random"]["minutes"], 2),
                "ratio_minutes_full_to_popular": round(means["full"]["minutes"] / means["popular"]["minutes"], 2),
            }
        )
    )


def _lived(
    policy: str, settings: dict[str, Any], *, viewers: int, videos: int, warm: int, days: int, seed: int
) -> list[dict[str, float]]:
    """Let a world be served by one policy for some days; return what each day came to."""
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415
    from recommender.operations import change_feed_settings  # noqa: PLC0415
    from recommender.training import retrain  # noqa: PLC0415

    world = begun(slug=f"{policy}-{seed}", viewers=viewers, videos=videos, warm=warm, days=days, seed=seed)
    first_ms = world.catalogue.start_ms + warm * DAY
    if settings:
        with scope(world.tenant):
            staff = Member.objects.create(name="staff", role=Member.Role.ADMIN)
            change_feed_settings(changes=settings, by=staff, at=moment(first_ms))
    told, before = list[dict[str, float]](), set[int]()
    for number in range(days):
        if not settings:
            retrain(tenant=world.tenant, at=moment(first_ms + number * DAY))
        day = world.live(warm + number)
        told.append(_figures(day, world, came_before=before))
        before = set(day.viewer)
    return told


def _figures(day: Day, world: Living, *, came_before: set[int]) -> dict[str, float]:
    videos = world.catalogue.videos
    viewer, video = np.array(day.viewer), np.array(day.video)
    came = set(day.viewer)
    shown = np.bincount(videos.creator[video], minlength=len(world.catalogue.creators))
    return {
        "viewers": len(came),
        "shown": len(video),
        "minutes": round(sum(day.watch_ms) / MINUTE / len(world.viewers), 4),
        "long_views": round(sum(day.long) / len(world.viewers), 4),
        "long_view_share": round(float(np.mean(day.long)), 4),
        "match": round(float(np.mean(day.match)), 4),
        "likes": round(float(np.mean(day.liked)), 4),
        "unwanted": round(float(np.mean(day.unwanted)), 5),
        "came_again": round(len(came & came_before) / len(came_before), 4) if came_before else 0.0,
        "topic_entropy": round(_entropy(viewer, videos.topic[video]), 4),
        "creator_gini": round(_gini(shown), 4),
        "videos_shown": round(len(set(day.video)) / len(videos), 4),
    }


def _entropy(viewer: np.ndarray, topic: np.ndarray) -> float:
    """Return the mean entropy in bits of the topics that each viewer was shown."""
    found = []
    for who in np.unique(viewer):
        share = np.bincount(topic[viewer == who])
        if share.sum() >= FEWEST_SHOWN:
            share = share[share > 0] / share.sum()
            found.append(-(share * np.log2(share)).sum())
    return float(np.mean(found)) if found else 0.0


def _gini(counts: np.ndarray) -> float:
    """Return how unequal counts (n,) are: 0 all the same, towards 1 all to one."""
    ordered = np.sort(counts)
    place = np.arange(1, len(ordered) + 1)
    return float((2 * place - len(ordered) - 1) @ ordered / (len(ordered) * max(ordered.sum(), 1)))


def _means(runs: list[list[dict[str, float]]]) -> dict[str, float]:
    """Return each figure's mean over the days of all runs; of those who came again, from the second day."""
    days = [day for run in runs for day in run]
    again = [day["came_again"] for run in runs for day in run[1:]]
    means = {name: round(float(np.mean([day[name] for day in days])), 4) for name in days[0]}
    return means | {"came_again": round(float(np.mean(again)), 4) if again else 0.0}


if __name__ == "__main__":
    main()
