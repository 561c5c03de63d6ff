"""A campaign from its top-up to its end."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from billing import ledger
from billing.ads import operations
from billing.ads.models import Campaign, CampaignChange
from billing.ads.operations import Caps, Target
from billing.ledger import NotEnoughMoney
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY, money
from tests.billing.test_console_of_money import console_of
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")


def test_what_is_paid_in_is_owed_to_the_advertiser_until_it_is_set_aside() -> None:
    who = adverts.advertiser(balance=100_000)
    assert money(ledger.advertiser(who.member, "CNY")) == 100_000

    adverts.live(who, budget=30_000)

    assert money(ledger.advertiser(who.member, "CNY")) == 70_000
    assert money(ledger.ad_budget(who.member, "CNY")) == 30_000


def test_no_campaign_is_launched_without_the_money() -> None:
    who = adverts.advertiser(balance=10_000)
    flight = adverts.flight(who, budget=10_001)
    adverts.creative(flight)

    with pytest.raises(NotEnoughMoney):
        operations.launch(campaign=flight.campaign, by=who.member, at=NOON)

    assert Campaign.objects.get().state == "draft"
    assert money(ledger.advertiser(who.member, "CNY")) == 10_000


def test_nothing_is_launched_that_staff_have_not_looked_at() -> None:
    flight = adverts.flight()
    with pytest.raises(operations.NothingToShow):
        operations.launch(campaign=flight.campaign, by=flight.campaign.advertiser.member, at=NOON)


def test_what_an_ended_campaign_did_not_spend_comes_back() -> None:
    who = adverts.advertiser(balance=100_000)
    flight = adverts.live(who, budget=30_000)
    operations.end_campaign(campaign=flight.campaign, by=who.member, at=NOON)

    assert operations.give_back_next(at=NOON) == 1
    assert operations.give_back_next(at=NOON) == 0

    assert money(ledger.advertiser(who.member, "CNY")) == 100_000


def test_who_advertises_stops_a_campaign_over_http_and_staff_in_the_console_and_both_say_why() -> None:
    """300.00 are set aside in each of two campaigns; nothing is spent, so all of it comes back."""
    who, staff = adverts.advertiser(balance=100_000), make.member(Member.Role.STAFF)
    mine, stopped = (adverts.live(who, budget=30_000).campaign for _ in range(2))

    answer = make.client(who.member).post(f"/api/v1/ad-campaigns/{mine.pk}/end/", {"reason": "Sold out."})
    sent = {"action": "end", "_selected_action": [stopped.pk], "words": "Fake goods."}
    page = console_of(staff).post(reverse("admin:ads_campaign_changelist"), sent, follow=True).content.decode()

    assert (answer.status_code, answer.json()["state"]) == (200, "ended")
    assert "1 row was changed." in page
    changes = CampaignChange.objects.filter(what="ended").order_by("pk")
    assert [(of.campaign, of.by, of.reason) for of in changes] == [
        (mine, who.member, "Sold out."),
        (stopped, staff, "Fake goods."),
    ]
    assert [operations.give_back_next(at=NOON) for _ in range(3)] == [1, 1, 0]
    assert money(ledger.advertiser(who.member, "CNY")) == 100_000


def test_a_campaign_whose_time_is_over_ends_by_itself() -> None:
    flight = adverts.live()

    assert operations.end_next(at=NOON + DAY - timedelta(seconds=1)) == 0
    assert operations.end_next(at=NOON + DAY) == 1
    assert operations.end_next(at=NOON + DAY) == 0

    flight.campaign.refresh_from_db()
    assert flight.campaign.state == "ended"


def refused(code: str, **said: Any) -> None:
    with pytest.raises(Refused) as caught:
        adverts.flight(**said)
    assert caught.value.code == code


def test_what_makes_no_campaign_is_refused_with_a_reason() -> None:
    who = adverts.advertiser()

    refused("no_budget", who=who, budget=0)
    refused("no_budget", who=who, budget=100, bid=1, daily=101)
    refused("no_bid", who=who, bid=0)
    refused("ends_before_start", who=who, starts_at=NOON + DAY, ends_at=NOON)
    refused("ends_before_start", who=who, ends_at=NOON + 2 * DAY)
    refused("bad_cap", who=who, caps=Caps(0, 1, 1))
    refused("bad_target", who=who, target=Target(hours=(24,)))
    refused("bad_target", who=who, target=Target(placements=("moon",)))
    refused("no_budget", who=who, tier=Campaign.Tier.HOUSE)


@pytest.mark.parametrize(
    "said",
    [
        {"format": "hologram"},
        {"format": "video"},
        {"format": "video", "duration_ms": 5_000},
        {"format": "image"},
        {"format": "card", "duration_ms": 5_000},
    ],
)
def test_what_is_no_creative_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(operations.WrongFormat):
        adverts.creative(adverts.flight(), **said)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://x.example/", "//x.example/", ""])
def test_a_click_leads_to_the_web_and_nowhere_else(url: str) -> None:
    flight = adverts.flight()
    with pytest.raises(operations.WrongLink):
        adverts.creative(flight, link_url=url)
    if url:
        with pytest.raises(operations.WrongLink):
            adverts.creative(flight, format="image", media_url=url)


def test_only_who_advertises_and_staff_touch_a_campaign(in_school: Tenant) -> None:
    flight = adverts.live()
    stranger = make.member()

    for do in (operations.pause_campaign, operations.end_campaign, operations.launch):
        with pytest.raises(operations.NotYourAdvertiser):
            do(campaign=flight.campaign, by=stranger, at=NOON)
    with pytest.raises(operations.StaffOnlyTier):
        operations.draft_campaign(
            advertiser=flight.campaign.advertiser, by=flight.campaign.advertiser.member, name="Mine", currency="CNY",
            tier=Campaign.Tier.SPONSORSHIP, starts_at=NOON, ends_at=NOON + DAY, at=NOON,
        )  # fmt: skip


def test_who_is_blocked_shows_nothing_and_changes_nothing(viewer: Member) -> None:
    flight = adverts.live()
    who = flight.campaign.advertiser
    assert adverts.shown(viewer)

    operations.block_advertiser(advertiser=who, by=make.member(Member.Role.STAFF), reason="Fake goods.", at=NOON)

    assert not adverts.shown(viewer, session="other")
    who.refresh_from_db()
    with pytest.raises(operations.AdvertiserBlocked):
        operations.pause_campaign(campaign=Campaign.objects.get(), by=who.member, at=NOON)
