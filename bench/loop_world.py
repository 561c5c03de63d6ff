"""A tenant of the generated world whose viewers go on living: they look at what the feed shows, and answer.

The days until `warm` are written down as the world's own platform showed them; from then on every page is the feed's
(`show_page`), every watch, reaction and follow goes the way of the API's operations, and viewers come the more often
the better their last visits were: that is the only thing here that the world itself does not know.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import numpy as np

from kpplatform.demo.world.arrays import DAY, HOUR, Doubles, stream
from kpplatform.demo.world.behaviour import Outcome, absorb, respond
from kpplatform.demo.world.catalogue import Catalogue, draw_catalogue
from kpplatform.demo.world.history import history
from kpplatform.demo.world.viewers import Viewers, draw_viewers, drift

PAGE, MOST_PAGES = 10, 8
VISITS_A_DAY = 0.6
LONG_VIEW_MS = 18_000
REACTIONS = {"like": "liked", "save": "saved", "share": "shared", "not_interested": "not_interested"}
KEEPS, LIFT, LOYALTY = 0.7, 0.5, (0.3, 2.0)  # how long a visit is remembered, what joy does, least and most


@dataclass
class Day:
    """What n showings of one day came to."""

    viewer: list[int] = field(default_factory=list)
    video: list[int] = field(default_factory=list)
    watch_ms: list[int] = field(default_factory=list)
    long: list[bool] = field(default_factory=list)
    match: list[float] = field(default_factory=list)
    liked: list[bool] = field(default_factory=list)
    unwanted: list[bool] = field(default_factory=list)

    def add(self, viewer: int, video: int, outcome: Outcome, duration_ms: int) -> None:
        watch_ms = int(outcome.watch_ms[0])
        self.viewer.append(viewer)
        self.video.append(video)
        self.watch_ms.append(watch_ms)
        self.long.append(watch_ms >= min(duration_ms, LONG_VIEW_MS))
        self.match.append(float(outcome.match[0]))
        self.liked.append(bool(outcome.liked[0]))
        self.unwanted.append(bool(outcome.not_interested[0]))


@dataclass
class Living:
    """A tenant and the world behind it, on some day."""

    tenant: Any
    catalogue: Catalogue
    viewers: Viewers
    places: Any
    seed: int
    loyalty: Doubles  # (U,)

    def live(self, day: int) -> Day:
        """Let the viewers come, watch and go for a day, in the order of their visits."""
        rng = stream(self.seed, "living", day)
        drift(self.viewers, slice(0, len(self.viewers)), days=1, rng=rng)
        told = Day()
        for at_ms, who in self._visits(day, rng):
            before = len(told.match)
            self._visit(who, max(at_ms, int(self.viewers.last_end[who]) + HOUR // 12), rng, told)
            if joy := told.match[before:]:
                loyal = KEEPS * self.loyalty[who] + (1 - KEEPS) * np.exp(LIFT * np.mean(joy))
                self.loyalty[who] = np.clip(loyal, *LOYALTY)
        return told

    def _visits(self, day: int, rng: np.random.Generator) -> list[tuple[int, int]]:
        """Return when who comes, in order of time."""
        viewers = self.viewers
        count = rng.poisson(VISITS_A_DAY * viewers.activity * self.loyalty * ~viewers.bot).clip(max=4)
        who = np.repeat(np.arange(len(viewers)), count)
        hour = (viewers.peak[who] + 1.8 * rng.standard_normal(len(who))) % 24
        at_ms = self.catalogue.start_ms + day * DAY + (hour * HOUR).astype(np.int64)
        return sorted(zip(at_ms.tolist(), who.tolist(), strict=True))

    def _visit(self, who: int, at_ms: int, rng: np.random.Generator, told: Day) -> None:
        """Show page after page until the viewer leaves; what they did is told at the end of each page."""
        from kpplatform.tenancy.models import Member  # noqa: PLC0415
        from kpplatform.tenancy.scope import scope  # noqa: PLC0415
        from recommender.operations import Session, show_page  # noqa: PLC0415

        member = Member(pk=int(self.places.viewers[who]), tenant_id=self.tenant.pk)
        session: Session | None = Session(moment(at_ms))
        for _ in range(MOST_PAGES):
            if session is None:
                return
            with scope(self.tenant):
                draw = _seeded(rng)
                page = show_page(viewer=member, limit=PAGE, session=session, at=moment(at_ms), rng=draw)
            seen = list(self._watch(who, [shown.item["id"] for shown in page.shown], at_ms, rng, told))
            at_ms = int(self.viewers.last_end[who]) + 500
            with scope(self.tenant):
                _record(member, seen, at=moment(at_ms))
            if not seen or seen[-1].leaves:
                return
            session = page.following

    def _watch(self, who: int, items: list[int], at_ms: int, rng: np.random.Generator, told: Day) -> Iterator["Seen"]:
        """Yield what the viewer does with one item after the other, until they leave."""
        first, videos, one = int(self.places.videos[0]), self.catalogue.videos, np.array([who], np.int32)
        for item in items:
            if not first <= item < first + len(videos):
                continue  # a course: nobody buys in this world
            what, at = np.array([item - first], np.int32), np.array([at_ms], np.int64)
            outcome = _without_purchase(respond(self.catalogue, self.viewers, who=one, what=what, at_ms=at, rng=rng))
            absorb(self.catalogue, self.viewers, who=one, what=what, at_ms=at, outcome=outcome)
            told.add(who, item - first, outcome, int(videos.duration_ms[what[0]]))
            leaves = bool(outcome.leaves[0])
            pressed = [kind for kind, flag in REACTIONS.items() if getattr(outcome, flag)[0]]
            creator = int(self.places.creators[videos.creator[what[0]]]) if outcome.followed[0] else None
            yield Seen(item, at_ms, int(outcome.watch_ms[0]), pressed, creator, leaves)
            if leaves:
                return
            at_ms += int(outcome.watch_ms[0]) + 500


@dataclass(frozen=True)
class Seen:
    """One item as one viewer took it."""

    item: int
    at_ms: int
    watch_ms: int
    pressed: list[str]
    followed: int | None
    leaves: bool


def begun(*, slug: str, viewers: int, videos: int, warm: int, days: int, seed: int) -> Living:
    """Make a tenant with the world's first `warm` days in it. The same sizes and seed make the same world."""
    from kpplatform.demo import seeding  # noqa: PLC0415
    from kpplatform.demo.copying import check_each_statement  # noqa: PLC0415
    from kpplatform.demo.seeding import Size, shelves, stories  # noqa: PLC0415
    from kpplatform.demo.settling import settle  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    size = Size(viewers=viewers, videos=videos, courses=4, days=warm + days, seed=seed)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts_at = today - timedelta(days=size.days)
    catalogue = draw_catalogue(videos=videos, courses=size.courses, days=size.days, starts_at=starts_at, seed=seed)
    people = draw_viewers(count=viewers, videos=videos, seed=seed)
    tenant = create_tenant(slug=slug, name=slug, hosts=[f"{slug}.localhost"])
    owners = seeding.owners(catalogue, size)
    with scope(tenant):
        check_each_statement()
        places = seeding.places_of(catalogue, size)
        stories.write_viewers(viewers=people, places=places, starts_at=starts_at, seed=seed)
        shelves.write(catalogue=catalogue, places=places, owners=owners)
        told = history(catalogue=catalogue, viewers=people, seed=seed, owners=owners)
        for chunk, events in enumerate(islice(told, warm)):
            stories.write(events=events, catalogue=catalogue, places=places, seed=seed + chunk)
    settle(tenant=tenant, clean=True)
    return Living(tenant, catalogue, people, places, seed, np.ones(viewers))


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _record(member: Any, seen: list[Seen], *, at: datetime) -> None:
    from catalog import operations as catalog  # noqa: PLC0415
    from catalog.models import Item, Reaction  # noqa: PLC0415
    from creators import operations as creators  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415

    if not seen:
        return
    events = [catalog.Event(str(uuid.uuid4()), of.item, moment(of.at_ms), of.watch_ms, "feed", "") for of in seen]
    catalog.record_watches(viewer=member, events=events, at=at)
    for of in seen:
        for kind in of.pressed:
            catalog.react(viewer=member, item=Item(pk=of.item), kind=Reaction.Kind(kind), at=at)
        if of.followed is not None:
            creators.follow(viewer=member, creator=Creator(pk=of.followed), at=at)


def _seeded(rng: np.random.Generator) -> Any:
    import random  # noqa: PLC0415

    return random.Random(int(rng.integers(2**62)))


def _without_purchase(outcome: Outcome) -> Outcome:
    outcome.bought[:] = -1
    return outcome
