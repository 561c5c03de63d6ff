"""The day that bench.ads plays: who advertises what, who comes when, and what a choice is worth."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)
TRAFFIC = [2, 1, 1, 1, 1, 2, 4, 6, 6, 5, 5, 6, 8, 7, 5, 5, 6, 8, 10, 12, 13, 12, 8, 4]
TOPICS = [f"topic-{number}" for number in range(10)]
SEEN = 0.9


@dataclass(frozen=True)
class World:
    """C campaigns and R requests of a day. All that is random is drawn here, once."""

    clicks: Any  # (C,) whether a click is paid for; else a thousand views are
    bid: Any  # (C,) minor units for that
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

    def paid(self, likes: Any) -> Any:
        """Return the true chance that a view brings what each campaign pays for, or its part of that (…, C)."""
        return np.where(self.clicks, self.chance(likes), 0.001)


def drawn(requests: int, campaigns: int, viewers: int) -> World:
    """Draw a day. A third of the campaigns pay for clicks; budgets are for a third of what comes at what is bid."""
    rng = np.random.default_rng(7)
    traffic = np.array(TRAFFIC) / sum(TRAFFIC)
    hours = rng.choice(24, requests, p=traffic)
    clicks = np.arange(campaigns) % 3 == 0
    rate = rng.beta(4, 200, campaigns)
    bid = rng.lognormal(5.0, 0.5, campaigns).astype(int) + 20
    bid = np.where(clicks, bid, (bid * rate * 1_000).astype(int))
    viewer = rng.integers(0, viewers, requests)
    worth = requests * SEEN * float((bid * np.where(clicks, rate, 0.001)).mean())
    return World(
        clicks=clicks,
        bid=bid,
        rate=rate,
        about=rng.integers(0, len(TOPICS), campaigns),
        budget=np.maximum((worth * 0.35 * rng.dirichlet(np.full(campaigns, 5.0))).astype(int), 1),
        at=np.sort(hours * 3600 + rng.random(requests) * 3600),
        likes=rng.integers(0, len(TOPICS), viewers)[viewer],
        viewer=viewer,
        dice=rng.random((requests, 2)),
    )


def optimum(world: World) -> float:
    """Return what all requests bring at most, within the budgets: a linear programme by taste."""
    many = np.bincount(world.likes, minlength=len(TOPICS)) * SEEN  # (T,)
    worth = world.paid(np.arange(len(TOPICS))) * world.bid  # (T, C)
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
    """Return what the requests bring when a rule chooses among those with money left, and each pays its bid.

    Who bids most is told by the rate of clicks that all campaigns have.
    """
    rng, left, total = random.Random(3), world.budget.astype(float).copy(), 0.0
    least = np.where(world.clicks, world.bid, world.bid * 0.001)
    told = np.where(world.clicks, world.bid * world.rate.mean(), least)
    for likes, (seen, _) in zip(world.likes, world.dice, strict=True):
        able = np.flatnonzero(left >= least)
        if not len(able) or seen >= SEEN:
            continue
        chosen = rng.choice(able) if rule == "random" else able[np.argmax(told[able])]
        worth = float(world.bid[chosen] * world.paid(likes)[chosen])
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
                pays_for="click" if clicks else "views",
                bid=int(bid),
                budget=int(budget),
            )
            for of, clicks, bid, budget in zip(made, world.clicks, world.bid, world.budget, strict=True)
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
        _yesterday(world)
    return tenant


def _yesterday(world: World) -> None:
    """Write the places of the day before, as many as today's and all empty: of them the job knows when viewers come."""
    from billing.ads.models import PlaceCount  # noqa: PLC0415

    hours = np.random.default_rng(8).choice(24, len(world.at), p=np.array(TRAFFIC) / sum(TRAFFIC))
    told = {"day": (MIDNIGHT - timedelta(days=1)).date(), "placement": "feed", "outcome": "no_campaign", "shard": 0}
    PlaceCount.objects.bulk_create(
        PlaceCount(**told, hour=hour, places=int(places)) for hour, places in enumerate(np.bincount(hours)) if places
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
