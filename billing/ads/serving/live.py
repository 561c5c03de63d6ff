"""All live creatives of a tenant as columns, read again when something was changed; their paces every few seconds.

What is kept here decides who competes. What may be spent and seen is asked of the database when an offer is made.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from django.db.models import F, Q
from numpy.typing import NDArray

from billing.ads.market.board import Board
from billing.ads.market.chances import Chances, smoothed
from billing.ads.models import Campaign, CampaignChange, ChanceModel, Creative, Flight
from billing.ads.models.campaigns import MICROS
from kpplatform.tenancy.scope import current_tenant_id

Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Key = TypeVar("Key", int, str)

STALE_S = 2.0
EVERYONE = 0.01  # clicks a view, before any was counted
TIERS = {Campaign.Tier.SPONSORSHIP: 0, Campaign.Tier.AUCTION: 1, Campaign.Tier.HOUSE: 2}
EVENTS = {Flight.PaysFor.VIEWS: 0, Flight.PaysFor.CLICK: 1, Flight.PaysFor.WATCH: 2}
WATCHED = 0.3  # of those who see a video see it through, before any was counted


@dataclass(frozen=True)
class Card:
    """What a client shows."""

    creative: int
    flight: int
    campaign: int
    advertiser: int
    member: int
    format: str
    title: str
    text: str
    media_url: str
    link_url: str
    duration_ms: int | None
    topic: str
    by: str


@dataclass(frozen=True)
class Live:
    """N creatives that may compete. All columns are (N,), in the order in which the creatives were made."""

    newest: tuple[int, int]  # change and what was learned that are known
    read_at: float
    since: float  # when the first of the campaigns began
    cards: Sequence[Card]
    board: Board
    tier: Longs  # codes of TIERS
    pays: Longs  # codes of EVENTS
    bid: Longs  # micros for the event that is paid for
    starts: Floats  # seconds since the epoch
    ends: Floats
    caps: Longs  # (N, 3): a day, a session, in all
    rate: Floats  # of clicks, smoothed
    pace: Floats
    is_open: Flags  # there is something left to spend now
    chances: Chances

    def __len__(self) -> int:
        return len(self.cards)

    @cached_property
    def advertiser(self) -> Longs:
        return np.array([card.advertiser for card in self.cards], np.int64)

    @cached_property
    def of_campaign(self) -> Mapping[int, Longs]:
        """Return where the creatives of a campaign stand."""
        return _places(card.campaign for card in self.cards)

    @cached_property
    def of_member(self) -> Mapping[int, Longs]:
        """Return where the creatives of who advertises stand."""
        return _places(card.member for card in self.cards)

    @cached_property
    def of_topic(self) -> Mapping[str, Longs]:
        """Return which creatives are about a topic."""
        return _places(card.topic for card in self.cards)

    def affinity(self, tastes: Mapping[str, float]) -> Floats:
        """Return the viewer's taste for each creative's topic (N,); one half where either is not told."""
        told = np.full(len(self), 0.5)
        for topic, taste in tastes.items():
            if topic and (places := self.of_topic.get(topic)) is not None:
                told[places] = taste
        return told

    def is_on(self, at: datetime) -> Flags:
        """Return whose time it is (N,)."""
        now = at.timestamp()
        return (self.starts <= now) & (now < self.ends) & self.is_open


_kept: dict[int, Live] = {}
_lock = threading.Lock()


def live() -> Live:
    """Return what competes in the scope's tenant."""
    known = _kept.get(current_tenant_id())
    if known and time.monotonic() - known.read_at < STALE_S:
        return known
    newest = _newest(CampaignChange), _newest(ChanceModel)
    found = _paced(known) if known and known.newest == newest else _read(newest)
    with _lock:
        _kept[current_tenant_id()] = found
    return found


def forget() -> None:
    """Keep nothing (between tests)."""
    _kept.clear()


def _paced(known: Live) -> Live:
    """Return the same creatives with the paces of now."""
    numbers = {pk: (pace, is_open) for pk, pace, is_open in _flights().values_list("pk", "pace", "is_open")}
    told = [numbers.get(card.flight, (1.0, False)) for card in known.cards]
    pace, is_open = zip(*told, strict=True) if told else ((), ())
    return replace(
        known, read_at=time.monotonic(), pace=np.array(pace, np.float64), is_open=np.array(is_open, np.bool_)
    )


def _flights() -> Any:
    """Return the flights of live campaigns, and whether each has something left to spend now."""
    of_live = Flight.objects.filter(campaign__state=Campaign.State.LIVE)
    has_left = Q(campaign__tier=Campaign.Tier.HOUSE) | (
        Q(budget__gt=(F("reserved") + F("spent")) / MICROS)
        & (Q(ceiling=None) | Q(ceiling__gt=F("expected") + F("spent")))
    )
    return of_live.annotate(is_open=has_left)


def _newest(of: type[CampaignChange | ChanceModel]) -> int:
    return of.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _read(newest: tuple[int, int]) -> Live:
    of_live = Creative.objects.filter(
        state=Creative.State.APPROVED,
        flight__campaign__state=Campaign.State.LIVE,
        flight__campaign__advertiser__blocked_at=None,
    )
    rows = list(of_live.select_related("flight__campaign__advertiser", "topic").order_by("pk"))
    numbers = dict(_flights().values_list("pk", "is_open"))
    flights = [row.flight for row in rows]
    model = ChanceModel.objects.order_by("-fitted_at", "-pk").first()
    return Live(
        newest=newest,
        read_at=time.monotonic(),
        since=min((flight.campaign.starts_at.timestamp() for flight in flights), default=0.0),
        cards=[_card(row) for row in rows],
        board=_board(flights),
        tier=_longs(TIERS[Campaign.Tier(flight.campaign.tier)] for flight in flights),
        pays=_longs(EVENTS[Flight.PaysFor(flight.pays_for)] for flight in flights),
        bid=_longs(flight.micros for flight in flights),
        starts=np.array([flight.starts_at.timestamp() for flight in flights]),
        ends=np.array([flight.ends_at.timestamp() for flight in flights]),
        caps=np.array([_caps(flight.campaign) for flight in flights], np.int64).reshape(-1, 3),
        rate=smoothed(
            _longs(row.clicks for row in rows),
            _longs(row.views for row in rows),
            everyone=model.everyone if model else EVERYONE,
        ),
        pace=np.array([flight.pace for flight in flights]),
        is_open=np.array([numbers.get(flight.pk, False) for flight in flights], np.bool_),
        chances=Chances(model.offset, model.slope, model.taste) if model else Chances(),
    )


def _card(row: Creative) -> Card:
    campaign = row.flight.campaign
    return Card(
        creative=row.pk,
        flight=row.flight_id,
        campaign=campaign.pk,
        advertiser=campaign.advertiser_id,
        member=campaign.advertiser.member_id,
        format=row.format,
        title=row.title,
        text=row.text,
        media_url=row.media_url,
        link_url=row.link_url,
        duration_ms=row.duration_ms,
        topic=row.topic.slug if row.topic else "",
        by=campaign.advertiser.name,
    )


def _board(flights: Sequence[Flight]) -> Board:
    wants: dict[str, list[set[Any]]] = {
        "placement": [set(flight.placements) for flight in flights],
        "topic": [set(flight.topics) for flight in flights],
        "segment": [set(flight.segments) for flight in flights],
        "language": [set(flight.languages) for flight in flights],
        "device": [set(flight.devices) for flight in flights],
        "hour": [set(flight.hours) for flight in flights],
    }
    return Board.of(wants, {"topic": [set(flight.campaign.shuns) for flight in flights]})


def _caps(campaign: Campaign) -> tuple[int, int, int]:
    return campaign.per_day, campaign.per_session, campaign.per_viewer


def _places(keys: Iterable[Key]) -> dict[Key, Longs]:
    found: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return {key: np.array(places, np.int64) for key, places in found.items()}


def _longs(values: Iterable[int]) -> Longs:
    return np.fromiter(values, np.int64)
