"""A day of ads: what is earned, how near to plan it is spent, and how long a decision takes.

Viewers come like people do, few at night and most in the evening, each with a taste of their own; each page asks the
real decision path for an ad, against the database, by a clock that is moved on; what is shown is seen by nine of ten
and clicked by a truth that the chances have to learn. Every minute of that day offers lapse, every five flights are
paced.
Beside it, on the same requests and budgets: who is chosen at random, who bids most, and the best there is with all
known beforehand, a linear programme. What a choice is worth is bid × true chance.

Then so many campaigns live at once, and one decision after another is timed; and 32 clients at once spend what is left
of a small budget.

    python -m bench.ads [--requests 40000] [--campaigns 60] [--live 10000] [--decisions 2000]
"""

import argparse
import json
import random
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import site

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
TRAFFIC = [2, 1, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 8, 7, 5, 5, 6, 8, 10, 12, 13, 12, 8, 4]
TOPICS = [f"topic-{number}" for number in range(10)]
TICK = timedelta(minutes=1)
SEEN = 0.9
CLIENTS, PART = 32, 5_000
MARKS = {"day_off_plan": 0.05, "hour_off_plan": 0.15, "decision_p99_ms": 5.0}


@dataclass(frozen=True)
class World:
    """C campaigns and R requests of a day. All that is random is drawn here, once."""

    bid: Any  # (C,) minor units a click
    rate: Any  # (C,) of clicks, of a viewer who does not care
    about: Any  # (C,) places in TOPICS
    budget: Any  # (C,) minor units
    at: Any  # (R,) seconds of the day, in order
    likes: Any  # (R,) the viewer's favourite topic
    viewer: Any  # (R,)
    dice: Any  # (R, 2)

    def chance(self, likes: Any) -> Any:
        """Return the true chance of a click on each campaign (…, C)."""
        return self.rate * np.where(self.about == np.asarray(likes)[..., None], 2.0, 0.7)


def drawn(requests: int, campaigns: int, viewers: int) -> World:
    rng = np.random.default_rng(7)
    traffic = np.array(TRAFFIC) / sum(TRAFFIC)
    hours = rng.choice(24, requests, p=traffic)
    rate = rng.beta(4, 200, campaigns)
    bid = rng.lognormal(5.0, 0.5, campaigns).astype(int) + 20
    viewer = rng.integers(0, viewers, requests)
    worth = requests * SEEN * float((bid * rate).mean())
    return World(
        bid=bid,
        rate=rate,
        about=rng.integers(0, len(TOPICS), campaigns),
        budget=np.maximum((worth * 0.35 * rng.dirichlet(np.full(campaigns, 5.0))).astype(int), bid * 2),
        at=np.sort(hours * 3600 + rng.random(requests) * 3600),
        likes=rng.integers(0, len(TOPICS), viewers)[viewer],
        viewer=viewer,
        dice=rng.random((requests, 2)),
    )


def optimum(world: World) -> float:
    """Return what all requests are worth at most, within the budgets: a linear programme by taste."""
    many = np.bincount(world.likes, minlength=len(TOPICS)) * SEEN  # (T,)
    worth = world.chance(np.arange(len(TOPICS))) * world.bid  # (T, C)
    topics, campaigns = worth.shape
    limits = lil_matrix((topics + campaigns, topics * campaigns))
    for topic in range(topics):
        limits[topic, topic * campaigns : (topic + 1) * campaigns] = 1
    for campaign in range(campaigns):
        limits[topics + campaign, campaign::campaigns] = worth[:, campaign]
    ends: Any = limits.tocsr()
    found = linprog(-worth.ravel(), A_ub=ends, b_ub=np.concatenate([many, world.budget]))
    assert found.fun is not None
    return -float(found.fun)


def by_rule(world: World, rule: str) -> float:
    """Return what the requests are worth when a rule chooses among those with money left."""
    rng, left, total = random.Random(3), world.budget.astype(float).copy(), 0.0
    for likes, (seen, _) in zip(world.likes, world.dice, strict=True):
        able = np.flatnonzero(left >= world.bid)
        if not len(able) or seen >= SEEN:
            continue
        chosen = rng.choice(able) if rule == "random" else able[np.argmax(world.bid[able])]
        worth = float(world.bid[chosen] * world.chance(likes)[chosen])
        left[chosen] -= worth
        total += worth
    return total


def seed(world: World, viewers: int) -> Any:
    """Write the tenant, its viewers and the campaigns of the day."""
    from billing.ads.models import Creative, Flight  # noqa: PLC0415
    from catalog.models import Topic  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    tenant = create_tenant(slug="bench", name="Bench", hosts=["bench.localhost"])
    tenant.time_zone, tenant.settings = "UTC", {"ad_floor": 1}
    tenant.save()
    with scope(tenant):
        Member.objects.bulk_create(Member(name=f"v{number}") for number in range(viewers))
        topics = Topic.objects.bulk_create(Topic(slug=slug, name_zh=slug, name_en=slug) for slug in TOPICS)
        made = campaigns(len(world.bid))
        flights = Flight.objects.bulk_create(
            Flight(
                campaign=of,
                name="f",
                starts_at=of.starts_at,
                ends_at=of.ends_at,
                pays_for="click",
                bid=int(bid),
                budget=int(budget),
            )
            for of, bid, budget in zip(made, world.bid, world.budget, strict=True)
        )
        Creative.objects.bulk_create(
            Creative(
                flight=flight,
                format="card",
                title="c",
                link_url="https://x.org/",
                topic=topics[about],
                state="approved",
                made_at=MIDNIGHT,
            )
            for flight, about in zip(flights, world.about, strict=True)
        )
        _yesterday(flights[0])
    return tenant


def _yesterday(flight: Any) -> None:
    """Write the places of the day before, that nothing came of: of them the job knows when viewers come."""
    from billing.ads.models import Creative, Offer  # noqa: PLC0415

    told = {"flight": flight, "campaign": flight.campaign, "creative": Creative.objects.filter(flight=flight).get()}
    told |= {
        "viewer": flight.campaign.advertiser.member,
        "placement": "feed",
        "session": "y",
        "position": 6,
        "price": 0,
    }
    told |= {"chance": 0.01, "rate": 0.01, "affinity": 0.5, "propensity": 1.0, "expected": 0}
    hours = np.random.default_rng(8).choice(24, 10_000, p=np.array(TRAFFIC) / sum(TRAFFIC))
    times = [MIDNIGHT - timedelta(days=1) + timedelta(hours=int(hour), minutes=30) for hour in hours]
    Offer.objects.bulk_create(
        [Offer(**told, offered_at=at, expires_at=at, lapsed_at=at) for at in times], batch_size=1_000
    )


def campaigns(many: int) -> list[Any]:
    """Write so many live campaigns, each of its own advertiser, with their money in the ledger."""
    from billing import ledger  # noqa: PLC0415
    from billing.ads.models import Advertiser, Campaign, CampaignChange  # noqa: PLC0415
    from billing.models import Journal  # noqa: PLC0415
    from billing.money import Money  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415

    members = Member.objects.bulk_create(Member(name=f"a{number}") for number in range(many))
    who = Advertiser.objects.bulk_create(Advertiser(member=of, name=of.name, made_at=MIDNIGHT) for of in members)
    span = {"starts_at": MIDNIGHT, "ends_at": MIDNIGHT + timedelta(days=1), "made_at": MIDNIGHT, "state": "live"}
    often = {"per_day": 1_000, "per_session": 1_000, "per_viewer": 1_000, "currency": "CNY", "committed": 10**9}
    made = Campaign.objects.bulk_create(Campaign(advertiser=of, name="c", **span, **often) for of in who)
    CampaignChange.objects.create(campaign=made[0], what="seeded", changed_at=MIDNIGHT)
    for place in range(0, many, 500):
        part = members[place : place + 500]
        transfers = [(ledger.clearing("CNY"), ledger.ad_budget(of, "CNY"), Money(10**9, "CNY")) for of in part]
        ledger.post(kind=Journal.Kind.AD_COMMIT, key=f"seed:{part[0].pk}", transfers=transfers, at=MIDNIGHT)
    return made


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
        self.next_tick, self.worth, self.shown = MIDNIGHT, 0.0, 0
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
        place = self.places[placed[0].card.campaign]
        chance = float(self.world.chance(likes)[place])
        self.worth += chance * float(self.world.bid[place])
        self.shown += 1
        with self.scope(self.tenant):
            token = token_of(placed[0])
            view = Told(token, "view", 1.0, 5_000)
            operations.report_ad_event(viewer=viewer, told=view, at=at + timedelta(seconds=5))
            if clicks < chance:
                operations.report_ad_event(viewer=viewer, told=Told(token, "click"), at=at + timedelta(seconds=8))


def hours_off(world: World, spent_by: dict[int, int]) -> list[float]:
    """Return how far each hour's spending was from its part of the plan, as a share of that part."""
    whole = float(world.budget.sum()) * 1_000_000
    by = [0, *(spent_by[hour] for hour in range(1, 24)), spent_by[24]]
    return [
        abs(by[hour + 1] - by[hour] - whole * TRAFFIC[hour] / sum(TRAFFIC)) / (whole * TRAFFIC[hour] / sum(TRAFFIC))
        for hour in range(24)
    ]


def decisions(tenant: Any, live_campaigns: int, many: int) -> dict[str, float]:
    """Time one decision after another among so many campaigns that live at once, each for another viewer."""
    from django.db import connections  # noqa: PLC0415

    from billing.ads import operations  # noqa: PLC0415
    from billing.ads.models import Creative, Flight  # noqa: PLC0415
    from billing.ads.operations import Page  # noqa: PLC0415
    from billing.ads.serving.live import live  # noqa: PLC0415
    from catalog.models import Topic  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    rng, at = np.random.default_rng(9), MIDNIGHT + timedelta(hours=12)
    with scope(tenant):
        topics = list(Topic.objects.order_by("pk"))
        made = campaigns(live_campaigns)
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
        viewers = list(Member.objects.filter(name__startswith="v").order_by("pk"))
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    with scope(tenant):
        began = time.perf_counter()
        size = len(live())
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
    from billing.ads.models import Campaign, Creative, Flight  # noqa: PLC0415
    from billing.ads.operations import Page  # noqa: PLC0415
    from billing.ads.serving import live  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(tenant):
        Campaign.objects.update(state="ended")
        (of,) = campaigns(1)
        span = {"starts_at": of.starts_at, "ends_at": of.ends_at, "ceiling": None}
        flight = Flight.objects.create(campaign=of, name="f", bid=1_000, budget=PART, **span)
        said = {"format": "card", "title": "c", "link_url": "https://x.org/", "state": "approved"}
        Creative.objects.create(flight=flight, made_at=MIDNIGHT, **said)
        viewers = list(Member.objects.filter(name__startswith="v").order_by("pk"))
    live.forget()
    offered = [0] * CLIENTS

    def client(number: int) -> None:
        for turn in range(PART // CLIENTS * 2):
            page = Page(
                viewer=viewers[(number * 61 + turn) % len(viewers)],
                session=f"{number}.{turn}",
                first=0,
                items=[None] * 6,
            )
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--campaigns", type=int, default=60)
    parser.add_argument("--viewers", type=int, default=2_000)
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=2_000)
    asked = parser.parse_args()
    world = drawn(asked.requests, asked.campaigns, asked.viewers)
    best = optimum(world)
    with site.migrated():
        tenant = seed(world, asked.viewers)
        day = Day(world, tenant)
        began = time.monotonic()
        day.run()
        took = time.monotonic() - began
        from billing.ads.models import ChanceModel, Flight  # noqa: PLC0415
        from kpplatform.tenancy.scope import scope  # noqa: PLC0415

        with scope(tenant):
            spent = sum(Flight.objects.values_list("spent", flat=True))
            learned = ChanceModel.objects.order_by("-pk").first()
        day.spent_by[24] = spent
        off = hours_off(world, day.spent_by)
        figures = {
            "bench": "ads",
            "machine": site.machine(),
            "requests": asked.requests,
            "campaigns": asked.campaigns,
            "seconds": round(took, 1),
            "shown": day.shown,
            "worth": round(day.worth),
            "worth_at_random": round(by_rule(world, "random")),
            "worth_by_highest_bid": round(by_rule(world, "bid")),
            "worth_at_best": round(best),
            "share_of_best": round(day.worth / best, 3),
            "times_random": round(day.worth / by_rule(world, "random"), 2),
            "times_highest_bid": round(day.worth / by_rule(world, "bid"), 2),
            "earned": round(spent / 1_000_000),
            "budget": int(world.budget.sum()),
            "day_off_plan": round(abs(spent / 1_000_000 / world.budget.sum() - 1), 4),
            "hour_off_plan_median": round(median(off), 3),
            "hour_off_plan_most": round(max(off), 3),
            "calibration_error": learned and learned.error,
            "counted_error": learned and learned.counted_error,
            **decisions(tenant, asked.live, asked.decisions),
            **at_once(tenant),
            "marks": MARKS,
        }
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
