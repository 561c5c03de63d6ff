"""An advertiser with a campaign that is live, with the least said. Call inside a scope."""

from datetime import datetime, timedelta
from typing import Any

from billing import operations as billing
from billing.ads import operations
from billing.ads.models import (
    Advertiser,
    Anomaly,
    Campaign,
    ChanceModel,
    Creative,
    Flight,
    FlightDay,
    LoadChange,
    LoadTrial,
    LoadViewer,
    MakeGood,
    Offer,
    OfferDay,
    PlaceCount,
    Share,
    ShareBack,
    Sharing,
)
from billing.ads.operations import Caps, Page, Placed, Told, token_of
from billing.ads.operations.counting import note_places
from billing.ads.serving.live import forget
from billing.money import Money
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.conftest import NOON

DAY = timedelta(days=1)
OFTEN = Caps(100, 100, 100)
SEEN = {"kind": "view", "share": 1.0, "ms": 5_000}


def advertiser(*, balance: int = 100_000, name: str = "Piano House") -> Advertiser:
    """Return one who has paid in so many minor units."""
    made = operations.advertise(member=make.member(), name=name, at=NOON)
    if balance:
        paid_in(made, balance)
    return made


def paid_in(who: Advertiser, minor: int, key: str = "top-up") -> None:
    order = operations.top_up(advertiser=who, by=who.member, amount=yuan(minor), key=key, at=NOON)
    billing.capture(payment=shop.payment_of(order), reference=f"co-{order.pk}", at=NOON)


def flight(who: Advertiser | None = None, *, caps: Caps = OFTEN, shuns: tuple[str, ...] = (), **said: Any) -> Flight:
    """Return a drafted campaign's flight: 100 yuan, 20 yuan for a thousand views, for the day from noon on."""
    who = who or advertiser()
    tier = said.pop("tier", Campaign.Tier.AUCTION)
    staff = make.member(Member.Role.STAFF)
    campaign = operations.draft_campaign(
        advertiser=who, by=staff, name="Spring", tier=tier, currency="CNY", starts_at=NOON, ends_at=NOON + DAY,
        caps=caps, shuns=shuns, at=NOON,
    )  # fmt: skip
    usual: dict[str, Any] = {"name": "all", "budget": 10_000, "bid": 2_000, "is_even": False}
    return operations.add_flight(campaign=campaign, by=staff, at=NOON, **usual | said)


def creative(of: Flight, **said: Any) -> Creative:
    """Return an approved card."""
    staff = make.member(Member.Role.STAFF)
    usual = {"format": "card", "title": "Pianos", "link_url": "https://piano.example/"}
    made = operations.add_creative(flight=of, by=staff, at=NOON, **usual | said)
    return operations.approve_creative(creative=made, by=staff, at=NOON)


def live(who: Advertiser | None = None, **said: Any) -> Flight:
    """Return a flight of a campaign that is launched."""
    shown = said.pop("creative", {})
    made = flight(who, **said)
    creative(made, **shown)
    operations.launch(campaign=made.campaign, by=made.campaign.advertiser.member, at=NOON)
    forget()
    return made


def page(viewer: Member, *, session: str = "s", first: int = 0, size: int = 6, **said: Any) -> Page:
    """Return a page of items of whom nothing is said."""
    return Page(viewer=viewer, session=session, first=first, items=[None] * size, **said)


def shown(viewer: Member, *, at: datetime = NOON, **said: Any) -> list[Placed]:
    return operations.place_ads(page=page(viewer, **said), at=at)


def told(viewer: Member, placed: Placed, at: datetime, kind: str = "view") -> Any:
    said = SEEN if kind == "view" else {"kind": kind}
    return operations.report_ad_event(viewer=viewer, told=Told(token_of(placed), **said), at=at)


def money(name: Any) -> int:
    balance: Money = name.balance
    return balance.minor


def taken_back(of: Flight, share: Share, *, by: Member) -> None:
    """Let staff find that two who were billed are no viewers, and write that a unit came back of the share."""
    offers = list(Offer.objects.filter(flight=of, billed_at__isnull=False).order_by("pk")[:2])
    found: dict[str, Any] = {"campaign": of.campaign, "offers": offers, "by": by, "note": "A farm.", "key": "invalid"}
    credit = operations.find_invalid(**found, at=NOON + 4 * DAY)
    assert credit is not None
    ShareBack.objects.create(credit=credit, share=share, amount=1)


def stated(*, at: datetime) -> None:
    """Tell advertisers what they used in the month that was closed."""
    operations.state_use_next(at=at)


def watched(of: Flight) -> None:
    """Leave an odd day of a flight, and a make-good that waits to be decided on."""
    counts = {"offers": 4, "views": 3, "clicks": 0, "held": 1, "billed": 3, "spent": 0}
    day = FlightDay.objects.create(flight=of, day=NOON.date(), made_at=NOON, **counts)
    likely = {"seen": 3, "expected": 30, "low": 20, "high": 40}
    Anomaly.objects.create(day=day, measure="views", reason="unknown", found_at=NOON, **likely)
    about = {"promised": 10_000, "delivered": 6, "days": 3, "amount": 1}
    MakeGood.objects.create(flight=of, until=of.ends_at, proposed_at=NOON, **about)


def tried(*, by: Member) -> None:
    """Leave a trial of loads that is over, a viewer who was dealt to it, and the load that was adopted."""
    told = {"name": "Fewer", "loads": [6, 12], "shares_bps": [5_000, 5_000], "floor_bps": 500, "made_by": by}
    over = {"ended_at": NOON, "ended_by": by, "why": "Enough."}
    trial = LoadTrial.objects.create(**told, **over, made_at=NOON, starts_at=NOON, ends_at=NOON + 14 * DAY)
    LoadViewer.objects.create(trial=trial, viewer=make.member(), load=12, dealt_at=NOON)
    LoadChange.objects.create(trial=trial, load=12, before=6, by=by, changed_at=NOON)


def counted(of: Flight, *, by: Member) -> None:
    """Leave a day of offers that is summed up, a place that found no ad, and rules that were changed."""
    then = NOON - 2 * DAY  # before all that is offered here
    ends = {"day": then.date(), "starts_at": then, "ends_at": then + DAY}
    OfferDay.objects.create(flight=of, **ends, offers=1, views=0, clicks=0, held=0, billed=0, spent=0)
    note_places({PlaceCount.Outcome.CAPPED: 1}, placement="feed", at=NOON)
    operations.change_ad_rules(changes={"every": 6, "click_ms": 299}, by=by, at=NOON)


def everything(creator: Creator, *, by: Member) -> None:
    """Fill the tenant with one of everything about ads: seen and charged, shared, credited, held."""
    made = live(advertiser(name="Piano House"), tier=Campaign.Tier.SPONSORSHIP)
    for number in range(4):
        viewer = make.member()
        (placed,) = shown(viewer)
        told(viewer, placed, NOON + timedelta(seconds=5 * number))  # the first one sooner than anybody can see
    operations.charge_next(at=NOON)
    operations.share_next(at=NOON + 4 * DAY)
    credit: dict[str, Any] = {"amount": 1, "reason": "make_good", "note": "Less was shown.", "key": "credit"}
    operations.credit_advertiser(campaign=made.campaign, by=by, at=NOON, **credit)
    share = Share.objects.create(sharing=Sharing.objects.get(), creator=creator, views=0, amount=0)
    taken_back(made, share, by=by)
    watched(made)
    tried(by=by)
    counted(made, by=by)
    rates = {"offset": 0.0, "slope": 1.0, "taste": 0.0, "everyone": 0.01}
    ChanceModel.objects.create(**rates, views=1, judged_views=1, fitted_at=NOON)
