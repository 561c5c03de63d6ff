"""Ads in the feed: where they stand, who sees which, and what is billed in the end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from billing.ads.models import Advertiser, Campaign, Creative, Flight, Offer, PlaceCount
from billing.ads.serving.live import forget
from catalog import operations as catalog
from catalog.models import Purpose
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import Portrait, PortraitRun, Segment
from tests import make
from tests.conftest import NOON
from tests.recommender import planted

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def flight(in_school: Tenant) -> Flight:
    """Return a flight that is on these days, of whom nothing is asked."""
    now = datetime.now(UTC)
    span = {"starts_at": now - timedelta(days=1), "ends_at": now + timedelta(days=1)}
    who = Advertiser.objects.create(member=make.member(), name="Piano House", made_at=now)
    campaign = Campaign.objects.create(advertiser=who, name="Spring", currency="CNY", state="live", made_at=now, **span)
    flight = Flight.objects.create(campaign=campaign, name="all", budget=10_000, bid=2_000, ceiling=None, **span)
    Creative.objects.create(
        flight=flight, format="card", title="Pianos", link_url="https://p.example/", state="approved", made_at=now
    )
    planted.videos(20)
    forget()
    return flight


def page(client: APIClient, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/api/v1/feed/", asked).json()
    return answer


def test_an_ad_stands_behind_six_items_and_is_billed_when_it_was_seen(client: APIClient, flight: Flight) -> None:
    (ad,) = page(client, limit=8)["ads"]
    assert (ad["behind"], ad["by"], ad["title"], ad["format"]) == (6, "Piano House", "Pianos", "card")
    Offer.objects.update(offered_at=datetime.now(UTC) - timedelta(seconds=5))

    event = {"token": ad["token"], "kind": "view", "share": 1.0, "ms": 1_500}
    told = client.post("/api/v1/ad-events/", {"events": [event, event]}, format="json").json()

    assert [(each["is_counted"], each["code"]) for each in told] == [(True, ""), (True, "")]
    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 500_000)


def test_the_label_is_in_the_viewers_language(client: APIClient, flight: Flight) -> None:
    assert page(client, limit=6)["ads"][0]["label"] == "广告"
    answer = client.get("/api/v1/feed/", {"limit": 6}, headers={"Accept-Language": "en"}).json()
    assert answer["ads"][0]["label"] == "Ad"


def test_the_next_page_goes_on_with_the_places_between_two_ads(client: APIClient, flight: Flight) -> None:
    Campaign.objects.update(per_session=9, per_day=9)
    first = page(client, limit=8)
    second = client.get(first["next"]).json()

    assert [ad["behind"] for ad in second["ads"]] == [4]  # 8 + 4 is 12


def segmented(viewer: Member) -> None:
    """Put the viewer into the segment number 7."""
    run = PortraitRun.objects.create(at=NOON, finished_at=NOON, half_life_days=30, viewers=1, demand={})
    segment = Segment.objects.create(label=7, size=1, run=run)
    when = {"first_seen_at": NOON, "last_seen_at": NOON, "updated_at": NOON}
    told: dict[str, Any] = {"interests": [["topic:piano", 1.0]], "active_hours": [], "next_topics": []}
    told |= {"next_items": [], "next_hours": [], "vector": b"", "events": 1}
    Portrait.objects.create(viewer=viewer, run=run, segment=segment, **told, **when)


def test_segments_are_used_only_of_who_agreed_to_that(client: APIClient, viewer: Member, flight: Flight) -> None:
    Flight.objects.update(segments=["segment-7"])
    segmented(viewer)
    assert page(client, limit=6)["ads"] == []

    catalog.give_consent(viewer=viewer, purpose=Purpose.TARGETED_ADS, version=0, at=NOON)
    assert len(page(client, limit=6)["ads"]) == 1

    catalog.withdraw_consent(viewer=viewer, purpose=Purpose.TARGETED_ADS, at=NOON)
    assert page(client, limit=6)["ads"] == []


def test_the_country_is_used_only_of_who_agreed_to_that(
    client: APIClient, viewer: Member, flight: Flight, settings: Any
) -> None:
    settings.COUNTRY_HEADER = "CF-IPCountry"
    Flight.objects.update(countries=["CN"])
    catalog.withdraw_consent(viewer=viewer, purpose=Purpose.TARGETED_ADS, at=NOON)
    at_home = {"CF-IPCountry": "CN"}
    assert client.get("/api/v1/feed/", {"limit": 6}, headers=at_home).json()["ads"] == []
    assert PlaceCount.objects.get().outcome == "consent"

    catalog.give_consent(viewer=viewer, purpose=Purpose.TARGETED_ADS, version=0, at=NOON)

    assert client.get("/api/v1/feed/", {"limit": 6}, headers={"CF-IPCountry": "US"}).json()["ads"] == []
    assert len(client.get("/api/v1/feed/", {"limit": 6}, headers=at_home).json()["ads"]) == 1


def test_of_who_does_not_consent_to_be_remembered_no_offer_is_kept(
    client: APIClient, viewer: Member, flight: Flight
) -> None:
    catalog.withdraw_consent(viewer=viewer, purpose=Purpose.PERSONAL_EVENTS, at=NOON)

    (ad,) = page(client, limit=6)["ads"]

    assert Offer.objects.get().viewer.role == "anonymous"
    Offer.objects.update(offered_at=datetime.now(UTC) - timedelta(seconds=5))
    event = {"token": ad["token"], "kind": "view", "share": 1.0, "ms": 1_500}
    told = client.post("/api/v1/ad-events/", {"events": [event]}, format="json").json()
    assert told[0]["is_counted"]


def test_rules_that_make_no_sense_take_the_ads_away_and_not_the_feed(
    client: APIClient, flight: Flight, in_school: Tenant
) -> None:
    in_school.settings = {"ad_every": "six"}
    in_school.save()

    shown = page(client, limit=6)

    assert (len(shown["results"]), shown["ads"]) == (6, [])


def test_without_ads_the_feed_is_as_ever(client: APIClient, in_school: Tenant) -> None:
    planted.videos(8)
    forget()

    assert page(client, limit=6)["ads"] == []
    assert PlaceCount.objects.values_list("outcome", "places").get() == ("no_campaign", 1)
