"""What a flight has spent since the tenant's midnight, and what it was to have spent by now."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from billing.ads import operations
from billing.ads.models import Flight, PlaceCount
from billing.ads.operations.counting import note_places
from billing.ads.queries import traffic
from billing.ads.queries.traffic import Today, today_of
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
HOUR = timedelta(hours=1)
SHANGHAI, EVEN = ZoneInfo("Asia/Shanghai"), [1.0] * 24


def seen(many: int, *, hours: float) -> None:
    """Let so many see the ad, so many hours after noon in London: 20:00 in Shanghai."""
    for number in range(many):
        viewer, at = make.member(), NOON + timedelta(hours=hours)
        (placed,) = adverts.shown(viewer, session=f"{hours} {number}", at=at)
        adverts.told(viewer, placed, at + timedelta(seconds=5))


def today(flight: Flight, hours: float) -> Today:
    flight.refresh_from_db()
    return today_of(flight, traffic=EVEN, zone=SHANGHAI, at=NOON + timedelta(hours=hours))


def test_what_was_spent_today_begins_anew_at_the_tenants_midnight() -> None:
    """Three views at half a minor unit before midnight, one after it."""
    flight = adverts.live()
    seen(3, hours=1)
    assert today(flight, 3) == (1_500_000, None)
    assert today(flight, 4.5) == (0, None)

    seen(1, hours=4.5)

    assert today(flight, 5) == (500_000, None)
    assert flight.spent == 2_000_000


def test_what_is_written_down_after_midnight_of_the_day_before_takes_nothing_of_the_new_day(viewer: Member) -> None:
    """Of two views at once, the one of after midnight was faster."""
    flight = adverts.live()
    before, after = NOON + timedelta(hours=4, seconds=-1), NOON + timedelta(hours=4, seconds=1)
    (early,) = adverts.shown(viewer, at=before - timedelta(seconds=9))
    seen(2, hours=4)

    adverts.told(viewer, early, before)

    assert today(flight, 4.5) == (1_000_000, None)
    assert flight.spent == 1_500_000
    (late,) = adverts.shown(viewer, session="late", at=after)
    adverts.told(viewer, late, after + timedelta(seconds=9))
    assert today(flight, 4.5) == (1_500_000, None)


def test_what_staff_bill_after_all_is_of_the_day_on_which_they_do(viewer: Member) -> None:
    flight = adverts.live()
    (placed,) = adverts.shown(viewer)
    offer = adverts.told(viewer, placed, NOON)  # sooner than anybody sees
    staff = make.member(Member.Role.STAFF)

    operations.decide_on_offer(offer=offer, by=staff, is_valid=True, at=NOON + DAY)

    assert today(flight, 24) == (500_000, None)


def test_what_is_planned_by_now_is_of_today() -> None:
    """24 yuan from 20:00 to 20:00 are one an hour: two by 22:00, and of the day after one by 01:00."""
    flight = adverts.live(budget=2_400, is_even=True)

    assert today(flight, 2) == (0, 200_000_000)
    assert today(flight, 5) == (0, 100_000_000)
    flight.daily = 150
    flight.save()
    assert today(flight, 2) == (0, 150_000_000)


def test_viewers_come_as_places_are_asked_for_whether_an_ad_stands_there_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten an hour, and 30 at 20:00 a week ago. What is older, of this hour, or of who sees no ads counts not."""
    monkeypatch.setattr(traffic, "_traffic", {})
    at, outcome = NOON + HOUR / 2, PlaceCount.Outcome
    for hour in range(1, 25):
        asked = {outcome.FILLED: 4, outcome.CAPPED: 6, outcome.TIER: 9}
        note_places(asked, placement="feed", at=at - hour * HOUR)
    for then, places in ((at - 7 * DAY, 30), (at - 7 * DAY - HOUR, 99), (at, 99)):
        note_places({outcome.BUDGET: places}, placement="feed", at=then)

    found = traffic.traffic_of_day(at=at)

    assert found == [10 / 7] * 20 + [40 / 7] + [10 / 7] * 3


def test_a_tenants_second_day_is_planned_by_what_came_of_each_hour_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten an hour, for a day and a half: the hours that came twice are no busier."""
    monkeypatch.setattr(traffic, "_traffic", {})
    for hour in range(1, 37):
        note_places({PlaceCount.Outcome.FILLED: 10}, placement="feed", at=NOON + HOUR / 2 - hour * HOUR)

    assert traffic.traffic_of_day(at=NOON + HOUR / 2) == [10.0] * 24


def test_the_advertiser_reads_it() -> None:
    flight = adverts.live()
    client: APIClient = make.client(flight.campaign.advertiser.member)

    (told,) = client.get(f"/api/v1/ad-campaigns/{flight.campaign_id}/flights/").json()

    assert (told["spent_today"], told["planned_today"]) == (0, None)
