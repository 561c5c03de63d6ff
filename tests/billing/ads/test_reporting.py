"""What is billed: once, for what the flight pays for, and not what looks odd."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ads import operations
from billing.ads.models import Offer
from billing.ads.operations import Told, token_of
from billing.ads.queries import held_offers
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing.ads import adverts
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
LATER = NOON + timedelta(seconds=5)


def refused(viewer: Member, told: Told, code: str) -> None:
    with pytest.raises(Refused) as caught:
        operations.report_ad_event(viewer=viewer, told=told, at=LATER)
    assert caught.value.code == code


def test_a_view_is_billed_once_however_often_it_is_told(viewer: Member) -> None:
    flight = adverts.live()
    (placed,) = adverts.shown(viewer)
    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (500_000, 0)

    for _ in range(3):
        adverts.told(viewer, placed, LATER)

    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 500_000)


def test_a_click_pays_where_a_click_is_paid_for(viewer: Member) -> None:
    """The floor of half a minor unit a view, at a chance of one in a hundred: fifty a click."""
    flight = adverts.live(pays_for="click", bid=200)
    (placed,) = adverts.shown(viewer)

    adverts.told(viewer, placed, LATER)
    flight.refresh_from_db()
    assert flight.spent == 0
    adverts.told(viewer, placed, LATER + timedelta(seconds=2), "click")

    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 50_000_000)


def test_what_was_not_seen_is_not_clicked(viewer: Member) -> None:
    adverts.live()
    (placed,) = adverts.shown(viewer)

    refused(viewer, Told(token_of(placed), "click"), "not_viewed")
    refused(viewer, Told(token_of(placed), "view", share=0.4, ms=5_000), "not_viewable")
    refused(viewer, Told(token_of(placed), "view", share=1.0, ms=900), "not_viewable")
    assert Offer.objects.get().viewed_at is None


def test_a_token_is_nobody_elses(viewer: Member, agency: Tenant) -> None:
    adverts.live()
    (placed,) = adverts.shown(viewer)
    token = token_of(placed)

    refused(make.member(), Told(token, "view", 1.0, 5_000), "bad_offer")
    refused(viewer, Told(token[:-1] + ("A" if token[-1] != "A" else "B"), "view", 1.0, 5_000), "bad_offer")
    refused(viewer, Told("1:2:3", "view", 1.0, 5_000), "bad_offer")
    with scope(agency):
        refused(make.member(), Told(token, "view", 1.0, 5_000), "bad_offer")


def test_an_offer_lapses_and_is_worth_nothing_then(viewer: Member) -> None:
    flight = adverts.live()
    (placed,) = adverts.shown(viewer)
    late = NOON + timedelta(minutes=10)

    with pytest.raises(operations.OfferExpired):
        adverts.told(viewer, placed, late)
    assert operations.lapse_offers(at=late) == 1
    assert operations.lapse_offers(at=late) == 0

    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 0)


def test_a_view_before_anybody_can_have_seen_it_is_held_and_decided_by_staff(viewer: Member) -> None:
    flight = adverts.live()
    staff = make.member(Member.Role.STAFF)
    for session, is_valid in (("a", True), ("b", False)):
        (placed,) = adverts.shown(viewer, session=session)
        offer = adverts.told(viewer, placed, NOON + timedelta(milliseconds=999))
        assert offer.odd == "too_soon"
        assert offer.billed_at is None

        operations.decide_on_offer(offer=offer, by=staff, is_valid=is_valid, at=LATER)
        with pytest.raises(operations.NothingToDecide):
            operations.decide_on_offer(offer=offer, by=staff, is_valid=is_valid, at=LATER)

    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 500_000)


def test_a_thousand_clicks_of_one_viewer_are_twenty(viewer: Member) -> None:
    flight = adverts.live(pays_for="click", bid=50, budget=100_000)
    for number in range(25):
        (placed,) = adverts.shown(viewer, session=f"s{number}")
        adverts.told(viewer, placed, LATER)
        adverts.told(viewer, placed, LATER + timedelta(seconds=2), "click")

    assert Offer.objects.filter(billed_at__isnull=False).count() == 20
    assert Offer.objects.filter(odd="too_many").count() == 5
    flight.refresh_from_db()
    assert flight.spent == 20 * 50_000_000


def test_what_nobody_decides_on_is_given_free_after_a_week(viewer: Member) -> None:
    flight = adverts.live()
    (placed,) = adverts.shown(viewer)
    adverts.told(viewer, placed, NOON + timedelta(milliseconds=1))

    assert operations.lapse_offers(at=NOON + timedelta(days=7)) == 0
    assert operations.lapse_offers(at=NOON + timedelta(days=7, minutes=10)) == 1

    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 0)


def test_what_is_billed_is_not_billed_again_by_staff(viewer: Member) -> None:
    """A view is billed; a click sooner than anybody clicks is odd, but nothing is left to decide on."""
    flight = adverts.live()
    (placed,) = adverts.shown(viewer)
    adverts.told(viewer, placed, LATER)
    offer = adverts.told(viewer, placed, LATER + timedelta(milliseconds=1), "click")
    assert offer.odd == "too_soon"

    assert list(held_offers()) == []
    for is_valid in (True, False):
        with pytest.raises(operations.NothingToDecide):
            operations.decide_on_offer(offer=offer, by=make.member(Member.Role.STAFF), is_valid=is_valid, at=LATER)

    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 500_000)


def test_what_was_never_clicked_is_not_billed_as_a_click(viewer: Member) -> None:
    """Staff find that the view was one: of a flight that pays for clicks it costs nothing."""
    flight = adverts.live(pays_for="click", bid=200)
    (placed,) = adverts.shown(viewer)
    offer = adverts.told(viewer, placed, NOON + timedelta(milliseconds=1))

    operations.decide_on_offer(offer=offer, by=make.member(Member.Role.STAFF), is_valid=True, at=LATER)

    flight.refresh_from_db()
    assert (flight.reserved, flight.spent) == (0, 0)
    offer.refresh_from_db()
    assert (offer.billed_at, offer.lapsed_at) == (None, LATER)


def test_what_was_given_free_waits_for_nobody(viewer: Member) -> None:
    adverts.live()
    (placed,) = adverts.shown(viewer)
    adverts.told(viewer, placed, NOON + timedelta(milliseconds=1))
    assert held_offers().count() == 1

    operations.lapse_offers(at=NOON + timedelta(days=8))

    assert held_offers().count() == 0


def test_clicks_of_others_who_are_nobody_are_not_ones_own(viewer: Member) -> None:
    """Of who does not consent, clicks are counted by the session: a hundred people are not one."""
    adverts.live(pays_for="click", bid=50, budget=100_000)
    for number in range(22):
        (placed,) = adverts.shown(viewer, session=f"{number:016}", is_remembered=False)
        adverts.told(viewer, placed, LATER)
        adverts.told(viewer, placed, LATER + timedelta(seconds=2), "click")

    assert not Offer.objects.exclude(odd="").exists()


def test_who_is_nobody_clicks_as_often_as_anybody(viewer: Member) -> None:
    """However many sessions one begins in a day: they begin alike."""
    adverts.live(pays_for="click", bid=50, budget=100_000)
    for number in range(22):
        (placed,) = adverts.shown(viewer, session=f"{'a' * 16}{number}", is_remembered=False)
        adverts.told(viewer, placed, LATER)
        adverts.told(viewer, placed, LATER + timedelta(seconds=2), "click")

    assert Offer.objects.filter(odd="too_many").count() == 2


def test_many_events_are_noted_in_a_few_statements(viewer: Member) -> None:
    adverts.live()
    told = [Told(token_of(adverts.shown(viewer, session=f"s{number}")[0]), "view", 1.0, 5_000) for number in range(12)]

    operations.report_ad_events(viewer=viewer, told=told[:1], at=LATER)
    with CaptureQueriesContext(connection) as few:
        operations.report_ad_events(viewer=viewer, told=told[1:3], at=LATER)
    with CaptureQueriesContext(connection) as many:
        answers = operations.report_ad_events(viewer=viewer, told=[*told[3:], *told, Told("x", "view")], at=LATER)

    assert len(many) == len(few)
    assert [answer.code for answer in answers if isinstance(answer, Refused)] == ["bad_offer"]
    assert Offer.objects.filter(billed_at=None).count() == 0
