"""All live creatives of a tenant as columns, read again when something was changed; paces and loads every few seconds.

What is kept here decides who competes. What may be spent and seen is asked of the database when an offer is made.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import numpy as np
from django.db import DatabaseError, connection, transaction
from numpy.typing import NDArray

from billing.ads.market.board import Board
from billing.ads.market.chances import Chances, smoothed
from billing.ads.models import Campaign, CampaignChange, ChanceModel, Creative, Flight, LoadTrial
from billing.ads.models.campaigns import micros_of
from billing.ads.serving.loads import trial_of_loads
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import current_tenant, current_tenant_id, scope

Longs = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Key = TypeVar("Key", int, str)

STALE_S = 2.0
log = logging.getLogger(__name__)
EVERYONE = 0.01  # clicks a view, before any was counted
TIERS: Mapping[str, int] = {Campaign.Tier.SPONSORSHIP: 0, Campaign.Tier.AUCTION: 1, Campaign.Tier.HOUSE: 2}
EVENTS: Mapping[str, int] = {Flight.PaysFor.VIEWS: 0, Flight.PaysFor.CLICK: 1, Flight.PaysFor.WATCH: 2}
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
    topic: str | None
    by: str


@dataclass(frozen=True)
class Live:
    """N creatives that may compete. All columns are (N,), in the order in which the creatives were made."""

    newest: tuple[int, ...]  # what was learned, and the changes that are known
    read_at: float
    since: float  # when the first of the campaigns began
    cards: Sequence[Card]
    board: Board
    tier: Longs  # codes of TIERS
    pays: Longs  # codes of EVENTS
    asked: Longs  # micros for the event that is paid for
    bid: Longs  # of them, what there is money left for now
    starts: Floats  # seconds since the epoch
    ends: Floats
    caps: Longs  # (N, 3): a day, a session, in all
    rate: Floats  # of clicks, smoothed
    pace: Floats
    is_open: Flags  # there is something left to spend now, and it is not ahead of its plan
    chances: Chances
    flight: Longs
    advertiser: Longs
    of_campaign: Mapping[int, Sequence[int]]  # where its creatives stand
    of_member: Mapping[int, Sequence[int]]  # where those of who advertises do
    of_topic: Mapping[str, Longs]  # where those about it do
    trial: LoadTrial | None  # of how many ads stand in the feed

    def __len__(self) -> int:
        return len(self.cards)

    def affinity(self, tastes: Mapping[str, float]) -> Floats:
        """Return the viewer's taste for each creative's topic (N,); one half where either is not told."""
        told = np.full(len(self), 0.5)
        for topic, taste in tastes.items():
            if (places := self.of_topic.get(topic)) is not None:
                told[places] = taste
        return told

    def is_in_time(self, at: datetime) -> Flags:
        """Return whose time it is (N,)."""
        now = at.timestamp()
        return (self.starts <= now) & (now < self.ends)


# What of a live campaign's flights changes with each offer, in one row: 10,000 flights are read in a few milliseconds.
# What is left of the tenant's own is without end: they cost nothing.
FLIGHTS = """
SELECT array_to_string(array_agg(f.id ORDER BY f.id), ','), array_to_string(array_agg(f.pace ORDER BY f.id), ','),
       array_to_string(array_agg(
           CASE WHEN c.tier = 'house' THEN 4611686018427387904 WHEN f.ceiling <= f.expected + f.spent THEN 0
                ELSE greatest(least(f.budget * 1000000, f.tonight) - f.reserved - f.spent, 0) END
           ORDER BY f.id), ',')
FROM ads_flight f JOIN ads_campaign c ON c.tenant_id = %(tenant)s AND c.id = f.campaign_id AND c.state = 'live'
WHERE f.tenant_id = %(tenant)s
"""
NOTED = 20  # changes: one of several at once may be seen later than those after it
CARD = {
    "creative": "pk",
    "flight": "flight_id",
    "campaign": "flight__campaign_id",
    "advertiser": "flight__campaign__advertiser_id",
    "member": "flight__campaign__advertiser__member_id",
    **{name: name for name in ("format", "title", "text", "media_url", "link_url", "duration_ms")},
    "topic": "topic__slug",
    "by": "flight__campaign__advertiser__name",
}
WANTS = {"placement": "placements", "topic": "topics", "segment": "segments", "language": "languages"}
WANTS |= {"device": "devices", "hour": "hours", "country": "countries"}
OF_FLIGHT = ("pays_for", "bid", "starts_at", "ends_at", *WANTS.values())
OF_CAMPAIGN = ("tier", "starts_at", "per_day", "per_session", "per_viewer", "shuns")
OTHERS = ("views", "clicks", *(f"flight__{name}" for name in OF_FLIGHT))
OTHERS = (*OTHERS, *(f"flight__campaign__{name}" for name in OF_CAMPAIGN))

_kept: dict[int, Live] = {}
_reading: set[int] = set()
_lock = threading.Lock()


def live() -> Live:
    """Return what competes in the scope's tenant.

    What is older than a few seconds is read again behind the request, once it has come to its end: nobody waits for
    it but the first.
    """
    known = _kept.get(current_tenant_id())
    if known is None:
        return _refreshed(None)
    if time.monotonic() - known.read_at >= STALE_S:
        transaction.on_commit(partial(_read_behind, current_tenant()))
    return known


def forget() -> None:
    """Keep nothing (between tests)."""
    _kept.clear()


def _read_behind(tenant: Tenant) -> None:
    """Read in a thread of its own what competes, unless one is at it."""
    with _lock:
        if tenant.pk in _reading:
            return
        _reading.add(tenant.pk)
    threading.Thread(target=_read_in, args=(tenant,), name=f"ads of {tenant.pk}", daemon=True).start()


def _read_in(tenant: Tenant) -> None:
    try:
        with scope(tenant):
            _refreshed(_kept.get(tenant.pk))
    except DatabaseError:
        log.exception("what competes for ads is not read")
    finally:
        _reading.discard(tenant.pk)
        connection.close()


def _refreshed(known: Live | None) -> Live:
    newest = _newest()
    known = known if known and known.newest == newest else _read(newest)
    found = replace(_paced(known), trial=trial_of_loads())
    _kept[current_tenant_id()] = found
    return found


def _newest() -> tuple[int, ...]:
    """Return what was changed and learned last, of what is live or becomes so: drafts wait until they are launched."""
    changes = CampaignChange.objects.exclude(what="drafted").exclude(what__endswith=" added").order_by("-pk")
    return (
        ChanceModel.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
        *changes.values_list("pk", flat=True)[:NOTED],
    )


def _paced(known: Live) -> Live:
    """Return the same creatives with the paces of now.

    Nobody bids more than there is left: who wins and cannot pay would keep the place from those who can. What has a
    price of its own, outside of the auction, is not sold for less.
    """
    with connection.cursor() as cursor:
        cursor.execute(FLIGHTS, {"tenant": current_tenant_id()})
        flights, paces, rests = (told or "" for told in cursor.fetchone())
    keys, rest = (np.fromstring(told, np.int64, sep=",") for told in (flights, rests))
    if not len(keys) or not len(known):
        return replace(known, read_at=time.monotonic(), is_open=np.zeros(len(known), np.bool_))
    place = np.minimum(np.searchsorted(keys, known.flight), len(keys) - 1)
    pace, left = np.fromstring(paces, np.float64, sep=",")[place], rest[place] * (keys[place] == known.flight)
    least = np.where(known.tier == TIERS[Campaign.Tier.AUCTION], 1, np.maximum(known.asked, 1))
    bid = np.minimum(known.asked, left)
    return replace(known, read_at=time.monotonic(), bid=bid, is_open=left >= least, pace=pace)


def _read(newest: tuple[int, ...]) -> Live:
    of_live = Creative.objects.filter(
        state=Creative.State.APPROVED,
        flight__campaign__state=Campaign.State.LIVE,
        flight__campaign__advertiser__blocked_at=None,
    ).order_by("pk")
    rows = list(of_live.values_list(*CARD.values(), *OTHERS))
    cards = [Card(*row[: len(CARD)]) for row in rows]
    told = dict(zip(OTHERS, list(zip(*rows, strict=True))[len(CARD) :] or [()] * len(OTHERS), strict=True))
    of_flight = {name: told[f"flight__{name}"] for name in OF_FLIGHT}
    of_campaign = {name: told[f"flight__campaign__{name}"] for name in OF_CAMPAIGN}
    model = ChanceModel.objects.order_by("-fitted_at", "-pk").first()
    caps = [of_campaign[name] for name in ("per_day", "per_session", "per_viewer")]
    return Live(
        newest=newest,
        read_at=time.monotonic(),
        since=min((at.timestamp() for at in of_campaign["starts_at"]), default=0.0),
        cards=cards,
        board=Board.of({name: of_flight[of] for name, of in WANTS.items()}, {"topic": of_campaign["shuns"]}),
        tier=_longs(TIERS[tier] for tier in of_campaign["tier"]),
        pays=_longs(EVENTS[event] for event in of_flight["pays_for"]),
        asked=(bid := _longs(map(micros_of, of_flight["bid"], of_flight["pays_for"]))),
        bid=bid,
        starts=np.array([at.timestamp() for at in of_flight["starts_at"]], np.float64),
        ends=np.array([at.timestamp() for at in of_flight["ends_at"]], np.float64),
        caps=np.array(caps, np.int64).T.reshape(-1, 3),
        rate=smoothed(_longs(told["clicks"]), _longs(told["views"]), everyone=model.everyone if model else EVERYONE),
        pace=np.ones(len(cards)),
        is_open=np.zeros(len(cards), np.bool_),
        chances=Chances(model.offset, model.slope, model.taste) if model else Chances(),
        flight=_longs(card.flight for card in cards),
        advertiser=_longs(card.advertiser for card in cards),
        of_campaign=_places(card.campaign for card in cards),
        of_member=_places(card.member for card in cards),
        of_topic={of: np.array(at, np.int64) for of, at in _places(card.topic for card in cards).items()},
        trial=None,
    )


def _places(keys: Iterable[Key | None]) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = {}
    for place, key in enumerate(keys):
        if key is not None:
            found.setdefault(key, []).append(place)
    return found


def _longs(values: Iterable[int]) -> Longs:
    return np.fromiter(values, np.int64)
