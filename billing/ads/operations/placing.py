"""Putting ads into the places of a page: who may compete, who wins, and the money reserved for it."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from billing.ads.market.auction import Bids, Won, auction
from billing.ads.models import Campaign, Flight, PlaceCount
from billing.ads.operations.competing import competing
from billing.ads.operations.counting import Outcome, note_places, note_unasked
from billing.ads.operations.dealing import deal_load
from billing.ads.operations.reserving import PASSING, WAITING
from billing.ads.queries.rules import AdRules, ad_rules
from billing.ads.queries.seen import held, seen
from billing.ads.serving.live import EVENTS, TIERS, WATCHED, Card, Live, live
from billing.operations.memberships import GRACE
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import current_tenant, current_tenant_id
from kpplatform.tenancy.statements import planned

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Dice = random.Random

AUCTION = TIERS[Campaign.Tier.AUCTION]
CLICK, WATCH = EVENTS[Flight.PaysFor.CLICK], EVENTS[Flight.PaysFor.WATCH]

LIFE = timedelta(minutes=10)  # of an offer that is not seen
TRIES = 5  # auctions for one page, when others have just spent what the winner had left
EXPLORED = 0.02  # of the auctions
DAY = 16  # letters of a session that all sessions of a viewer's day begin with


@dataclass(frozen=True)
class Page:
    """What is asked of ads for a page: where it stands and what is known of who sees it, with their consent.

    `items` are the places of the page in their order; `first` is how many places the session has had before. Of who is
    not `remembered`, without consent, nothing is kept but the session; those of the same day begin alike.
    `topics` are those of the items; `tastes` say how much the viewer likes a topic, from 0 to 1.
    """

    viewer: Member
    session: str
    first: int
    items: Sequence[int | None]
    topics: Sequence[str] = ()
    placement: str = "feed"
    segments: Sequence[str] = ()
    tastes: Mapping[str, float] = field(default_factory=dict)
    language: str = ""
    device: int = 0
    country: str = ""
    is_remembered: bool = True

    @cached_property
    def shown_to(self) -> int:
        """Return as whose the offers are written down."""
        return self.viewer.pk if self.is_remembered else stand_in()

    @property
    def today(self) -> str:
        """Return what all the viewer's sessions of a day begin with: who is nobody is known by it, until midnight."""
        return self.session[:DAY]

    @property
    def who(self) -> str:
        """Return for whom one decides at a time: the viewer, or nobody's sessions of a day."""
        return f"{self.viewer.pk}" if self.is_remembered else self.today

    def told(self, at: datetime) -> Mapping[str, Collection[str | int]]:
        """Return what flights are aimed by: of minors nothing personal."""
        is_told = not self.viewer.is_minor
        return {
            "placement": [self.placement],
            "topic": set(self.topics),
            "segment": self.segments if is_told else (),
            "country": [self.country] if is_told and self.country else (),
            "language": [self.language],
            "device": [self.device],
            "hour": [at.astimezone(ZoneInfo(current_tenant().time_zone)).hour],
        }


class Terms(NamedTuple):
    """At what price an ad stands in a place, and what was known of it: kept with the offer, to learn from."""

    price: int
    expected: int  # of it
    propensity: float
    chance: float
    rate: float
    affinity: float


class Offered(NamedTuple):
    """An offer that was written down."""

    id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class Placed:
    """An ad, and behind how many items of the page it stands."""

    behind: int
    card: Card
    offer: Offered


def has_ads() -> bool:
    """Tell whether anything competes at all in the scope's tenant: who asks can spare finding out about the viewer."""
    market = live()
    return bool(len(market) and (ad_rules(current_tenant()).every or market.trial))


@transaction.atomic(savepoint=False)
def place_ads(*, page: Page, at: datetime, rng: random.Random | None = None) -> list[Placed]:
    """Offer ads for the free places of a page, reserve their prices, and return them.

    Nobody sees more of a campaign than it says: whoever asks for the same viewer waits until it is decided here.
    """
    rules = ad_rules(current_tenant())
    market = live()
    if not page.items or not (rules.every or market.trial):
        return []
    known = held(page.viewer, who=page.who, trial=market.trial, grace=GRACE, at=at)
    if not market or not known.sees_ads:
        why = Outcome.TIER if market else Outcome.NO_CAMPAIGN
        note_unasked(first=page.first, size=len(page.items), why=why, placement=page.placement, at=at)
        return []
    is_new = page.is_remembered and not known.is_dealt
    every = deal_load(page.viewer, market.trial, usual=rules.every, is_new=is_new, at=at)
    if not every:
        return []
    before = seen(
        page.viewer,
        session=page.session,
        today=page.today,
        is_remembered=page.is_remembered,
        since=market.since,
        at=at,
    )
    free = free_places(page.first, len(page.items), last=before.last, every=every)
    if not free:
        return []
    tastes = market.affinity({} if page.viewer.is_minor else page.tastes)
    liked = tastes >= rules.least_taste
    may, why = competing(market, page.told(at), member=page.viewer.pk, before=before, liked=liked, at=at)
    dice = rng or random.Random()
    placed, why = _offered(market, may, tastes, why, page=page, free=free, rules=rules, at=at, rng=dice)
    outcomes = {Outcome.FILLED: len(placed), why: len(free) - len(placed)}
    note_places(outcomes, placement=page.placement, at=at)
    return placed


def free_places(first: int, size: int, *, last: int | None, every: int) -> list[int]:
    """Return behind how many places of the session ads may stand on this page: with `every` items between them.

    The first ad of a session stands behind as many.
    """
    begin = every if last is None else last + every
    begin = max(begin, first + 1)
    return list(range(begin, first + size + 1, every))


def _offered(
    market: Live,
    may: Flags,
    tastes: Floats,
    why: PlaceCount.Outcome,
    *,
    page: Page,
    free: list[int],
    rules: AdRules,
    at: datetime,
    rng: Dice,
) -> tuple[list[Placed], PlaceCount.Outcome]:
    """Offer the winners of one auction after another: sponsorships first, the tenant's own ads last.

    Returned with them is why a place is still empty, if one is: `why`, where nobody won any.
    """
    clicks = market.chances.of(market.rate, tastes)
    placed: list[Placed] = []
    held_flights: set[int] = set()
    for tier in TIERS.values():
        for _ in range(TRIES):
            rows = _best_of_each(market, (may & (market.tier == tier)).nonzero()[0], clicks)
            if not free or not len(rows):
                break
            chance = _chance(market, rows, clicks[rows])
            won = _auction(market, rows, chance, slots=len(free), rules=rules, tier=tier, rng=rng)
            if not won:
                break
            taken = _taken(market, rows, won, (clicks, tastes, chance), page=page, free=free, held=held_flights, at=at)
            why = Outcome.ONCE if len(taken) == len(won) else Outcome.BUDGET
            may[np.isin(market.advertiser, market.advertiser[rows[[each.place for each in won]]])] = False
            placed += [Placed(behind - page.first, card, offer) for behind, card, offer in taken]
            free = [behind for behind in free if behind not in {place for place, *_ in taken}]
    return sorted(placed, key=lambda each: each.behind), why


def _taken(
    market: Live,
    rows: Longs,
    won: Sequence[Won],
    known: tuple[Floats, Floats, Floats],
    *,
    page: Page,
    free: Sequence[int],
    held: set[int],
    at: datetime,
) -> list[tuple[int, Card, Offered]]:
    """Return the winners that had the money left, and where each stands; `held` are the flights of this transaction.

    Nobody who holds a flight waits for one that comes before it: of two who want the same flights, one goes on.
    """
    clicks, tastes, chance = known
    taken = []
    ranked = zip(won, free, strict=False)
    for each, behind in sorted(ranked, key=lambda pair: market.cards[rows[pair[0].place]].flight):
        row, of = int(rows[each.place]), float(chance[each.place])
        card, learnt = market.cards[row], (float(column[row]) for column in (clicks, market.rate, tastes))
        terms = Terms(each.price, round(each.price * of), each.propensity, *learnt)
        waits = not held or card.flight > max(held)
        if offer := _reserved(page, card, terms, behind=behind, waits=waits, at=at):
            held.add(card.flight)
            taken.append((behind, card, offer))
        elif waits:  # until it is read again it would win, and keep the place from those who can pay
            market.is_open[market.flight == card.flight] = False
    return taken


def _best_of_each(market: Live, rows: Longs, clicks: Floats) -> Longs:
    """Return the best creative of each advertiser: nobody makes their own price."""
    worth = market.bid[rows] * _chance(market, rows, clicks[rows]) * market.pace[rows]
    order = rows[np.argsort(-worth, kind="stable")]
    _, first = np.unique(market.advertiser[order], return_index=True)
    best: Longs = np.sort(order[first])
    return best


def _chance(market: Live, rows: Longs, clicks: Floats) -> Floats:
    """Return the chance that a view brings what is paid for."""
    pays = market.pays[rows]
    return np.where(pays == CLICK, clicks, np.where(pays == WATCH, WATCHED, 1.0))


def _auction(
    market: Live, rows: Longs, chance: Floats, *, slots: int, rules: AdRules, tier: int, rng: Dice
) -> list[Won]:
    bids = Bids(market.bid[rows], chance, np.ones(len(rows)), market.pace[rows])
    if tier != AUCTION:  # at their own price, and the tenant's own for nothing
        won = auction(bids, slots=slots, reserve=0)
        return [each._replace(price=int(bids.bid[each.place])) for each in won]
    return auction(bids, slots=slots, reserve=rules.reserve, explore=EXPLORED, rng=rng)


def _reserved(page: Page, card: Card, terms: Terms, *, behind: int, waits: bool, at: datetime) -> Offered | None:
    """Reserve the price and write the offer; None when there is nothing left for it, or one does not wait for it."""
    offered = Offered(uuid4(), at + LIFE)
    with planned() as cursor:
        cursor.execute(
            WAITING if waits else PASSING,
            {
                **terms._asdict(),
                "tenant": current_tenant_id(),
                "public": offered.id,
                "campaign": card.campaign,
                "flight": card.flight,
                "creative": card.creative,
                "viewer": page.shown_to,
                "item": page.items[behind - page.first - 1],
                "placement": page.placement,
                "session": page.session,
                "position": behind,
                "at": at,
                "until": offered.expires_at,
            },
        )
        return offered if cursor.rowcount == 1 else None
