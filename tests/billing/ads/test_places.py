"""How many places for ads there were, how many found one, and why the others did not."""

from datetime import timedelta
from typing import Any

import pytest

from billing.ads import operations
from billing.ads.models import Flight, PlaceCount
from billing.ads.operations import Caps, Target
from billing.ads.operations.counting import note_places
from billing.ads.serving.live import forget
from billing.models import Tier
from billing.operations import Wanted
from kpplatform.metrics.queries import Span, by_part, overall
from kpplatform.metrics.queries.ratios import RATIOS
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import counted

pytestmark = pytest.mark.usefixtures("in_school")
Outcome = PlaceCount.Outcome
[FILL] = [ratio for ratio in RATIOS if ratio.name == "ad_fill"]
TODAY = Span(NOON.date(), NOON.date())


def outcomes() -> dict[str, int]:
    """Return what was counted, and forget it."""
    found: dict[str, int] = {}
    for count in PlaceCount.objects.all():
        found[count.outcome] = found.get(count.outcome, 0) + count.places
    PlaceCount.objects.all().delete()
    return found


def test_a_place_that_found_an_ad_and_those_for_which_nobody_is_left(viewer: Member) -> None:
    """Three places and one advertiser, who stands once on a page."""
    adverts.live()

    adverts.shown(viewer, size=20)

    assert outcomes() == {"filled": 1, "once": 2}


def test_pages_add_up(viewer: Member) -> None:
    adverts.live()
    for number in range(3):
        adverts.shown(make.member(), session=f"{number}")

    assert PlaceCount.objects.count() == 1, "One connection counts in one row."
    assert outcomes() == {"filled": 3}


@pytest.mark.parametrize(
    ("said", "asked", "why"),
    [
        ({"target": Target(topics=("piano",))}, {"topics": ["cooking"]}, Outcome.TARGET),
        ({"shuns": ("gambling",)}, {"topics": ["gambling"]}, Outcome.TARGET),
        ({"target": Target(segments=("collectors",))}, {}, Outcome.CONSENT),
        ({"target": Target(countries=("CN",))}, {}, Outcome.CONSENT),
        ({"target": Target(countries=("CN",))}, {"country": "US"}, Outcome.TARGET),
        ({"target": Target(segments=("collectors",))}, {"segments": ["others"]}, Outcome.TARGET),
        ({}, {"at": NOON - DAY}, Outcome.NO_CAMPAIGN),
        ({"bid": 1}, {}, Outcome.PRICE),
    ],
)
def test_the_gate_that_turned_the_last_one_away_is_why(
    viewer: Member, said: dict[str, Any], asked: dict[str, Any], why: str
) -> None:
    adverts.live(**said)

    assert adverts.shown(viewer, **asked) == []

    assert outcomes() == {why: 1}


def test_it_is_for_viewers_of_whom_more_is_known_though_something_else_fits_that_has_nothing_left(
    viewer: Member,
) -> None:
    adverts.live(target=Target(countries=("CN",)))
    spent = adverts.live(adverts.advertiser(name="Flutes"))
    Flight.objects.filter(pk=spent.pk).update(ceiling=0)
    forget()

    assert adverts.shown(viewer) == []

    assert outcomes() == {"consent": 1}


def test_ones_own_ad_for_a_country_is_not_for_more_to_be_known() -> None:
    flight = adverts.live(target=Target(countries=("CN",)))

    assert adverts.shown(flight.campaign.advertiser.member) == []

    assert outcomes() == {"target": 1}


def test_what_is_not_to_the_viewers_taste_is_why(viewer: Member) -> None:
    topic = things.topic()
    adverts.live(creative={"topic": topic})

    assert adverts.shown(viewer, tastes={topic.slug: 0.05}) == []

    assert outcomes() == {"relevance": 1}


def test_what_has_been_seen_as_often_as_may_be_is_why(viewer: Member) -> None:
    adverts.live(caps=Caps(1, 1, 1))
    adverts.shown(viewer)

    adverts.shown(viewer, first=6)

    assert outcomes() == {"filled": 1, "capped": 1}


def test_what_has_nothing_left_is_why(viewer: Member) -> None:
    adverts.live()
    Flight.objects.update(ceiling=0)

    assert adverts.shown(viewer) == []

    assert outcomes() == {"budget": 1}


def test_where_nothing_is_live_places_are_counted_all_the_same(viewer: Member) -> None:
    """Behind six items and twelve; the page after it has none, the third one has one."""
    forget()
    for first, size in ((0, 12), (12, 5), (17, 5)):
        adverts.shown(viewer, first=first, size=size)

    assert outcomes() == {"no_campaign": 3}


def test_a_member_without_ads_is_told_apart(viewer: Member) -> None:
    adverts.live()
    plan = members.plan(things.creator(make.member(Member.Role.CREATOR)))
    shop.bought_all(viewer, Wanted(product=plan.product))
    Tier.objects.update(is_ad_free=True)

    assert adverts.shown(viewer) == []

    assert outcomes() == {"tier": 1}


def test_an_hour_of_a_day_that_is_over_becomes_one_row_an_outcome() -> None:
    for shard in range(1, 4):
        told = {"day": NOON.date(), "hour": 20, "placement": "feed", "shard": shard}
        PlaceCount.objects.create(**told, outcome=Outcome.FILLED, places=shard)
        PlaceCount.objects.create(**told, outcome=Outcome.CAPPED, places=10)
    assert operations.fold_next(at=NOON + DAY) == 0

    assert [operations.fold_next(at=NOON + 2 * DAY) for _ in range(2)] == [1, 0]

    rows = PlaceCount.objects.order_by("outcome").values_list("outcome", "shard", "places")
    assert list(rows) == [("capped", 0, 30), ("filled", 0, 6)]
    assert not PlaceCount.objects.exclude(hour=20).exists()


def test_the_fill_is_of_the_places_that_were_asked_for() -> None:
    """Of six places four found an ad, two did not; two more are a member's without ads."""
    note_places({Outcome.FILLED: 4, Outcome.CAPPED: 2, Outcome.TIER: 2}, placement="feed", at=NOON)
    note_places({Outcome.FILLED: 9}, placement="feed", at=NOON + timedelta(days=1))

    counted()

    assert by_part("ad_places", TODAY) == {"feed:filled": 4, "feed:capped": 2, "feed:tier": 2}
    assert overall(FILL, TODAY) == 666_667


def test_an_auction_that_is_lost_for_want_of_money_is_a_budgets(viewer: Member) -> None:
    """What competes is known for two seconds; that nothing is left of it is seen when it is offered."""
    flight = adverts.live()
    adverts.shown(make.member(), session="known")
    outcomes()
    Flight.objects.filter(pk=flight.pk).update(tonight=0)

    assert adverts.shown(viewer) == []

    assert outcomes() == {"budget": 1}
