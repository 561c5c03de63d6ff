"""Ads of the demo: advertisers who paid in, campaigns that run, and what of them was seen in the last days."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from billing import operations as billing
from billing.ads import operations as ads
from billing.ads.models import Advertiser, Campaign, Flight
from billing.ads.operations import Page, Placed, Told, token_of
from billing.models import Payment
from billing.money import Money
from catalog.models import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
DAYS = 5
# Paid in so long ago that it is in no report which is still compared: no provider knows of it.
PAID_BEFORE, RUNS_ON = 10 * DAY, 30 * DAY
BALANCE, BUDGET = 300_000, 80_000  # minor units
MOST_PAGES, VIEWERS_A_PAGE, PLACES = 48, 25, 20
CLICKED, WATCHED = 0.08, 0.4
LEAST_VIEWERS = 20


@dataclass(frozen=True)
class Ad:
    """A campaign with one flight and one creative."""

    title: str
    text: str
    format: str
    pays_for: str = Flight.PaysFor.VIEWS
    bid: int = 6_000
    tier: str = Campaign.Tier.AUCTION
    more: dict[str, Any] = field(default_factory=dict)


FILM = {"media_url": "https://ads.example/film.mp4", "duration_ms": 15_000}
PICTURE = {"media_url": "https://ads.example/picture.jpg"}
SPONSORSHIP, HOUSE = Campaign.Tier.SPONSORSHIP, Campaign.Tier.HOUSE
# By advertiser. The last is the tenant itself, which pays nothing.
ADS: dict[str, tuple[Ad, ...]] = {
    "知音琴行 Piano House": (
        Ad("春季钢琴节 Piano spring", "免费试弹 Try one for free.", "video", bid=20_000, tier=SPONSORSHIP, more=FILM),
        Ad("旧琴换新 Trade yours in", "上门估价 We come and see.", "image", Flight.PaysFor.CLICK, 300, more=PICTURE),
    ),
    "山野户外 Trail Outdoor": (
        Ad("轻装出发 Travel light", "帐篷八折 Tents for less.", "card", bid=8_000),
        Ad("三日徒步 Three days out", "看完整路线 See all of it.", "video", Flight.PaysFor.WATCH, 60, more=FILM),
    ),
    "": (Ad("成为创作者 Become a creator", "在这里开课 Teach here.", "card", bid=0, tier=HOUSE),),
}


def advertise(*, ends_at: datetime, seed: int = 1) -> None:
    """Let advertisers of the scope's tenant pay in and be seen for the days before a midnight.

    Nothing is done where nobody is there to see it.
    """
    viewers = list(Member.objects.filter(role=Member.Role.VIEWER).order_by("pk")[: MOST_PAGES * VIEWERS_A_PAGE])
    items = list(Item.objects.filter(kind=Item.Kind.VIDEO).order_by("pk").values_list("pk", flat=True)[:400])
    if len(viewers) < LEAST_VIEWERS or len(items) < PLACES:
        return
    rng = random.Random(seed)
    staff = Member.objects.filter(role=Member.Role.ADMIN).order_by("pk")[0]
    acting = [*reversed(viewers[-len(ADS) + 1 :]), staff]  # who joined last advertises first
    for member, (name, campaigns) in zip(acting, ADS.items(), strict=True):
        _set_up(member, name, campaigns, staff, ends_at)
    pages = min(MOST_PAGES, len(viewers) // VIEWERS_A_PAGE + 2)
    for day in range(DAYS):
        begins = ends_at - (DAYS - day) * DAY
        for number in range(pages):
            _see(rng.choice(viewers), items, begins + (number + 1) * DAY / (pages + 2), rng, is_hasty=day == number)
        _close(begins + DAY - 60 * SECOND)
    ads.learn_clicks(at=ends_at)


def _set_up(member: Member, name: str, campaigns: Sequence[Ad], staff: Member, ends_at: datetime) -> None:
    """Let a member pay in, and launch the campaigns."""
    begins, starts_at = ends_at - PAID_BEFORE, ends_at - DAYS * DAY
    who = ads.advertise(member=member, name=name or current_tenant().name, at=begins)
    if name:
        money = Money(BALANCE, current_tenant().currency)
        order = ads.top_up(advertiser=who, by=member, amount=money, key="demo", at=begins)
        billing.capture(payment=Payment.objects.get(order=order), reference=f"demo-{order.pk}", at=begins)
    for ad in campaigns:
        _launch(who, ad, staff, (starts_at, ends_at + RUNS_ON), begins)


def _launch(who: Advertiser, ad: Ad, staff: Member, span: tuple[datetime, datetime], at: datetime) -> None:
    when: dict[str, Any] = dict(zip(("starts_at", "ends_at"), span, strict=True))
    campaign = ads.draft_campaign(
        advertiser=who, by=staff, name=ad.title, tier=ad.tier, currency=current_tenant().currency, at=at, **when
    )
    paid: dict[str, Any] = {
        "budget": BUDGET if campaign.is_paid else 0,
        "bid": ad.bid,
        "pays_for": ad.pays_for,
        "is_even": False,
    }
    flight = ads.add_flight(campaign=campaign, by=staff, name="全部 All", at=at, **paid)
    about = {"format": ad.format, "title": ad.title, "text": ad.text, "link_url": "https://ads.example/", **ad.more}
    creative = ads.add_creative(flight=flight, by=staff, at=at, **about)
    ads.approve_creative(creative=creative, by=staff, at=at)
    ads.launch(campaign=campaign, by=staff, at=at)


def _see(viewer: Member, items: Sequence[int], at: datetime, rng: random.Random, *, is_hasty: bool) -> None:
    """Show somebody a page and tell what they saw; who is hasty sees it sooner than anybody can."""
    shown = Page(viewer=viewer, session=f"{viewer.pk:016d}{at:%d%H%M}", first=0, items=rng.sample(items, PLACES))
    for placed in ads.place_ads(page=shown, at=at, rng=rng):
        seen_at = at if is_hasty else at + rng.randint(4, 40) * SECOND
        _tell(viewer, placed, "view", seen_at)
        if placed.card.duration_ms and not is_hasty and rng.random() < WATCHED:
            _tell(viewer, placed, "watch", seen_at + placed.card.duration_ms * SECOND / 1_000)
        if rng.random() < CLICKED:
            _tell(viewer, placed, "click", seen_at + 20 * SECOND)


def _tell(viewer: Member, placed: Placed, kind: str, at: datetime) -> None:
    said: dict[str, Any] = {"share": 1.0, "ms": 5_000} if kind == "view" else {}
    ads.report_ad_event(viewer=viewer, told=Told(token_of(placed), kind, **said), at=at)


def _close(at: datetime) -> None:
    """Do what the clock does for ads, at the end of a day."""
    for step in (ads.lapse_offers, ads.charge_next, ads.share_next, ads.look_back_next):
        while step(at=at):
            pass
