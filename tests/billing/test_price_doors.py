"""Prices that are tried, over HTTP and in the console."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import queries
from billing.models import OrderLine, PriceExperiment, PriceShown
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop
from tests.billing.paying import staff
from tests.billing.test_console_of_money import console_of, done
from tests.billing.trials import arm, tried, viewer_of

API, URL = "/api/v1/", "/api/v1/price-experiments/"


def ask_for(course: Item, **said: Any) -> dict[str, Any]:
    ends_at = (timezone.now() + timedelta(days=7)).isoformat()
    return {"item": course.pk, "name": "spring", "prices": [10_000, 8_000], "ends_at": ends_at} | said


def test_it_is_begun_looked_at_ended_and_adopted(course: Item) -> None:
    seller = make.client(course.creator.member)

    made = seller.post(URL, ask_for(course))
    assert made.status_code == 201
    at = f"{URL}{made.json()['id']}/"
    assert [(of["name"], of["amount"], of["share"]) for of in made.json()["arms"]] == [
        ("A", 10_000, 5_000),
        ("B", 8_000, 5_000),
    ]
    assert [of["id"] for of in seller.get(URL).json()["results"]] == [made.json()["id"]]
    results = seller.get(f"{at}results/").json()
    assert [(of["shown"], of["answer"]) for of in results["arms"]] == [(0, None), (0, "too_few")]
    assert seller.post(f"{API}prices/", {"item": course.pk, "amount": 9_000, "currency": "CNY"}).json()["code"] == (
        "price_is_tried"
    )
    assert seller.post(f"{at}end/", {"why": "enough"}).json()["state"] == "ended"
    assert seller.post(f"{at}adopt/", {"arm": "C"}).status_code == 404
    adopted = seller.post(f"{at}adopt/", {"arm": "B"}).json()
    assert (adopted["state"], adopted["adopted"]) == ("adopted", "B")
    said = seller.get(f"{at}changes/").json()["results"]
    assert [(of["after"], of["why"]) for of in said] == [
        ("adopted", "80.00 CNY"),
        ("ended", "enough"),
        ("running", ""),
    ]
    assert seller.get(f"{API}prices/?item={course.pk}").json()["results"][0]["amount"] == 8_000


def test_the_viewer_is_told_the_same_price_everywhere_and_that_it_is_tried(course: Item) -> None:
    now = timezone.now()
    trial = tried(course, 10_000, 8_000, at=now)
    pack = shop.offered(course.creator, course, minor=9_000)
    viewer = viewer_of(trial, "B")
    client = make.client(viewer)

    [listed] = client.get(f"{API}prices/?item={course.pk}").json()["results"]
    [quoted] = client.post(f"{API}orders/quote/", {"item": course.pk}).json()["lines"]
    order = client.post(f"{API}orders/", {"item": course.pk}).json()
    product = client.get(f"{API}products/{pack.pk}/").json()

    assert (listed["amount"], listed["list_amount"], listed["is_tried"]) == (8_000, 10_000, True)
    assert (quoted["amount"], quoted["list_price"], quoted["is_tried"]) == (8_000, 10_000, True)
    assert order["amount"] == 8_000
    assert order["lines"][0]["tried"] == [{"experiment": trial.pk, "arm": "B", "amount": 8_000}]
    assert (product["amount"], product["list_amount"], product["is_tried"]) == (9_000, 9_000, False)
    dear = make.client(viewer_of(trial, "A"))
    [listed] = dear.get(f"{API}prices/?item={course.pk}").json()["results"]
    assert (listed["amount"], listed["list_amount"], listed["is_tried"]) == (10_000, 10_000, True)
    assert PriceShown.objects.count() == 2


def test_device_language_and_place_of_a_request_change_nothing(course: Item, viewer: Member) -> None:
    tried(course, 10_000, 8_000, at=timezone.now())
    ways = [
        {"User-Agent": "iPhone 99 Pro"},
        {"Accept-Language": "en-US"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Referer": "https://rich.example.org/"},
    ]

    prices = [make.client(viewer).get(f"{API}prices/?item={course.pk}", headers=of).json()["results"] for of in ways]

    assert [of[0]["amount"] for of in prices] == [prices[0][0]["amount"]] * 4


def test_a_rental_is_tried_on_its_pages_too(course: Item) -> None:
    rental = shop.offered(course.creator, course, minor=600, hours=24)
    trial = tried(rental, 600, 500, at=timezone.now())
    client = make.client(viewer_of(trial, "B"))

    [listed] = client.get(f"{API}products/?kind=rental").json()["results"]
    one = client.get(f"{API}products/{rental.pk}/").json()
    order = client.post(f"{API}orders/", {"lines": [{"product": rental.pk}]}).json()

    assert [(of["amount"], of["list_amount"], of["is_tried"]) for of in (listed, one)] == [(500, 600, True)] * 2
    assert OrderLine.objects.get(order=order["id"]).amount == 500


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"prices": [10_000]}, "invalid"),
        ({"prices": [11_000, 10_000]}, "bad_prices"),
        ({"shares": [1, 2]}, "bad_prices"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "bad_span"),
        ({"product": 1}, "invalid"),
        ({"item": 0}, "not_found"),
        ({"name": "not a name"}, "invalid"),
        ({"segment": "rich"}, "invalid"),
    ],
)
def test_what_is_asked_wrongly_is_refused_with_a_code(course: Item, said: dict[str, Any], code: str) -> None:
    asked = make.client(course.creator.member).post(URL, ask_for(course, **said))

    assert (asked.json()["code"], PriceExperiment.objects.count()) == (code, 0)


def test_viewers_neither_try_prices_nor_see_who_does(client: APIClient, course: Item) -> None:
    trial = tried(course, 10_000, 8_000, at=timezone.now())

    assert client.get(URL).json()["results"] == []
    assert client.get(f"{URL}{trial.pk}/results/").status_code == 404
    assert client.post(f"{URL}{trial.pk}/end/", {"why": "x"}).status_code == 404
    assert client.post(URL, ask_for(shop.course_for(10_000), name="mine")).json()["code"] == "not_yours"


def test_lists_ask_no_question_per_row(
    client: APIClient, course: Item, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    now, owner = timezone.now(), course.creator
    courses = [shop.course_for(10_000) for _ in range(4)]
    for number, each in enumerate([course, *courses]):
        tried(each, 10_000, 8_000, name=f"course-{number}", at=now)
    for number in range(3):
        pack = shop.offered(owner, course, minor=500)
        tried(pack, 500, 400, name=f"pack-{number}", at=now)

    for _ in ("new to the viewer", "known to them"):
        with django_assert_max_num_queries(14):
            assert [of["is_tried"] for of in client.get(f"{API}prices/").json()["results"]] == [True] * 5
        with django_assert_max_num_queries(17):
            assert [of["is_tried"] for of in client.get(f"{API}products/").json()["results"]] == [True] * 3
    boss = make.client(staff())
    with django_assert_max_num_queries(11):
        assert len(boss.get(URL).json()["results"]) == 8
    assert PriceShown.objects.count() == 8


def test_in_the_console_it_is_looked_at_ended_and_a_price_adopted(course: Item) -> None:
    trial = tried(course, 10_000, 8_000)
    shop.bought(viewer_of(trial, "B"), course)
    seller = course.creator.member
    seller.role = Member.Role.CREATOR
    seller.save()
    console = console_of(seller)

    page = console.get(f"/admin/billing/priceexperiment/{trial.pk}/change/").content.decode()
    assert "bought by 1 of 1" in page
    assert "too few viewers or buyers" in page
    done(console, "priceexperiment", "end", trial, words="enough")
    done(console, "pricearm", "adopt", arm(trial, "B"))

    trial.refresh_from_db()
    assert (trial.state, trial.adopted) == ("adopted", "B")
    price = queries.price_of(course, at=timezone.now())
    assert price is not None
    assert price.amount == 8_000
