"""What is said with a gift, who reads it, who gave most; over HTTP too."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import operations, queries
from billing.models import Giving, Order
from billing.operations import Said, Wanted
from catalog.operations import mute_word
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON


def tipped(viewer: Member, creator: Creator, minor: int, key: str = "tip", said: Said = Said("Bravo!")) -> Order:  # noqa: B008  never changed
    return shop.bought_all(viewer, Wanted(creator=creator, amount=yuan(minor), said=said), key=key)


def leaders(creator: Creator) -> list[tuple[int, int]]:
    found = queries.leaders(
        Creator.objects.filter(pk=creator.pk), since=NOON - timedelta(days=1), until=NOON + timedelta(days=1)
    )
    return [(leader["viewer"], leader["amount"]) for leader in found]


def test_a_tip_is_shown_once_it_is_paid_and_until_it_is_given_back(viewer: Member) -> None:
    creator = things.creator()
    tip = Wanted(creator=creator, amount=yuan(500), said=Said("Bravo!"))
    order = operations.order_all(viewer=viewer, wanted=[tip], key="tip", at=NOON)
    assert not queries.givings_to(creator, reader=viewer)

    operations.capture(payment=shop.payment_of(order), reference="co", at=NOON)
    assert [g.message for g in queries.givings_to(creator, reader=viewer)] == ["Bravo!"]

    staff = make.member(Member.Role.STAFF)
    back = operations.refund(line=shop.line_of(order), by=staff, amount=None, key="back", at=NOON)
    assert not queries.givings_to(creator, reader=viewer)
    operations.fail_refund(refund=back, reason="no", at=NOON)
    assert queries.givings_to(creator, reader=viewer)


def test_who_gave_most_comes_first_less_what_was_given_back(viewer: Member) -> None:
    creator, other = things.creator(), make.member()
    order = tipped(viewer, creator, 500)
    tipped(other, creator, 400)
    tipped(other, creator, 50, key="more")
    tipped(make.member(), creator, 9_000, said=Said(is_anonymous=True))
    tipped(viewer, things.creator(), 9_000, key="elsewhere")
    assert leaders(creator) == [(viewer.pk, 500), (other.pk, 450)]

    shop.give_back(order, 100)

    assert leaders(creator) == [(other.pk, 450), (viewer.pk, 400)]


def test_words_that_the_reader_has_muted_are_not_shown(client: APIClient, viewer: Member) -> None:
    creator = things.creator()
    tipped(make.member(), creator, 500, said=Said("Come to my casino"))
    url = f"/api/v1/givings/?creator={creator.handle}"
    assert client.get(url).json()["results"][0]["message"] == "Come to my casino"

    mute_word(viewer=viewer, word="casino", at=NOON)

    assert [g["message"] for g in client.get(url).json()["results"]] == [""]


def test_coins_are_bought_given_and_given_back_over_http(client: APIClient, viewer: Member, in_school: Tenant) -> None:
    staff, creator = make.client(make.member(Member.Role.STAFF)), things.creator()
    pack = staff.post("/api/v1/coin-packs/", {"title": "A hundred", "coins": 100}).json()
    gift = staff.post("/api/v1/gifts/", {"name_zh": "玫瑰", "name_en": "Rose", "coins": 10}).json()
    assert (pack["amount"], client.get("/api/v1/coin-packs/").json()["results"][0]["coins"]) == (1_000, 100)
    placed = client.post("/api/v1/orders/", {"lines": [{"product": pack["id"]}]}).json()
    order = Order.objects.get(pk=placed["id"])
    operations.capture(payment=shop.payment_of(order), reference="co", at=timezone.now())

    ask = {"gift": gift["id"], "creator": creator.handle, "pieces": 2, "message": "Bravo!", "anonymous": True}
    once = {"Idempotency-Key": "once"}
    given = [client.post("/api/v1/givings/", ask, headers=once) for _ in range(2)]

    assert [(g.status_code, g.json()["coins"], g.json()["viewer"]) for g in given] == [(201, 20, None)] * 2
    assert client.get("/api/v1/coins/").json()["coins"] == 80
    assert client.delete("/api/v1/coins/").json()[0]["amount"] == 800
    assert client.get("/api/v1/coins/").json()["coins"] == 0
    taken = f"/api/v1/givings/{given[0].json()['id']}/take-back/"
    assert client.post(taken, {"reason": "x"}).status_code == 403
    assert staff.post(taken, {"reason": "x"}).json()["taken_back_at"] is not None
    assert client.get("/api/v1/coins/").json()["coins"] == 20


def test_a_tip_with_a_message_is_ordered_over_http(client: APIClient, viewer: Member) -> None:
    creator = things.creator()
    line = {"creator": creator.handle, "amount": 500, "message": "Bravo!", "anonymous": True}

    assert client.post("/api/v1/orders/", {"lines": [line]}).status_code == 201
    assert client.post("/api/v1/orders/", {"lines": [line | {"message": "x" * 201}]}).status_code == 400

    kept = Giving.objects.get()
    assert (kept.message, kept.is_anonymous, kept.paid_at) == ("Bravo!", True, None)


def test_leaders_are_told_over_http(client: APIClient, viewer: Member) -> None:
    creator = things.creator()
    shop.bought_all(viewer, Wanted(creator=creator, amount=yuan(500)), at=timezone.now())

    told = client.get(f"/api/v1/givings/leaders/?creator={creator.handle}").json()

    assert [(t["viewer"], t["amount"], t["times"]) for t in told] == [(viewer.pk, 500, 1)]
    assert client.get("/api/v1/givings/leaders/?creator=nobody").status_code == 404


@pytest.mark.parametrize("path", ["coin-packs/", "gifts/", "givings/", "coins/"])
def test_lists_ask_as_often_for_one_row_as_for_many(
    client: APIClient, viewer: Member, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    staff, creator = make.member(Member.Role.STAFF), things.creator()
    for turn in range(3):
        shop.coined(viewer, 1_000, key=f"{turn}")
        gift = operations.make_gift(by=staff, name_zh="花", name_en="Flower", coins=1, at=NOON)
        operations.give_gift(viewer=viewer, gift=gift, creator=creator, key=f"{turn}", at=NOON)

    with django_assert_max_num_queries(9):
        assert client.get(f"/api/v1/{path}").status_code == 200


def test_only_staff_make_gifts_and_sell_coins(client: APIClient) -> None:
    pack, gift = {"title": "x", "coins": 1}, {"name_zh": "x", "name_en": "x", "coins": 1}

    assert client.post("/api/v1/coin-packs/", pack).json()["code"] == "staff_sell_coins"
    assert client.post("/api/v1/gifts/", gift).json()["code"] == "staff_make_gifts"


def test_one_says_that_one_is_under_age_and_staff_take_it_back(client: APIClient, viewer: Member) -> None:
    assert client.patch("/api/v1/me/", {"is_minor": True}).json()["is_minor"] is True
    assert client.patch("/api/v1/me/", {"is_minor": False}).json()["code"] == "not_your_rank"
    assert client.patch("/api/v1/me/", {"name": "Li"}).json()["is_minor"] is True


def test_nothing_that_a_creator_reads_tells_who_gave_without_a_name(viewer: Member) -> None:
    creator, staff = things.creator(make.member()), make.member(Member.Role.STAFF)
    shop.coined(viewer, 10_000)
    rose = operations.make_gift(by=staff, name_zh="玫瑰", name_en="Rose", coins=10, at=NOON)
    for n, said in enumerate((Said(is_anonymous=True), Said())):
        operations.give_gift(viewer=viewer, gift=rose, creator=creator, said=said, key=f"my own key {n}", at=NOON)
    operations.paying.settle(month=NOON.date(), at=NOON + timedelta(days=40))

    statement = queries.settlements_seen_by(creator.member).get()
    keys = [entry.key for entry in queries.entries_of(statement)]

    assert len(keys) == 2
    assert not [key for key in keys if "my own key" in key or str(viewer.pk) in key.split(":")]
