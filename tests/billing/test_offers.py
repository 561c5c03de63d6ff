"""What is offered beside single items: who may, at which price, what of, and who changed it."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import operations
from billing.models import OfferChange, Product
from billing.money import Money
from billing.operations import Wanted
from catalog.operations import NotYours
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
PATH = "/api/v1/products/"


@pytest.fixture
def creator() -> Creator:
    return things.creator(make.member(Member.Role.CREATOR))


def bundle_of(*items: Any, **said: Any) -> dict[str, Any]:
    contents = [{"item": item.pk} for item in items]
    return {"kind": "bundle", "title": "Both", "amount": 5_000, "contents": contents} | said


def test_a_creator_offers_changes_and_withdraws_a_bundle(creator: Creator) -> None:
    courses, client = [things.course(creator), things.course(creator)], make.client(creator.member)

    made = client.post(PATH, bundle_of(*courses)).json()
    at = f"{PATH}{made['id']}/"
    client.patch(at, {"amount": 4_000, "title": "Two"})
    before = make.client(make.member()).get(PATH).json()["results"]
    client.post(f"{at}withdraw/")

    assert (made["creator"], [of["item"] for of in made["contents"]]) == (creator.handle, [c.pk for c in courses])
    assert [(of["title"], of["amount"]) for of in before] == [("Two", 4_000)]
    changes = client.get(f"{at}changes/").json()["results"]
    assert [sorted(of["after"]) for of in changes][:2] == [["withdrawn_at"], ["amount", "currency", "title"]]
    assert changes[1]["before"] == {"amount": 5_000, "currency": "CNY", "title": "Both"}


def test_what_was_withdrawn_is_seen_by_its_creator_and_staff_only_and_not_sold(creator: Creator) -> None:
    pack = shop.offered(creator, things.course(creator), minor=500)
    now = timezone.now()
    operations.withdraw_product(product=pack, by=creator.member, at=now)
    operations.withdraw_product(product=pack, by=creator.member, at=now)

    shown = [
        len(make.client(of).get(PATH).json()["results"])
        for of in (creator.member, make.member(Member.Role.STAFF), make.member())
    ]
    assert shown == [1, 1, 0]
    assert make.client(make.member()).get(f"{PATH}{pack.pk}/changes/").status_code == 404
    with pytest.raises(operations.NotForSale):
        operations.order_all(
            viewer=make.member(), wanted=[Wanted(product=Product.objects.get())], key="key", at=timezone.now()
        )
    with pytest.raises(operations.Withdrawn):
        operations.revise_product(product=pack, by=creator.member, title="Again", at=NOON)
    assert OfferChange.objects.count() == 2


def test_staff_bundle_anybodys_items_as_the_tenants_own_and_a_creator_only_theirs(creator: Creator) -> None:
    other = things.course()
    staff, theirs = make.client(make.member(Member.Role.STAFF)), make.client(creator.member)

    made = staff.post(PATH, bundle_of(other, things.course(creator)))
    refused = theirs.post(PATH, bundle_of(other))

    assert (made.status_code, made.json()["creator"]) == (201, None)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_contents")
    assert make.client(make.member()).post(PATH, bundle_of(other)).json()["code"] == "not_yours"
    assert theirs.post(PATH, bundle_of(creator=other.creator.handle)).json()["code"] == "not_yours"


def test_others_change_nothing(creator: Creator) -> None:
    pack = shop.offered(creator, things.course(creator), minor=500)
    stranger = make.member()

    with pytest.raises(NotYours):
        operations.revise_product(product=pack, by=stranger, title="Mine", at=NOON)
    with pytest.raises(NotYours):
        operations.withdraw_product(product=pack, by=stranger, at=NOON)
    assert make.client(stranger).get(f"{PATH}{pack.pk}/changes/").json()["code"] == "not_yours"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"amount": 0}, "invalid"),
        ({"amount": -1}, "invalid"),
        ({"amount": 10**12 + 1}, "invalid"),
        ({"amount": 1.5}, "invalid"),
        ({"currency": "USD"}, "wrong_currency"),
        ({"currency": "???"}, "wrong_currency"),
        ({"contents": []}, "bad_contents"),
        ({"kind": "coins"}, "invalid"),
        ({"kind": "rental"}, "bad_contents"),
        ({"contents": [{"item": 0}]}, "not_found"),
        ({"creator": "nobody-is-called-so"}, "not_found"),
    ],
)
def test_what_cannot_be_offered_is_refused_with_a_code(creator: Creator, said: dict[str, Any], code: str) -> None:
    ask = bundle_of(things.course(creator)) | said

    assert make.client(creator.member).post(PATH, ask).json()["code"] == code


@pytest.mark.parametrize("amount", [yuan(0), yuan(-5), yuan(10**12 + 1), Money(500, "USD")])
def test_no_price_is_nothing_less_too_much_or_in_other_money(creator: Creator, amount: Money) -> None:
    with pytest.raises(Refused) as refused:
        shop.offered(creator, things.course(creator), minor=1, amount=amount)

    assert refused.value.code in {"no_such_price", "wrong_currency"}


@pytest.mark.parametrize("hours", [(None, 24), (24, 24), (0,), (-1,), (24 * 367,)])
def test_a_rental_is_of_one_item_for_some_hours(creator: Creator, hours: tuple[int | None, ...]) -> None:
    contents = [operations.Filling(things.course(creator), of) for of in hours]

    with pytest.raises(operations.BadContents):
        shop.offered(creator, minor=300, hours=1, contents=contents)


def test_the_same_item_twice_is_no_bundle(creator: Creator) -> None:
    course = things.course(creator)

    with pytest.raises(operations.BadContents):
        shop.offered(creator, course, course, minor=300)


def test_a_bundle_with_something_withdrawn_is_not_sold(creator: Creator) -> None:
    pack = shop.offered(creator, things.course(creator), things.video(creator, published_at=None), minor=300)

    with pytest.raises(operations.NotForSale):
        operations.order_all(viewer=make.member(), wanted=[Wanted(product=pack)], key="key", at=NOON)


def test_an_order_keeps_the_price_it_was_placed_at(creator: Creator) -> None:
    pack, viewer = shop.offered(creator, things.course(creator), minor=500), make.member()
    order = operations.order_all(viewer=viewer, wanted=[Wanted(product=pack)], key="key", at=NOON)

    operations.revise_product(product=pack, by=creator.member, amount=yuan(900), at=NOON)

    operations.capture(payment=shop.payment_of(order), reference="co", at=NOON)
    assert shop.line_of(order).amount == 500
    assert shop.books_are_good()


def test_the_preview_of_a_paid_video_is_told_and_shorter_than_it(creator: Creator) -> None:
    client = make.client(creator.member)
    ask = {"title": "Scales", "duration_ms": 60_000, "is_free": False, "preview_seconds": 10}

    made = client.post("/api/v1/videos/", ask).json()

    assert made["preview_seconds"] == 10
    refused = client.patch(f"/api/v1/videos/{made['id']}/", {"preview_seconds": 60})
    assert (refused.status_code, refused.json()["code"]) == (400, "preview_too_long")
    assert client.post("/api/v1/videos/", ask | {"preview_seconds": 61}).json()["code"] == "preview_too_long"


def test_products_are_found_by_kind_and_creator_and_not_from_elsewhere(creator: Creator, agency: Tenant) -> None:
    shop.offered(creator, things.course(creator), minor=500)
    shop.offered(creator, things.course(creator), minor=500, hours=24)
    shop.bundle(things.creator(), minor=500)
    client = make.client(make.member())

    for query, count in (("kind=bundle", 2), (f"creator={creator.handle}", 2), ("kind=rental&creator=x", 0)):
        assert len(client.get(f"{PATH}?{query}").json()["results"]) == count
    assert client.get(f"{PATH}?kind=x").status_code == 400
    with scope(agency):
        stranger = make.client(make.member(Member.Role.ADMIN))
    assert stranger.get(PATH).json()["results"] == []


def test_a_page_of_products_costs_the_same_however_many_there_are(
    client: APIClient, creator: Creator, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        shop.offered(creator, things.course(creator), things.course(creator), minor=500)
    client.get(PATH)

    with django_assert_max_num_queries(10):
        assert len(client.get(PATH).json()["results"]) == 4
