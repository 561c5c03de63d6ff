"""Paces and ceilings of flights as rows, and what is learned of clicks."""

from datetime import timedelta

import pytest

from billing.ads import operations
from billing.ads.models import Creative, Flight, Offer
from billing.ads.models.campaigns import MICROS
from billing.ads.serving.live import forget
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
HOUR = timedelta(hours=1)


def test_an_even_flight_may_spend_until_the_next_look_what_the_plan_says() -> None:
    """10,000 over 24 hours: 34.7 in five minutes, and 2 % of an hour's 416.7 ahead: 8.3."""
    flight = adverts.live(is_even=True)
    flight.refresh_from_db()
    assert flight.ceiling == pytest.approx(43.06 * MICROS, rel=0.001)

    operations.pace_flights(at=NOON + 12 * HOUR)

    flight.refresh_from_db()
    assert flight.ceiling == pytest.approx(5_043.06 * MICROS, rel=0.001)


def test_who_is_behind_bids_more_and_who_is_ahead_less() -> None:
    flight = adverts.live(is_even=True)
    Flight.objects.update(pace=0.4)

    operations.pace_flights(at=NOON + HOUR)  # nothing was spent
    flight.refresh_from_db()
    assert flight.pace == pytest.approx(0.8)

    Flight.objects.update(spent=3 * 416 * MICROS)
    operations.pace_flights(at=NOON + 2 * HOUR)  # three hours' worth
    flight.refresh_from_db()
    assert flight.pace == pytest.approx(0.8 * 833.3 / 1_248, rel=0.01)


def test_no_more_than_a_days_part_is_spent_in_a_day(viewer: Member) -> None:
    """2 minor units a day at half of one a view: four views, and after midnight four more."""
    flight = adverts.live(daily=2)

    for at in (NOON, NOON + 13 * HOUR):
        operations.lapse_offers(at=at)
        operations.pace_flights(at=at)
        forget()
        assert sum(len(adverts.shown(make.member(), at=at)) for _ in range(6)) == 4

    flight.refresh_from_db()
    assert flight.reserved == 2 * MICROS


def test_a_days_part_is_kept_to_whatever_is_clicked() -> None:
    """150 minor units a day at 50 a click: three offers are open, though one click in a hundred is expected."""
    adverts.live(daily=150, pays_for="click", bid=50)
    operations.pace_flights(at=NOON)
    placed = [(by, adverts.shown(by)) for by in [make.member() for _ in range(5)]]

    assert [len(ads) for _, ads in placed] == [1, 1, 1, 0, 0]
    for by, (ad,) in placed[:3]:
        adverts.told(by, ad, NOON + timedelta(seconds=5))
        adverts.told(by, ad, NOON + timedelta(seconds=8), "click")
    operations.pace_flights(at=NOON + HOUR)
    assert not adverts.shown(make.member(), at=NOON + HOUR)

    operations.pace_flights(at=NOON + 13 * HOUR)
    forget()
    assert adverts.shown(make.member(), at=NOON + 13 * HOUR)


def test_what_is_held_of_yesterday_takes_nothing_from_today(viewer: Member) -> None:
    """Half a minor unit is held; a part of one a day is still two views."""
    adverts.live(daily=1)
    operations.pace_flights(at=NOON)
    (placed,) = adverts.shown(viewer)
    adverts.told(viewer, placed, NOON + timedelta(milliseconds=1))

    operations.pace_flights(at=NOON + 13 * HOUR)

    assert sum(len(adverts.shown(make.member(), at=NOON + 13 * HOUR)) for _ in range(4)) == 2


def test_a_flight_begins_as_eagerly_as_it_was_made() -> None:
    """Looked at before its time, when nothing is wanted of it yet."""
    flight = adverts.live(is_even=True, starts_at=NOON + HOUR)

    for minutes in (56, 58, 60):
        operations.pace_flights(at=NOON + timedelta(minutes=minutes))

    flight.refresh_from_db()
    assert flight.pace == 1.0


def test_a_flight_is_closed_until_it_was_looked_at() -> None:
    flight = adverts.flight(is_even=True)

    assert flight.ceiling == 0


def test_what_is_clicked_more_is_foretold_to_be_clicked_more() -> None:
    """Of one creative every tenth view is clicked, of another every hundredth; the counts before said 5 and 2 %."""
    made = [adverts.live(bid=bid) for bid in (2_000, 1_900)]
    viewer, seen = make.member(), NOON + timedelta(seconds=5)
    creatives = [Creative.objects.get(flight=flight) for flight in made]
    Offer.objects.bulk_create(
        Offer(
            campaign=flight.campaign, flight=flight, creative=creative, viewer=viewer, placement="feed", session="s",
            position=6, price=0, expected=0, chance=0.01, rate=rate, affinity=0.5, propensity=1, offered_at=NOON,
            expires_at=NOON + HOUR, viewed_at=seen, billed_at=seen, clicked_at=None if number % every else seen,
        )
        for number in range(600)
        for flight, creative, rate, every in zip(made, creatives, (0.05, 0.02), (10, 100), strict=True)
    )  # fmt: skip

    found = operations.learn_clicks(at=NOON + HOUR)

    assert found is not None
    assert found.everyone == pytest.approx(66 / 1_200)
    assert [(row.views, row.clicks) for row in Creative.objects.order_by("pk")] == [(600, 60), (600, 6)]
    assert found.error is not None
    assert found.counted_error is not None
    assert found.error < found.counted_error


def test_too_few_views_teach_nothing() -> None:
    assert operations.learn_clicks(at=NOON) is None
