"""Each day of a flight is counted once; what the days before do not make likely is noted, with a reason."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.ads import operations
from billing.ads.models import Anomaly, CampaignChange, Creative, Flight, FlightDay, Offer
from billing.ads.operations import Caps
from billing.ads.operations.watching import look_back
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
FIRST = date(2026, 5, 2)  # the first whole day
OF_DAY = {"clicks": 3, "held": 0, "billed": 100, "spent": 50_000_000}
Reason = Anomaly.Reason


def lasting(**said: Any) -> Flight:
    """Return a flight that is on for a month."""
    flight = adverts.live(**said)
    flight.campaign.ends_at = flight.ends_at = NOON + 30 * DAY
    flight.campaign.save()
    flight.save()
    return flight


def days(flight: Flight, *, many: int = 6, views: int = 100) -> date:
    """Write down that so many days were alike, and return the day after."""
    for number in range(many):
        told = {"flight": flight, "day": FIRST + timedelta(days=number), "offers": 125, "views": views, **OF_DAY}
        FlightDay.objects.create(**told, made_at=NOON)
    return FIRST + timedelta(days=many)


def offered(flight: Flight, day: date, many: int, *, seen: int, odd: int = 0) -> None:
    """Write down offers of a day, of which so many were seen, and the first so many looked odd."""
    at = datetime.combine(day, NOON.timetz())
    creative, viewer = Creative.objects.get(flight=flight), make.member()
    usual = {"price": 500_000, "expected": 0, "chance": 0.1, "rate": 0.1, "affinity": 0.5, "propensity": 1.0}
    Offer.objects.bulk_create(
        Offer(
            campaign=flight.campaign, flight=flight, creative=creative, viewer=viewer, placement="feed", session="s",
            position=6, offered_at=at, expires_at=at, viewed_at=at if number < seen else None,
            billed_at=at if number < seen and number >= odd else None, lapsed_at=at if number >= seen else None,
            clicked_at=at if number < 3 else None, odd="too_soon" if number < odd else "", **usual,
        )
        for number in range(many)
    )  # fmt: skip


def found() -> list[tuple[str, str]]:
    return list(Anomaly.objects.order_by("measure").values_list("measure", "reason"))


def test_a_day_is_counted_from_its_offers_once() -> None:
    flight = lasting()
    offered(flight, FIRST, 10, seen=8, odd=1)
    at = datetime.combine(FIRST + timedelta(days=1), NOON.timetz())

    assert [operations.look_back_next(at=at) for _ in range(2)] == [1, 0]

    told = FlightDay.objects.values_list("day", "offers", "views", "clicks", "held", "billed", "spent").get()
    assert told == (FIRST, 10, 7, 2, 1, 7, 3_500_000)


def test_a_likely_day_is_no_news() -> None:
    flight = lasting()
    day = days(flight)
    offered(flight, day, 125, seen=110)

    look_back(day=day, at=NOON)

    assert FlightDay.objects.filter(day=day).exists()
    assert found() == []


def test_a_day_of_few_views_is_odd_and_no_cause_is_known() -> None:
    """125 of 125 were offered, 40 seen: views, spend and the share that was seen are too little."""
    flight = lasting()
    day = days(flight)
    offered(flight, day, 125, seen=40)

    look_back(day=day, at=NOON)

    assert found() == [("fill", Reason.UNKNOWN), ("spend", Reason.UNKNOWN), ("views", Reason.UNKNOWN)]
    views = Anomaly.objects.get(measure="views")
    assert (views.seen, views.expected, views.low, views.high) == (40, 100, 70, 130)


@pytest.mark.parametrize(
    ("many", "odd", "change", "reason"),
    [
        (10, 0, "paused", Reason.PAUSED),
        (40, 0, "creative 7 withdrawn", Reason.CHANGED),
        (60, 30, "", Reason.HELD),
        (10, 0, "", Reason.TOGETHER),
    ],
)
def test_the_surest_reason_is_named(many: int, odd: int, change: str, reason: str) -> None:
    flight = lasting()
    day = days(flight)
    offered(flight, day, many, seen=many, odd=odd)
    if change:
        at = datetime.combine(day, NOON.timetz())
        CampaignChange.objects.create(campaign=flight.campaign, what=change, changed_at=at)

    look_back(day=day, at=NOON)

    assert Anomaly.objects.get(measure="views").reason == reason


def test_a_day_on_which_it_was_not_on_all_the_time_is_not_judged() -> None:
    flight = adverts.live()  # from noon to noon
    offered(flight, NOON.date(), 5, seen=5)

    assert operations.look_back_next(at=NOON + 3 * DAY) == 0


def test_staff_explain_it_and_the_advertiser_reads_it() -> None:
    flight = lasting(caps=Caps())
    day = days(flight)
    offered(flight, day, 125, seen=40)
    look_back(day=day, at=NOON)
    staff, own = make.client(make.member(Member.Role.STAFF)), make.client(flight.campaign.advertiser.member)

    listed = own.get("/api/v1/ad-anomalies/").json()["results"]
    explain = f"/api/v1/ad-anomalies/{listed[0]['id']}/explain/"

    assert own.post(explain, {"note": "So what."}).status_code == 403
    assert staff.post(explain, {"note": "A holiday."}).json()["note"] == "A holiday."
    assert staff.post(explain, {"note": "Again."}).json()["code"] == "nothing_to_decide"
    assert len(own.get("/api/v1/ad-days/").json()["results"]) == 7
    assert make.client(make.member()).get("/api/v1/ad-anomalies/").json()["results"] == []
