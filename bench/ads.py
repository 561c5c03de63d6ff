"""A day of ads: what is earned, how near to plan it is spent, and how long a decision takes.

Viewers come like people do, few at night and most in the evening, each with a taste of their own; each page asks the
real decision path for an ad, against the database, by a clock that is moved on; what is shown is seen by nine of ten
and clicked by a truth that the chances have to learn. Every minute of that day offers lapse, every five flights are
paced.
Beside it, on the same requests and budgets, each paying its bid rather than the second price: who is chosen at random,
who bids most, and the best there is with all known beforehand, a linear programme.

A click comes by chance and few come in an hour, so what was spent is told as it was, and as it was to be expected:
price × true chance of all that was seen.

Then so many campaigns live at once, and one decision after another is timed; and 32 clients at once spend what is left
of a small budget.

    python -m bench.ads [--requests 40000] [--campaigns 24] [--live 10000] [--decisions 2000] [--only-decisions]
"""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import site
from bench.ads_world import MIDNIGHT, SEEN, TOPICS, TRAFFIC, World, by_rule, campaigns, drawn, optimum, seed
from bench.console_world import settle_down

TICK, HOUR = timedelta(minutes=1), timedelta(hours=1)
CLIENTS, PART = 32, 5_000
MARKS = {"day_off_plan": 0.05, "hour_off_plan": 0.15, "decision_p99_ms": 5.0}


class Day:
    """The simulated day, request by request, through the operations that the feed and the jobs call."""

    def __init__(self, world: World, tenant: Any) -> None:
        from billing.ads.models import Campaign  # noqa: PLC0415
        from kpplatform.tenancy.models import Member  # noqa: PLC0415
        from kpplatform.tenancy.scope import scope  # noqa: PLC0415

        self.world, self.tenant, self.scope = world, tenant, scope
        with scope(tenant):
            self.viewers = list(Member.objects.filter(name__startswith="v").order_by("pk"))
            keys = Campaign.objects.order_by("pk").values_list("pk", flat=True)
            self.places = {key: place for place, key in enumerate(keys)}
        self.next_tick, self.shown = MIDNIGHT, 0
        self.spent_by: dict[int, int] = {}  # at the end of each hour, micros

    def run(self) -> None:
        for number, second in enumerate(self.world.at):
            at = MIDNIGHT + timedelta(seconds=float(second))
            while self.next_tick <= at:
                self._tick(self.next_tick)
                self.next_tick += TICK
            self._request(number, at)
        self._tick(MIDNIGHT + timedelta(days=1) - timedelta(seconds=1))

    def _tick(self, at: datetime) -> None:
        from django.db.models import Sum  # noqa: PLC0415

        from billing.ads import operations  # noqa: PLC0415
        from billing.ads.models import Flight  # noqa: PLC0415
        from billing.ads.serving import live  # noqa: PLC0415

        with self.scope(self.tenant):
            operations.lapse_offers(at=at, most=100_000)
            if at.minute % 5:
                return
            if at.minute == 0:
                operations.learn_clicks(at=at)
                self.spent_by[at.hour] = Flight.objects.aggregate(all=Sum("spent"))["all"]
            operations.pace_flights(at=at)
        live.forget()

    def _request(self, number: int, at: datetime) -> None:
        from billing.ads import operations  # noqa: PLC0415
        from billing.ads.operations import Page, Told, token_of  # noqa: PLC0415

        viewer, likes = self.viewers[self.world.viewer[number]], self.world.likes[number]
        tastes = dict.fromkeys(TOPICS, 0.3) | {TOPICS[likes]: 1.0}
        page = Page(viewer=viewer, session=str(number), first=0, items=[None] * 6, tastes=tastes)
        with self.scope(self.tenant):
            placed = operations.place_ads(page=page, at=at, rng=random.Random(number))
        seen, clicks = self.world.dice[number]
        if not placed or seen >= SEEN:
            return
        self.shown += 1
        with self.scope(self.tenant):
            token = token_of(placed[0])
            view = Told(token, "view", 1.0, 5_000)
            operations.report_ad_event(viewer=viewer, told=view, at=at + timedelta(seconds=5))
            if clicks < self.world.chance(likes)[self.places[placed[0].card.campaign]]:
                operations.report_ad_event(viewer=viewer, told=Told(token, "click"), at=at + timedelta(seconds=8))

    def expected_by_hour(self) -> list[float]:
        """Return what the ads seen in each hour were to bring, by the true chances, in micros."""
        from billing.ads.models import Offer  # noqa: PLC0415

        likes = {self.viewers[viewer].pk: of for viewer, of in zip(self.world.viewer, self.world.likes, strict=True)}
        chances = np.where(self.world.clicks, self.world.chance(np.arange(len(TOPICS))), 1.0)
        found = [0.0] * 24
        with self.scope(self.tenant):
            seen = Offer.objects.filter(viewed_at__gte=MIDNIGHT).values_list("campaign", "viewer", "price", "viewed_at")
            for campaign, viewer, price, at in seen.iterator():
                assert at
                chance = chances[likes[viewer], self.places[campaign]]
                found[min((at - MIDNIGHT) // HOUR, 23)] += price * chance
        return found


def hours_off(world: World, spent: Sequence[float]) -> list[float]:
    """Return how far what was spent in each hour was from its part of the plan, as a share of that part."""
    plan = np.array(TRAFFIC) / sum(TRAFFIC) * float(world.budget.sum()) * 1_000_000
    return [float(off) for off in np.abs(np.array(spent) - plan) / plan]


def _crowd(many: int) -> None:
    """Write so many live campaigns, each with a flight beside a topic and a card."""
    from billing.ads.models import Creative, Flight  # noqa: PLC0415
    from catalog.models import Topic  # noqa: PLC0415

    rng, topics, made = np.random.default_rng(9), list(Topic.objects.order_by("pk")), campaigns(many)
    flights = Flight.objects.bulk_create(
        Flight(
            campaign=of, name="f", starts_at=of.starts_at, ends_at=of.ends_at, bid=int(bid), budget=10**8,
            ceiling=None, topics=[TOPICS[int(about)]],
        )
        for of, bid, about in zip(
            made, rng.integers(500, 5_000, len(made)), rng.integers(0, len(TOPICS), len(made)), strict=True
        )
    )  # fmt: skip
    Creative.objects.bulk_create(
        Creative(
            flight=of, format="card", title="c", link_url="https://x.org/", state="approved", made_at=MIDNIGHT,
            topic=topics[place % len(topics)],
        )
        for place, of in enumerate(flights)
    )  # fmt: skip


def decisions(tenant: Any, live_campaigns: int, many: int) -> dict[str, float]:
    """Time one decision after another among so many campaigns that live at once, each for another viewer."""
    from billing.ads import operations  # noqa: PLC0415
    from billing.ads.operations import Page  # noqa: PLC0415
    from billing.ads.serving import live  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    at = MIDNIGHT + timedelta(hours=12)
    with scope(tenant):
        _crowd(live_campaigns)
        viewers = list(Member.objects.filter(name__startswith="v").order_by("pk"))
    settle_down()
    live.forget()  # what competed on the day that was played
    with scope(tenant):
        began = time.perf_counter()
        size = len(live.live())
        read = time.perf_counter() - began
    took = []
    for number in range(many):
        page = Page(
            viewer=viewers[number % len(viewers)], session=f"d{number}", first=0, items=[None] * 6,
            topics=[TOPICS[number % len(TOPICS)]], tastes=dict.fromkeys(TOPICS, 0.5),
        )  # fmt: skip
        with scope(tenant):
            began = time.perf_counter()
            placed = operations.place_ads(page=page, at=at, rng=random.Random(number))
            took.append(time.perf_counter() - began)
        assert placed
    p50, p99 = (float(np.percentile(took, at)) * 1000 for at in (50, 99))
    return {"live": size, "read_s": round(read, 2), "decision_p50_ms": round(p50, 2), "decision_p99_ms": round(p99, 2)}


def at_once(tenant: Any) -> dict[str, int]:
    """Let 32 clients spend a budget for 5,000 views at once; return how many were offered and by how much too many."""
    from django.db import connection  # noqa: PLC0415

    from billing.ads import operations  # noqa: PLC0415
    from billing.ads.operations import Page  # noqa: PLC0415
    from billing.ads.serving import live  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(tenant):
        flight = _alone()
        viewers = list(Member.objects.filter(name__startswith="v").order_by("pk"))
    live.forget()
    offered = [0] * CLIENTS

    def client(number: int) -> None:
        for turn in range(PART // CLIENTS * 2):
            viewer = viewers[(number * 61 + turn) % len(viewers)]
            page = Page(viewer=viewer, session=f"{number}.{turn}", first=0, items=[None] * 6)
            with scope(tenant):
                offered[number] += len(operations.place_ads(page=page, at=MIDNIGHT + timedelta(hours=12)))
        connection.close()

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    with scope(tenant):
        flight.refresh_from_db()
    return {"offers": sum(offered), "over_budget_micros": max(flight.reserved - PART * 1_000_000, 0)}


def _alone() -> Any:
    """End all campaigns and return the flight of a new one, whose budget is for 5,000 views."""
    from billing.ads.models import Campaign, Creative, Flight  # noqa: PLC0415

    Campaign.objects.update(state="ended")
    (of,) = campaigns(1)
    span = {"starts_at": of.starts_at, "ends_at": of.ends_at, "ceiling": None}
    flight = Flight.objects.create(campaign=of, name="f", bid=1_000, budget=PART, **span)
    said = {"format": "card", "title": "c", "link_url": "https://x.org/", "state": "approved"}
    Creative.objects.create(flight=flight, made_at=MIDNIGHT, **said)
    return flight


def played(world: World, tenant: Any) -> dict[str, Any]:
    """Play the day, and return what came of it beside what could have come of it."""
    from billing.ads.models import ChanceModel, Flight  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    day, best, began = Day(world, tenant), optimum(world), time.monotonic()
    day.run()
    took = time.monotonic() - began
    with scope(tenant):
        spent = sum(Flight.objects.values_list("spent", flat=True))
        learned = ChanceModel.objects.order_by("-pk").first()
    day.spent_by[24] = spent
    by = [day.spent_by.get(hour, 0) for hour in range(25)]
    off = hours_off(world, [after - before for before, after in pairwise(by)])
    expected = hours_off(world, day.expected_by_hour())
    earned, random_one, highest = spent / 1_000_000, by_rule(world, "random"), by_rule(world, "bid")
    return {
        "seconds": round(took, 1),
        "shown": day.shown,
        "earned": round(earned),
        "at_random": round(random_one),
        "by_highest_bid": round(highest),
        "at_best": round(best),
        "share_of_best": round(earned / best, 3),
        "times_random": round(earned / random_one, 2),
        "times_highest_bid": round(earned / highest, 2),
        "budget": int(world.budget.sum()),
        "day_off_plan": round(abs(earned / float(world.budget.sum()) - 1), 4),
        "hour_off_plan_median": round(median(off), 3),
        "hour_off_plan_most": round(max(off), 3),
        "expected_off_plan_median": round(median(expected), 3),
        "expected_off_plan_most": round(max(expected), 3),
        "calibration_error": learned and learned.error,
        "counted_error": learned and learned.counted_error,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--campaigns", type=int, default=24)
    parser.add_argument("--viewers", type=int, default=2_000)
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=2_000)
    parser.add_argument("--only-decisions", action="store_true", help="No day and no clients at once.")
    asked = parser.parse_args()
    world = drawn(asked.requests, asked.campaigns, asked.viewers)
    figures: dict[str, Any] = {"bench": "ads", "machine": site.machine()}
    figures |= {"requests": asked.requests, "campaigns": asked.campaigns}
    with site.migrated():
        tenant = seed(world, asked.viewers)
        if not asked.only_decisions:
            figures |= played(world, tenant)
        figures |= decisions(tenant, asked.live, asked.decisions)
        if not asked.only_decisions:
            figures |= at_once(tenant)
    print(json.dumps(figures | {"marks": MARKS}, ensure_ascii=False))


if __name__ == "__main__":
    main()
