"""What turns out to be no viewer after it was shared comes back, to the unit, from all who had a part of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing import ledger
from billing.ads import operations
from billing.ads.models import Campaign, Charge, Credit, CreditPart, Flight, InvalidEvent, Offer, Share, ShareBack
from billing.ads.queries import ad_statement
from billing.models import Journal
from billing.operations import verify_ledger
from billing.queries.verification import ledger_report
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY, money
from tests.billing.ads.test_charging import SETTLED, watched
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")


def creators(*views: int) -> list[Creator]:
    """Return creators who were watched so often on the day."""
    made = [things.creator(make.member(Member.Role.CREATOR)) for _ in views]
    for creator, times in zip(made, views, strict=True):
        watched(creator, times)
    return made


def seen(viewers: int, *, price: int = 500) -> Flight:
    """Return a flight whose ad so many have seen, at so many thousandths of a minor unit each."""
    flight = adverts.live(budget=90_000, bid=price, tier=Campaign.Tier.SPONSORSHIP)
    for _ in range(viewers):
        viewer = make.member()
        (placed,) = adverts.shown(viewer)
        adverts.told(viewer, placed, NOON + timedelta(seconds=5))
    return flight


def find(offers: list[Offer], *, key: str = "bots", by: Member | None = None, at: datetime = SETTLED) -> Credit | None:
    campaign = offers[0].campaign
    staff = by or make.member(Member.Role.STAFF)
    return operations.find_invalid(campaign=campaign, offers=offers, by=staff, note="A farm.", key=key, at=at)


def billed(flight: Flight) -> list[Offer]:
    return list(Offer.objects.filter(flight=flight, billed_at__isnull=False).select_related("campaign").order_by("pk"))


def test_all_who_had_a_part_give_it_back(in_school: Tenant) -> None:
    """Of 106: 6 tax, 45 the platform's, 33 and 22 the creators'. Half comes back: 53 = 3 + 22 + 17 + 11."""
    in_school.settings = {"tax_bps": 600}
    in_school.save()
    one, other = creators(3, 2)
    flight = seen(2, price=53_000)
    operations.charge_next(at=NOON)
    operations.share_next(at=SETTLED)
    fees = money(ledger.fees("CNY"))

    credit = find(billed(flight)[:1])

    assert credit is not None
    assert credit.amount == 53
    backs = dict(ShareBack.objects.values_list("share__creator", "amount"))
    assert backs[one.pk] + backs[other.pk] + fees - money(ledger.fees("CNY")) == 50
    assert (money(ledger.tax("CNY")), sum(backs.values())) == (3, 28)
    assert money(ledger.available(one, "CNY")) == 33 - backs[one.pk]
    charged = sum(Charge.objects.values_list("amount", flat=True))
    left = [money(ledger.available(creator, "CNY")) for creator in (one, other)]
    assert charged == sum(left) + (money(ledger.fees("CNY")) + 600) + money(ledger.tax("CNY")) + credit.amount
    verify_ledger()


def test_whatever_is_found_in_whichever_order_nothing_is_left_in_the_end(in_school: Tenant) -> None:
    in_school.settings = {"tax_bps": 600}
    in_school.save()
    found = creators(1, 1, 5)
    flight = seen(8, price=2_500)
    operations.charge_next(at=NOON)
    operations.share_next(at=SETTLED)
    offers = billed(flight)

    for number in range(0, 8, 3):
        find(offers[number : number + 3], key=f"k{number}")
        verify_ledger()

    assert sum(Credit.objects.values_list("amount", flat=True)) == flight_charged(flight) == 20
    assert (money(ledger.tax("CNY")), money(ledger.fees("CNY"))) == (0, -600)
    assert [money(ledger.available(creator, "CNY")) for creator in found] == [0, 0, 0]


def flight_charged(flight: Flight) -> int:
    flight.refresh_from_db()
    return flight.charged


def test_what_was_paid_out_becomes_a_debt() -> None:
    (creator,) = creators(1)
    flight = seen(4, price=25_000)
    operations.charge_next(at=NOON)
    operations.share_next(at=SETTLED)
    available = ledger.available(creator, "CNY")
    away = [(available, ledger.in_transit(creator, "CNY"), available.balance)]
    ledger.post(kind=Journal.Kind.PAYOUT, key="out", transfers=away, at=SETTLED)

    find(billed(flight))

    assert (money(ledger.clawback(creator, "CNY")), money(ledger.available(creator, "CNY"))) == (-55, 0)
    assert [fault.promise for fault in ledger_report().faults if fault.promise.startswith("AD")] == []


def test_of_a_day_that_is_not_shared_less_is_shared() -> None:
    (creator,) = creators(1)
    flight = seen(4, price=25_000)

    find(billed(flight)[:2], at=NOON)  # it is charged first
    assert money(ledger.ad_revenue("CNY")) == 50
    verify_ledger()
    operations.share_next(at=SETTLED)

    assert (money(ledger.available(creator, "CNY")), ShareBack.objects.count()) == (28, 0)  # 55 % of 50, rounded
    find(billed(flight)[2:], key="rest")
    assert (money(ledger.available(creator, "CNY")), money(ledger.fees("CNY"))) == (0, -600)
    verify_ledger()


def test_a_day_of_which_all_came_back_is_shared_as_nothing() -> None:
    creators(1)
    flight = seen(2, price=5_000)

    find(billed(flight), at=NOON)
    assert operations.share_next(at=SETTLED) == 1

    assert not Share.objects.exists()
    verify_ledger()


def test_what_was_found_is_found_once() -> None:
    creators(1)
    flight = seen(2, price=5_000)
    operations.charge_next(at=NOON)
    operations.share_next(at=SETTLED)

    first, again = (find(billed(flight)[:1]) for _ in range(2))
    other = find(billed(flight)[:1], key="other")

    assert first == again
    assert other is None
    assert (Credit.objects.get().amount, InvalidEvent.objects.count()) == (5, 1)


def test_parts_of_a_unit_wait_and_what_was_credited_is_not_given_twice() -> None:
    """Of ten views at half a unit one is none yet, four are 2; with a make-good of 2 there is 1 left of all 5."""
    flight = seen(10)
    operations.charge_next(at=NOON)
    offers, staff = billed(flight), make.member(Member.Role.STAFF)

    assert find(offers[:1]) is None
    assert sum(part.amount for part in CreditPart.objects.all()) == 0
    assert getattr(find(offers[1:4], key="more"), "amount", 0) == 2
    given: dict[str, Any] = {"amount": 2, "reason": "make_good", "note": "Sorry.", "key": "good", "at": SETTLED}
    operations.credit_advertiser(campaign=flight.campaign, by=staff, **given)
    assert getattr(find(offers, key="all"), "amount", 0) == 1

    told = ad_statement(flight.campaign.advertiser, currency="CNY", since=NOON, until=SETTLED + DAY)
    assert told.closing.minor == 100_000
    verify_ledger()


def test_only_staff_find_it_say_why_and_find_what_was_billed() -> None:
    flight = seen(4)
    viewer = make.member()
    (placed,) = adverts.shown(viewer)
    open_offer = Offer.objects.select_related("campaign").get(public_id=placed.offer.id)

    with pytest.raises(operations.NotBilled):
        find([open_offer])
    with pytest.raises(Exception, match="staff"):
        find(billed(flight), by=flight.campaign.advertiser.member)
    with pytest.raises(operations.NoReason):
        operations.find_invalid(
            campaign=flight.campaign, offers=[], by=make.member(Member.Role.STAFF), note=" ", key="k", at=NOON
        )


def test_the_days_of_a_flight_give_back_their_own() -> None:
    flight = adverts.live(budget=10_000)
    for day in range(2):
        for _ in range(10):
            viewer, at = make.member(), NOON + timedelta(hours=14 * day)
            (placed,) = adverts.shown(viewer, at=at)
            adverts.told(viewer, placed, at + timedelta(seconds=5))
        operations.charge_next(at=NOON + timedelta(hours=14 * day, minutes=1))

    find(billed(flight)[12:])

    days = list(Charge.objects.order_by("day").values_list("day", flat=True))
    assert list(CreditPart.objects.values_list("day", "amount")) == [(days[1], 4)]
    verify_ledger()


def test_the_books_name_what_was_changed_by_hand() -> None:
    creators(1)
    flight = seen(2, price=5_000)
    operations.charge_next(at=NOON)
    operations.share_next(at=SETTLED)
    find(billed(flight))

    credit, share = Credit.objects.get(), Share.objects.get()
    ShareBack.objects.create(credit=adverts_credit(flight), share=share, amount=1)

    assert {fault.promise for fault in ledger_report().faults} == {"AD6", "AD7", "AD8"}
    assert credit.amount == 10


def adverts_credit(flight: Flight) -> Credit:
    """Return a credit of nothing that was booked."""
    of = Credit.objects.get()
    told = {"campaign": flight.campaign, "advertiser": flight.campaign.advertiser, "by": of.by, "journal": of.journal}
    return Credit.objects.create(
        **told, reason="invalid", note="x", amount=1, currency="CNY", key="by hand", credited_at=NOON
    )


def test_staff_find_it_through_the_api_and_creators_see_it() -> None:
    (creator,) = creators(1)
    flight = seen(3, price=5_000)
    operations.charge_next(at=NOON)
    operations.share_next(at=SETTLED)
    staff = make.client(make.member(Member.Role.STAFF))
    listed = staff.get("/api/v1/ad-billed/", {"campaign": flight.campaign_id}).json()["results"]
    asked = {"campaign": flight.campaign_id, "offers": [listed[0]["id"]], "note": "A farm."}

    answers = [staff.post("/api/v1/ad-billed/", asked, headers={"Idempotency-Key": "once"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["credit"]["amount"] for answer in answers] == [5, 5]
    assert staff.post("/api/v1/ad-billed/", asked | {"offers": [10**9]}).json()["code"] == "not_billed"
    own = make.client(flight.campaign.advertiser.member)
    assert own.post("/api/v1/ad-billed/", asked).status_code == own.get("/api/v1/ad-billed/").status_code == 403
    share = make.client(creator.member).get("/api/v1/ad-shares/").json()["results"][0]
    assert (share["amount"], share["taken_back"]) == (8, 3)
