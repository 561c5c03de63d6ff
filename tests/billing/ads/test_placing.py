"""Which ad stands where: targets, caps, budgets, tiers."""

from datetime import timedelta
from typing import Any

import pytest

from billing.ads import operations
from billing.ads.models import Campaign, Creative, Flight, Offer
from billing.ads.models.campaigns import MICROS
from billing.ads.operations import Caps, Target, placing
from billing.ads.operations.placing import free_places
from billing.ads.serving.live import forget, live
from billing.models import Order, Period, Subscription, Tier
from billing.operations import Wanted
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")


def flights(viewer: Member, **said: Any) -> list[int]:
    return [placed.card.flight for placed in adverts.shown(viewer, **said)]


@pytest.mark.parametrize(
    ("first", "size", "last", "places"),
    [
        (0, 5, None, []),
        (0, 6, None, [6]),
        (0, 20, None, [6, 12, 18]),
        (20, 20, 18, [24, 30, 36]),
        (6, 3, None, [7]),
        (40, 6, 3, [41]),
    ],
)
def test_so_many_items_stand_between_two_ads(first: int, size: int, last: int | None, places: list[int]) -> None:
    assert free_places(first, size, last=last, every=6) == places


def test_an_ad_stands_where_its_flight_wants_to(viewer: Member) -> None:
    flight = adverts.live(target=Target(topics=("piano",), languages=("zh-hans",)))

    assert flights(viewer, topics=["cooking"], language="zh-hans") == []
    assert flights(viewer, topics=["piano"], language="en") == []
    assert flights(viewer, topics=["piano", "cooking"], language="zh-hans") == [flight.pk]


def test_segments_are_for_those_only_of_whom_they_are_told_and_never_for_minors(viewer: Member) -> None:
    flight = adverts.live(target=Target(segments=("collectors",)))

    assert flights(viewer) == []
    assert flights(viewer, segments=["collectors"]) == [flight.pk]
    viewer.is_minor = True
    assert flights(viewer, segments=["collectors"], session="t") == []


def test_an_ad_does_not_stand_beside_what_its_campaign_shuns(viewer: Member) -> None:
    adverts.live(shuns=("gambling",))

    assert flights(viewer, topics=["gambling", "piano"]) == []
    assert len(flights(viewer, topics=["piano"])) == 1


def test_what_the_viewer_has_no_taste_for_is_not_shown(viewer: Member) -> None:
    topic = things.topic()
    adverts.live(creative={"topic": topic})

    assert flights(viewer, tastes={topic.slug: 0.05}) == []
    assert len(flights(viewer, tastes={topic.slug: 0.5})) == 1


def test_the_best_bid_wins_and_pays_what_the_second_would_have(viewer: Member) -> None:
    """20 against 12 yuan for a thousand views: 12 yuan, 1.2 minor units a view."""
    best = adverts.live(bid=2_000)
    adverts.live(bid=1_200)

    (placed,) = adverts.shown(viewer)

    assert placed.card.flight == best.pk
    assert Offer.objects.get().price == 1_200_000


def test_nobody_raises_their_own_price(viewer: Member) -> None:
    """Alone with two campaigns, the best costs the floor of 5 yuan for a thousand views."""
    who = adverts.advertiser()
    adverts.live(who, bid=2_000)
    adverts.live(who, bid=1_900)

    adverts.shown(viewer)

    assert Offer.objects.get().price == 500_000


def test_who_has_nearly_nothing_left_keeps_no_place_from_those_who_have(viewer: Member) -> None:
    """Six who bid ten times as much cannot pay for a view; with half a view's price left one bids so much."""
    rich, *poor = [adverts.live(bid=bid) for bid in (600, *[6_000] * 7)]
    Flight.objects.filter(pk__in=[flight.pk for flight in poor]).update(spent=10_000 * MICROS - 1)
    Flight.objects.filter(pk=poor[-1].pk).update(spent=10_000 * MICROS - 550_000)
    forget()

    assert flights(viewer) == [rich.pk]
    assert Offer.objects.get().price == 550_000


def test_who_was_found_to_have_nothing_left_keeps_no_place_until_it_is_read_again(
    viewer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six who bid ten times as much were spent since they were read: five are found out, then there is one more."""
    monkeypatch.setattr(placing, "EXPLORED", 0.0)
    rich, *poor = [adverts.live(bid=bid) for bid in (600, *[6_000] * 6)]
    live()
    Flight.objects.filter(pk__in=[flight.pk for flight in poor]).update(spent=10_000 * MICROS)

    assert [flights(viewer, session=session) for session in ("a", "b")] == [[], [rich.pk]]


def test_a_sponsorship_is_not_sold_for_what_is_left_of_it(viewer: Member) -> None:
    """It costs 6 units a view, and has half a unit left: whoever bids in the auction stands there."""
    auction, sponsored = adverts.live(bid=600), adverts.live(bid=6_000, tier=Campaign.Tier.SPONSORSHIP)
    Flight.objects.filter(pk=sponsored.pk).update(spent=10_000 * MICROS - 550_000)
    forget()

    assert flights(viewer) == [auction.pk]


def test_one_more_is_shown_while_a_flight_is_not_ahead_of_its_plan(viewer: Member) -> None:
    flight = adverts.live()
    Flight.objects.filter(pk=flight.pk).update(ceiling=1)
    forget()

    assert [flights(viewer, session=session) for session in ("a", "b")] == [[flight.pk], []]


def test_sponsorships_come_first_and_the_tenants_own_last(viewer: Member) -> None:
    house = adverts.live(tier=Campaign.Tier.HOUSE, budget=0, bid=0)
    auction = adverts.live(bid=9_000)
    sponsor = adverts.live(tier=Campaign.Tier.SPONSORSHIP, bid=600)

    assert flights(viewer, size=18) == [sponsor.pk, auction.pk, house.pk]
    assert [offer.price for offer in Offer.objects.order_by("pk")] == [600_000, 500_000, 0]


def test_the_first_view_counts_and_a_cap_is_never_passed(viewer: Member) -> None:
    adverts.live(caps=Caps(per_day=3, per_session=2, per_viewer=4))

    assert [len(adverts.shown(viewer, first=at * 6)) for at in range(3)] == [1, 1, 0]  # in a session
    assert [len(adverts.shown(viewer, session=name)) for name in "bc"] == [1, 0]  # in a day
    later = NOON + timedelta(hours=13)  # past midnight in Shanghai
    assert [len(adverts.shown(viewer, session=name, at=later)) for name in "de"] == [1, 0]  # in all
    assert len(adverts.shown(make.member())) == 1


def test_who_is_nobody_is_capped_by_the_session(viewer: Member) -> None:
    adverts.live(caps=Caps(per_day=1, per_session=1, per_viewer=1))

    assert [len(adverts.shown(viewer, session=name, is_remembered=False)) for name in "aab"] == [1, 0, 1]
    today = "c" * operations.DAY  # sessions that begin alike are of one viewer's day
    assert [len(adverts.shown(viewer, session=today + name, is_remembered=False)) for name in "abc"] == [1, 0, 0]
    assert set(Offer.objects.values_list("viewer__role", flat=True)) == {"anonymous"}


def test_what_came_to_nothing_counts_for_no_cap(viewer: Member) -> None:
    adverts.live(caps=Caps(1, 1, 1))
    assert len(adverts.shown(viewer)) == 1

    operations.lapse_offers(at=NOON + timedelta(hours=1))

    assert len(adverts.shown(viewer, session="t", at=NOON + timedelta(hours=1))) == 1


def test_what_was_seen_and_not_clicked_counts_though_its_money_is_free(viewer: Member) -> None:
    adverts.live(pays_for="click", bid=200, caps=Caps(1, 1, 1))
    (placed,) = adverts.shown(viewer)
    adverts.told(viewer, placed, NOON + timedelta(seconds=5))

    assert operations.lapse_offers(at=NOON + timedelta(hours=1)) == 1

    assert not adverts.shown(viewer, session="t", at=NOON + timedelta(hours=1))


def test_an_ad_that_nobody_told_of_keeps_its_distance_all_the_same(viewer: Member) -> None:
    """It stands behind six items on the client's page; its money is free, the next one stands behind twelve."""
    adverts.live()
    assert len(adverts.shown(viewer)) == 1
    later = NOON + timedelta(minutes=20)
    operations.lapse_offers(at=later)

    (placed,) = adverts.shown(viewer, first=6, at=later)

    assert placed.behind == 6


@pytest.mark.parametrize("consents", [(True, False), (False, True)])
def test_a_session_goes_on_when_consent_is_given_or_withdrawn(viewer: Member, consents: tuple[bool, bool]) -> None:
    adverts.live(caps=Caps(9, 2, 9))
    first, then = consents
    assert len(adverts.shown(viewer, is_remembered=first)) == 1

    (placed,) = adverts.shown(viewer, first=6, is_remembered=then)

    assert placed.behind == 6
    assert not adverts.shown(viewer, first=12, is_remembered=then)


def test_what_a_campaign_showed_in_a_flight_that_is_over_counts(viewer: Member) -> None:
    """The flight of the first hour has nothing to show any more; the campaign has been seen as often as may be."""
    flight = adverts.live(caps=Caps(2, 2, 2), ends_at=NOON + timedelta(hours=1))
    assert [len(adverts.shown(viewer, session=name)) for name in "ab"] == [1, 1]
    campaign, late, by = flight.campaign, NOON + timedelta(hours=2), make.member(Member.Role.STAFF)
    said = {"name": "later", "budget": 9_000, "bid": 900, "starts_at": late, "ends_at": NOON + DAY, "ceiling": None}
    adverts.creative(Flight.objects.create(campaign=campaign, **said))
    operations.withdraw_creative(creative=Creative.objects.get(flight=flight), by=by, at=late)
    forget()

    assert len(adverts.shown(make.member(), at=late)) == 1
    assert not adverts.shown(viewer, session="c", at=late)


def test_no_taste_is_used_of_minors(viewer: Member) -> None:
    topic = things.topic()
    adverts.live(creative={"topic": topic})
    viewer.is_minor = True

    assert len(flights(viewer, tastes={topic.slug: 0.05})) == 1


def test_no_more_is_reserved_than_the_budget(viewer: Member) -> None:
    """Three views at the floor of half a minor unit: a budget of one is room for two."""
    adverts.live(budget=1, bid=1, pays_for="click")
    adverts.live(budget=2_000, bid=2_000)
    Flight.objects.filter(budget=2_000).update(budget=1)

    placed = [len(adverts.shown(make.member())) for _ in range(4)]

    flight = Flight.objects.get(pays_for="views")
    assert flight.reserved <= 1_000_000
    assert sum(placed) >= 2


def test_a_flight_before_its_time_and_after_it_stands_nowhere(viewer: Member) -> None:
    adverts.live()

    assert [len(adverts.shown(viewer, at=at)) for at in (NOON - timedelta(seconds=1), NOON, NOON + DAY)] == [0, 1, 0]


def test_who_advertises_does_not_see_their_own(viewer: Member) -> None:
    who = adverts.advertiser()
    adverts.live(who)

    assert adverts.shown(who.member) == []


def test_members_of_a_tier_without_ads_see_none(viewer: Member) -> None:
    adverts.live()
    plan = members.plan(things.creator(make.member(Member.Role.CREATOR)))
    shop.bought_all(viewer, Wanted(product=plan.product))
    assert len(adverts.shown(viewer)) == 1

    Tier.objects.update(is_ad_free=True)

    assert adverts.shown(viewer, session="t") == []


def test_who_has_not_paid_for_their_membership_is_no_member(viewer: Member) -> None:
    adverts.live()
    plan = members.plan(things.creator(make.member(Member.Role.CREATOR)))
    shop.bought_all(viewer, Wanted(product=plan.product))
    Tier.objects.update(is_ad_free=True)
    Order.objects.filter(viewer=viewer).update(state="placed", paid_at=None)  # as of a renewal that was declined

    assert len(adverts.shown(viewer)) == 1


def test_a_membership_that_waits_to_be_renewed_keeps_ads_away_for_a_week(viewer: Member) -> None:
    adverts.live()
    plan = members.plan(things.creator(make.member(Member.Role.CREATOR)))
    shop.bought_all(viewer, Wanted(product=plan.product))
    Tier.objects.update(is_ad_free=True)
    Subscription.objects.update(renews=True, state="active")
    Period.objects.update(starts_at=NOON - 30 * DAY, ends_at=NOON - 6 * DAY)
    assert adverts.shown(viewer) == []

    Period.objects.update(ends_at=NOON - 7 * DAY)

    assert len(adverts.shown(viewer)) == 1
