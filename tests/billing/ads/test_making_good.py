"""A sponsorship that was delivered less than promised: some days more, or a part of it credited; staff decide."""

from datetime import timedelta
from typing import Any

import pytest

from billing import ledger
from billing.ads import operations
from billing.ads.models import Campaign, Flight, FlightDay, MakeGood
from billing.ads.serving.live import forget
from billing.operations import verify_ledger
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY, money
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
OVER = NOON + DAY


def ended(*, tier: str = Campaign.Tier.SPONSORSHIP, viewers: int = 20, by: Member | None = None) -> Flight:
    """Return a flight of 100.00 for a day, seen at 0.10 each, whose time is over."""
    flight = adverts.live(budget=10_000, bid=10_000, tier=tier)
    for _ in range(viewers):
        viewer = make.member()
        (placed,) = adverts.shown(viewer)
        adverts.told(viewer, placed, NOON + timedelta(seconds=5))
    operations.charge_next(at=NOON)
    if by:
        operations.end_campaign(campaign=flight.campaign, by=by, at=NOON)
    else:
        operations.end_next(at=OVER)
    return flight


def decided(how: str, **said: Any) -> MakeGood:
    about: dict[str, Any] = {"by": make.member(Member.Role.STAFF), "note": "Less was shown.", "at": OVER}
    return operations.decide_on_make_good(make_good=MakeGood.objects.get(), how=how, **about | said)


def test_what_is_missing_is_proposed_once() -> None:
    """2.00 of 100.00 were delivered in a day: 98.00 would take 49 days more, so 30; or 9.80, at most the 2.00."""
    ended()

    assert [operations.propose_next(at=OVER) for _ in range(2)] == [1, 0]

    told = MakeGood.objects.get()
    assert (told.promised, told.delivered, told.days, told.amount) == (10_000, 200, 30, 200)
    assert operations.give_back_next(at=OVER) == 0  # while staff may decide
    assert operations.give_back_next(at=OVER + 8 * DAY) == 1


@pytest.mark.parametrize(("tier", "by_hand"), [(Campaign.Tier.AUCTION, False), (Campaign.Tier.SPONSORSHIP, True)])
def test_nothing_is_promised_in_an_auction_or_to_who_ends_it(tier: str, by_hand: bool) -> None:  # noqa: FBT001
    flight = ended(tier=tier, by=make.member(Member.Role.STAFF) if by_hand else None, viewers=1)

    assert operations.propose_next(at=OVER) == 0
    assert flight.campaign.tier == tier


def test_it_goes_on_with_what_is_set_aside() -> None:
    flight = ended()
    operations.propose_next(at=OVER)

    decided(MakeGood.State.EXTENDED)

    forget()
    flight.refresh_from_db()
    assert flight.ends_at == OVER + 30 * DAY
    viewer, later = make.member(), OVER + timedelta(hours=1)
    (placed,) = adverts.shown(viewer, at=later)
    adverts.told(viewer, placed, later + timedelta(seconds=5))
    assert operations.charge_next(at=later) == 1
    with pytest.raises(operations.NothingToDecide):
        decided(MakeGood.State.DECLINED)
    operations.end_next(at=flight.ends_at)
    assert operations.propose_next(at=flight.ends_at) == 1  # it is short again
    verify_ledger()


def test_a_part_of_it_is_credited_and_the_rest_comes_back() -> None:
    """2.00 of 100.00 were charged and are credited: all of the 1,000.00 paid in are there."""
    flight = ended()
    operations.propose_next(at=OVER)

    told = decided(MakeGood.State.CREDITED)
    operations.give_back_next(at=OVER)

    assert told.credit is not None
    assert (told.credit.amount, told.credit.reason) == (200, "make_good")
    assert money(ledger.advertiser(flight.campaign.advertiser.member, "CNY")) == 100_000
    with pytest.raises(operations.NothingToDecide):
        decided(MakeGood.State.EXTENDED)
    verify_ledger()


def test_what_was_given_back_does_not_go_on() -> None:
    ended(viewers=1)
    operations.propose_next(at=OVER)
    operations.give_back_next(at=OVER + 8 * DAY)

    with pytest.raises(operations.CampaignOver):
        decided(MakeGood.State.EXTENDED)


def test_staff_decide_through_the_api() -> None:
    flight = ended(viewers=1)
    operations.propose_next(at=OVER)
    staff, own = make.client(make.member(Member.Role.STAFF)), make.client(flight.campaign.advertiser.member)
    (listed,) = own.get("/api/v1/ad-make-goods/").json()["results"]
    decide = f"/api/v1/ad-make-goods/{listed['id']}/decide/"

    assert own.post(decide, {"how": "credited", "note": "Please."}).status_code == 403
    assert staff.post(decide, {"how": "proposed", "note": "No."}).status_code == 400
    assert staff.post(decide, {"how": "declined", "note": "It was their own doing."}).json()["state"] == "declined"


def test_the_days_it_goes_on_for_are_judged_too() -> None:
    flight = ended(viewers=1)
    operations.propose_next(at=OVER)
    assert operations.look_back_next(at=OVER + 5 * DAY) == 0  # it was on for no whole day

    decided(MakeGood.State.EXTENDED)

    assert operations.look_back_next(at=OVER + 2 * DAY) == 1
    assert FlightDay.objects.get().flight_id == flight.pk
