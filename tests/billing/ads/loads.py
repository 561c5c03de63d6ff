"""Loads of ads that are tried, with the least said. Call inside a scope."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from billing.ads import operations
from billing.ads.models import Creative, LoadTrial, LoadViewer, Offer
from billing.ads.models.campaigns import MICROS
from billing.ads.serving.live import forget
from billing.ads.serving.loads import load_dealt
from billing.models import Order, OrderLine
from catalog.models import Item, Watch
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads.adverts import DAY
from tests.conftest import NOON

HALVES = (5_000, 5_000)


def tried(*loads: int, shares: Sequence[int] = HALVES, days: int = 28, at: datetime = NOON, **said: Any) -> LoadTrial:
    """Return a trial of these loads that has begun, each for half of the viewers."""
    told: dict[str, Any] = {"by": make.member(Member.Role.STAFF), "name": "Fewer", "floor_bps": 500, "starts_at": at}
    trial = operations.try_loads(loads=loads, shares=shares, ends_at=at + days * DAY, at=at, **told | said)
    forget()
    return trial


def viewer_of(trial: LoadTrial, load: int | None, **said: Any) -> Member:
    """Return a new member who is dealt to the arm; None: to none."""
    for _ in range(99):
        member = make.member(**said)
        if load_dealt(trial, viewer_id=member.pk) == load:
            return member
    raise AssertionError(f"Nobody of 99 was dealt to {load}.")


def lived(
    trial: LoadTrial, load: int, *, viewers: int, days: int, ads: int, other: int, creative: Creative, item: Item
) -> None:
    """Leave viewers who were dealt a load at noon: half of them there on a day more than the other half.

    Each has brought so many minor units by an ad, or nothing; and half of them have paid twice `other`.
    """
    who = Member.objects.bulk_create(Member(name=f"{load}.{number}") for number in range(viewers))
    LoadViewer.objects.bulk_create(LoadViewer(trial=trial, viewer=of, load=load, dealt_at=NOON) for of in who)
    seen = {"item": item, "watch_ms": 60_000, "duration_ms": 60_000, "source": "feed", "received_at": NOON}
    Watch.objects.bulk_create(
        Watch(event_id=uuid4(), viewer=of, started_at=NOON + day * DAY + timedelta(minutes=5), **seen)
        for number, of in enumerate(who)
        for day in range(days + number % 2)
    )
    if ads:
        _billed(who, creative, ads)
    paid = {"state": Order.State.PAID, "placed_at": NOON, "paid_at": NOON + DAY, "currency": "CNY", "amount": 2 * other}
    orders = Order.objects.bulk_create(Order(viewer=of, key="other", **paid) for of in who[::2])
    parts = {"amount": 2 * other, "tax": 0, "processor": 0, "platform": 0, "share": 2 * other}
    OrderLine.objects.bulk_create(OrderLine(order=of, item=item, creator=item.creator, **parts) for of in orders)


def _billed(who: Sequence[Member], creative: Creative, minor: int) -> None:
    flight = creative.flight
    said = {"placement": "feed", "session": "s", "position": 6, "expected": 0, "chance": 0, "rate": 0, "affinity": 0}
    when = {"offered_at": NOON, "expires_at": NOON, "viewed_at": NOON, "billed_at": NOON, "propensity": 1}
    of = {"campaign": flight.campaign, "flight": flight, "creative": creative, "price": minor * MICROS}
    Offer.objects.bulk_create(Offer(viewer=each, **of, **said, **when) for each in who)


def read(trial: LoadTrial, **arms: tuple[float, float, float]) -> LoadTrial:
    """Keep with a trial what 200,000 viewers of each arm have shown: days, and what they brought by ads and others.

    Arms are named by their load, such as `load_6`; the variances those of who is there on some days and seldom pays.
    """
    many = 200_000
    usual = {
        "viewers": many,
        "ads_payers": many // 2,
        "payers": many // 20,
        "covariance": 60.0,
        "minutes": [30.0, 400.0],
    }
    trial.figures = {"dealt": {}, "arms": {}}
    for name, (days, ads, other) in arms.items():
        load = name.removeprefix("load_")
        means = {"ads": [ads, ads * 10.0], "other": [other, 900.0], "total": [ads + other, 900.0 + ads * 10.0]}
        trial.figures["dealt"][load] = many
        trial.figures["arms"][load] = usual | {"days": [days, 4.0]} | means
    trial.read_at = NOON
    trial.save(update_fields=["figures", "read_at"])
    return trial
