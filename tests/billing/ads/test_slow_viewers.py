"""Who is slow does not see more of an ad than its caps say: what is seen late is free, and counts."""

from datetime import timedelta

import pytest

from billing.ads import operations
from billing.ads.models import Creative, Flight, Offer
from billing.ads.operations import Caps, OfferExpired, Placed, Told, token_of
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
LATE = NOON + timedelta(minutes=11)


def told_late(viewer: Member, placed: Placed) -> None:
    with pytest.raises(OfferExpired):
        adverts.told(viewer, placed, LATE)


@pytest.mark.parametrize("lapsed", [1, 0])
def test_a_view_that_is_told_late_costs_nothing_and_counts_for_the_caps(viewer: Member, lapsed: int) -> None:
    adverts.live(caps=Caps(1, 1, 1))
    (placed,) = adverts.shown(viewer)
    assert operations.lapse_offers(at=LATE, most=lapsed) == lapsed

    for _ in range(2):
        told_late(viewer, placed)
    operations.lapse_offers(at=LATE)

    assert adverts.shown(viewer, session="t", at=LATE + timedelta(minutes=1)) == []
    flight = Flight.objects.get()
    assert (flight.reserved, flight.spent) == (0, 0)


def test_a_view_that_is_told_late_is_none_that_could_have_been_clicked(viewer: Member) -> None:
    """It would make of one click in one view one in two."""
    adverts.live()
    other = make.member()
    (early,), (late,) = adverts.shown(other, session="t"), adverts.shown(viewer)
    adverts.told(other, early, NOON + timedelta(seconds=5))
    adverts.told(other, early, NOON + timedelta(seconds=9), "click")
    told_late(viewer, late)

    operations.learn_clicks(at=LATE + timedelta(hours=1))

    creative = Creative.objects.get()
    assert (creative.views, creative.clicks) == (1, 1)


def test_what_is_no_view_by_the_rule_is_none_late_either(viewer: Member) -> None:
    adverts.live(caps=Caps(1, 1, 1))
    (placed,) = adverts.shown(viewer)
    operations.lapse_offers(at=LATE)

    with pytest.raises(operations.NotViewable):
        operations.report_ad_event(viewer=viewer, told=Told(token_of(placed), "view", 0.4, 5_000), at=LATE)
    told = Told(token_of(placed), "view", 1.0, 5_000, is_program=True)
    with pytest.raises(OfferExpired):
        operations.report_ad_event(viewer=viewer, told=told, at=LATE)

    assert Offer.objects.get().viewed_at is None
    assert len(adverts.shown(viewer, session="t", at=LATE)) == 1


def test_what_lies_unseen_on_the_sessions_page_counts_there(viewer: Member) -> None:
    """Whoever comes back after ten minutes has the first ad on their page still; in another session it is gone."""
    adverts.live(caps=Caps(1, 1, 1))
    assert len(adverts.shown(viewer)) == 1
    operations.lapse_offers(at=LATE)

    assert adverts.shown(viewer, first=6, at=LATE) == []
    assert len(adverts.shown(viewer, session="t", at=LATE)) == 1
