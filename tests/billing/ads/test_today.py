"""What a flight has spent since the tenant's midnight, and what it was to have spent by now."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from rest_framework.test import APIClient

from billing.ads import operations
from billing.ads.models import Flight
from billing.ads.queries.traffic import Today, today_of
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
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


def test_the_advertiser_reads_it() -> None:
    flight = adverts.live()
    client: APIClient = make.client(flight.campaign.advertiser.member)

    (told,) = client.get(f"/api/v1/ad-campaigns/{flight.campaign_id}/flights/").json()

    assert (told["spent_today"], told["planned_today"]) == (0, None)
