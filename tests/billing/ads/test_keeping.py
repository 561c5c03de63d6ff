"""Old offers go when nothing needs them, and the books still prove what was billed of them."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.ads import operations
from billing.ads.models import Flight, InvalidEvent, Offer, OfferDay
from billing.ads.queries.shares import day_of
from billing.operations import verify_ledger
from billing.queries.verification import ledger_report
from kpplatform.metrics.queries import Span, by_part
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing.ads import adverts, loads
from tests.billing.ads.adverts import DAY
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import counted

OLD = NOON + 182 * DAY  # older than offers are kept
SUMMED = NOON + 10 * DAY
pytestmark = pytest.mark.usefixtures("in_school")


def seen_and_not(*, seen: int = 3, unseen: int = 2) -> Flight:
    """Return a flight whose ad so many were offered: at half a minor unit a view, ended and settled a day later."""
    flight = adverts.live(budget=1_000, bid=1_000)
    for number in range(seen + unseen):
        viewer = make.member()
        (placed,) = adverts.shown(viewer, session=f"{number}")
        if number < seen:
            adverts.told(viewer, placed, NOON + timedelta(seconds=5))
    operations.lapse_offers(at=NOON + DAY)
    return flight


def settled(flight: Flight, *, at: datetime = NOON + DAY) -> None:
    operations.charge_next(at=at)
    while operations.end_next(at=at) or operations.give_back_next(at=at):
        pass


def summed_up() -> dict[str, Any]:
    return dict(OfferDay.objects.values("offers", "views", "billed", "spent", "gone", "gone_spent").get())


def gone(*, at: datetime = OLD, most: int = 2) -> int:
    """Let all go that may, two at a time, and say how many are left."""
    while operations.drop_next(at=at, most=most):
        pass
    return Offer.objects.count()


def faults() -> list[str]:
    return [fault.promise for fault in ledger_report().faults]


def test_a_day_is_summed_up_once_all_of_it_is_decided() -> None:
    seen_and_not()
    assert operations.sum_up_next(at=NOON + 8 * DAY) == 0  # an offer of its last minute may be held still

    assert [operations.sum_up_next(at=SUMMED) for _ in range(2)] == [1, 0]

    assert summed_up() == {"offers": 5, "views": 3, "billed": 3, "spent": 1_500_000, "gone": 0, "gone_spent": 0}
    verify_ledger()


def test_two_workers_at_once_sum_up_a_day_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one looks which day it is, the other is done with it."""
    seen_and_not()
    name = "billing.ads.operations.keeping.day_of"

    def waits(day: date) -> Any:
        monkeypatch.setattr(name, day_of)
        assert operations.sum_up_next(at=SUMMED) == 1
        return day_of(day)

    monkeypatch.setattr(name, waits)
    operations.sum_up_next(at=SUMMED)

    assert (summed_up()["offers"], summed_up()["spent"]) == (5, 1_500_000)
    verify_ledger()


def test_a_tenant_that_moves_west_has_one_day_of_two_parts(in_school: Tenant) -> None:
    """A day of Shanghai ends at 16:00 in Greenwich, where it goes on until midnight."""
    seen_and_not()
    operations.sum_up_next(at=SUMMED)
    in_school.time_zone = "UTC"
    for number in range(2):
        adverts.shown(make.member(), session=f"later {number}", at=NOON + timedelta(hours=6))
    operations.lapse_offers(at=NOON + DAY)

    operations.sum_up_next(at=SUMMED)

    assert (summed_up()["offers"], summed_up()["spent"]) == (7, 1_500_000)
    verify_ledger()


def test_a_day_of_which_something_is_open_waits() -> None:
    adverts.live()
    adverts.shown(make.member())

    assert operations.sum_up_next(at=SUMMED) == 0


def test_of_a_settled_campaign_all_offers_go_and_the_books_prove_it() -> None:
    flight = seen_and_not()
    settled(flight)
    operations.sum_up_next(at=SUMMED)
    assert gone(at=SUMMED) == 5, "They are young."

    assert gone() == 0

    assert summed_up() == {"offers": 5, "views": 3, "billed": 3, "spent": 1_500_000, "gone": 5, "gone_spent": 1_500_000}
    assert OfferDay.objects.get().gone_at == OLD
    assert faults() == []


def test_of_a_campaign_that_goes_on_what_was_seen_stays_for_its_caps() -> None:
    seen_and_not()
    operations.sum_up_next(at=SUMMED)

    assert gone() == 3

    assert not Offer.objects.filter(viewed_at=None).exists()
    assert faults() == []


def test_what_was_found_to_be_no_viewers_stays() -> None:
    flight = seen_and_not()
    offer = Offer.objects.filter(billed_at__isnull=False).earliest("pk")
    by = make.member(Member.Role.STAFF)
    operations.find_invalid(campaign=flight.campaign, offers=[offer], by=by, note="A farm.", key="k", at=NOON + DAY)
    settled(flight)
    operations.sum_up_next(at=SUMMED)

    assert gone() == 1

    assert InvalidEvent.objects.get().offer == Offer.objects.get()
    assert faults() == []


def test_what_stays_of_a_day_that_is_gone_is_the_rest_of_it() -> None:
    flight = seen_and_not()
    offer = Offer.objects.filter(billed_at__isnull=False).earliest("pk")
    by = make.member(Member.Role.STAFF)
    operations.find_invalid(campaign=flight.campaign, offers=[offer], by=by, note="A farm.", key="k", at=NOON + DAY)
    settled(flight)
    operations.sum_up_next(at=SUMMED)
    gone()

    Offer.objects.update(price=1)

    assert faults() == ["AD1"]


def test_while_loads_are_tried_on_viewers_all_stays_that_the_trial_is_read_from(in_school: Tenant) -> None:
    in_school.settings = {"ad_keep_days": 60}
    settled(seen_and_not())
    trial = loads.tried(6, 12, days=100)
    operations.sum_up_next(at=SUMMED)

    assert gone(at=NOON + 90 * DAY) == 5

    operations.end_load_trials(at=NOON + 101 * DAY)
    assert gone(at=NOON + 101 * DAY) == 0
    trial.refresh_from_db()
    assert trial.ended_at == NOON + 100 * DAY


@pytest.mark.parametrize("changed", ["before", "after", "gone"])
def test_the_books_name_what_was_changed_by_hand(changed: str) -> None:
    """Before it is summed up, the flight says otherwise; after it, what goes is not what was summed up."""
    flight = seen_and_not()
    offers = Offer.objects.filter(billed_at__isnull=False)
    if changed == "before":
        offers.update(price=1)
        assert faults() == ["AD1"]
        return
    settled(flight)
    operations.sum_up_next(at=SUMMED)
    if changed == "after":
        offers.update(price=1)
        gone()
    else:
        OfferDay.objects.update(spent=1)

    assert faults() == ["AD1"]


def test_what_is_offered_after_a_day_was_summed_up_is_asked_of_the_offers() -> None:
    seen_and_not()
    Flight.objects.update(ends_at=NOON + 99 * DAY)
    operations.sum_up_next(at=SUMMED)
    flight = Flight.objects.get()
    told: dict[str, Any] = dict.fromkeys(("chance", "rate", "affinity", "propensity"), 0.5)
    told |= {"offered_at": SUMMED, "expires_at": SUMMED, "billed_at": SUMMED}
    first = Offer.objects.earliest("pk")
    Offer.objects.create(
        campaign=flight.campaign, flight=flight, creative=first.creative, viewer=first.viewer, placement="feed",
        session="later", position=6, price=7, expected=7, **told,
    )  # fmt: skip
    assert faults() == ["AD1"]

    Flight.objects.update(spent=1_500_007)

    assert faults() == []


def test_figures_of_a_day_that_is_counted_anew_are_the_same_without_the_offers() -> None:
    flight, names = seen_and_not(), ("ads_offered", "ads_seen", "ad_spend")
    settled(flight)
    counted()
    before = [by_part(name, Span(NOON.date(), NOON.date())) for name in names]
    operations.sum_up_next(at=SUMMED)
    assert gone() == 0

    counted()

    assert [by_part(name, Span(NOON.date(), NOON.date())) for name in names] == before
    assert before[0] == {"auction": 5}


def test_what_was_billed_after_midnight_is_not_counted_twice_when_what_nobody_saw_has_gone() -> None:
    """Offered a second before midnight in Shanghai, seen four seconds after it; two more nobody saw."""
    adverts.live()
    item, late, viewer = things.video(), NOON + timedelta(hours=4, seconds=-1), make.member()
    page = operations.Page(viewer=viewer, session="late", first=0, items=[item.pk] * 6)
    (placed,) = operations.place_ads(page=page, at=late)
    adverts.told(viewer, placed, late + timedelta(seconds=5))
    for number in range(2):
        adverts.shown(make.member(), session=f"{number}", at=late)
    operations.lapse_offers(at=NOON + DAY)
    days = Span(NOON.date(), NOON.date() + DAY)
    its = Span(NOON.date(), NOON.date() + DAY, item.creator, item)
    counted(0, 1)
    before = [by_part(*of) for of in (("ad_spend", days), ("ads_offered", days), ("ads_seen", its))]
    assert before == [{"auction:CNY": 500_000}, {"auction": 3}, {"auction": 1}]
    operations.sum_up_next(at=SUMMED)
    assert gone() == 1

    counted(0, 1)

    assert [by_part(*of) for of in (("ad_spend", days), ("ads_offered", days), ("ads_seen", its))] == before
