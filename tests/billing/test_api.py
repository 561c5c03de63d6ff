"""The doors of money, asked by buyers, creators, staff, programs and strangers."""

import io
from contextlib import redirect_stderr
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import ledger
from billing.models import Journal, Order, Payment
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import issue_token
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import bought, deliver_all, ordered, press, yuan


def order_over_http(client: APIClient, course: Item, **headers: str) -> Any:
    return client.post("/api/v1/orders/", {"item": course.pk}, headers=headers)


def test_a_course_is_bought_and_given_back_over_http(
    client: APIClient, viewer: Member, course: Item, sandbox: Server
) -> None:
    order = order_over_http(client, course).json()
    assert (order["state"], order["amount"], order["currency"]) == ("placed", 10_000, "CNY")

    payment = client.post(f"/api/v1/orders/{order['id']}/pay/", {}).json()
    press(payment["checkout_url"])
    deliver_all(sandbox.bank, tenant=viewer.tenant)
    paid = client.get(f"/api/v1/orders/{order['id']}/").json()
    assert (paid["state"], paid["payments"][0]["state"]) == ("paid", "captured")

    refund = client.post(f"/api/v1/orders/{order['id']}/refund/", {"amount": 2_500})
    assert (refund.status_code, refund.json()["amount"], refund.json()["state"]) == (201, 2_500, "asked")
    rest = client.post(f"/api/v1/orders/{order['id']}/refund/", {})
    assert rest.json()["amount"] == 7_500
    assert client.get(f"/api/v1/orders/{order['id']}/").json()["state"] == "refunded"


def test_under_one_key_there_is_one_order(client: APIClient, course: Item) -> None:
    answers = [order_over_http(client, course, **{"Idempotency-Key": "once"}) for _ in range(2)]

    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Order.objects.count() == 1


def test_a_refund_sent_again_is_given_once(client: APIClient, viewer: Member, course: Item) -> None:
    order = bought(viewer, course, at=timezone.now())
    url, key = f"/api/v1/orders/{order.pk}/refund/", {"Idempotency-Key": "once"}

    answers = [client.post(url, {"amount": 100}, headers=key).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert ledger.refund_clearing("CNY").balance == yuan(100)


def test_a_provider_that_is_away_is_said_so_and_nothing_is_written(
    client: APIClient, viewer: Member, course: Item, settings: Any
) -> None:
    order = ordered(viewer, course)
    settings.SANDBOX_URL = "http://127.0.0.1:1"

    answer = client.post(f"/api/v1/orders/{order.pk}/pay/", {})

    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


def test_a_creator_prices_their_own_course(course: Item, viewer: Member) -> None:
    creator = make.client(course.creator.member)
    ask = {"item": course.pk, "amount": 19_900, "currency": "CNY"}

    assert creator.post("/api/v1/prices/", ask).status_code == 201
    assert make.client(viewer).post("/api/v1/prices/", ask).json()["code"] == "not_yours"

    prices = creator.get(f"/api/v1/prices/?item={course.pk}").json()["results"]
    assert [(p["amount"], p["currency"]) for p in prices] == [(19_900, "CNY")]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("orders/", {"item": 0}, 404, "not_found"),
        ("orders/", {"item": 2**70}, 400, "invalid"),
        ("orders/", {"item": "x"}, 400, "invalid"),
        ("orders/", {"item": 1, "price": 1}, 400, "invalid"),
        ("orders/0/pay/", {}, 404, "not_found"),
        ("orders/0/refund/", {"amount": -1}, 400, "invalid"),
        ("orders/0/refund/", {}, 404, "not_found"),
        (f"orders/{10**30}/refund/", {}, 404, "not_found"),
        ("prices/", {"item": 0, "amount": 1, "currency": "CNY"}, 404, "not_found"),
        ("prices/", {"item": 0, "amount": 0, "currency": "CNY"}, 400, "invalid"),
        ("prices/", {"item": 0, "amount": 10**30, "currency": "CNY"}, 400, "invalid"),
        ("prices/", {"item": 0, "amount": 1.5, "currency": "CNY"}, 400, "invalid"),
        ("prices/", {"item": 0, "amount": 1, "currency": "XXX"}, 400, "invalid"),
    ],
)
def test_bad_input_is_refused_with_a_code(
    client: APIClient, path: str, body: dict[str, object], status: int, code: str
) -> None:
    answer = client.post(f"/api/v1/{path}", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_bad_queries_are_refused_or_find_nothing(client: APIClient) -> None:
    assert client.get("/api/v1/prices/?item=x").status_code == 400
    assert client.get(f"/api/v1/prices/?item={2**80}").json()["results"] == []


def test_others_orders_are_not_there(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    stranger = make.client(make.member())

    assert stranger.get(f"/api/v1/orders/{order.pk}/").status_code == 404
    assert stranger.post(f"/api/v1/orders/{order.pk}/pay/", {}).status_code == 404
    assert stranger.post(f"/api/v1/orders/{order.pk}/refund/", {}).status_code == 404
    assert stranger.get("/api/v1/orders/").json()["results"] == []


def test_staff_see_and_refund_every_order_of_their_tenant(viewer: Member, course: Item) -> None:
    order = bought(viewer, course)
    staff = make.client(make.member(Member.Role.STAFF))

    assert staff.get(f"/api/v1/orders/{order.pk}/").status_code == 200
    assert staff.post(f"/api/v1/orders/{order.pk}/refund/", {}).status_code == 201
    assert staff.post(f"/api/v1/orders/{order.pk}/pay/", {}).status_code == 404


def test_the_other_tenant_finds_none_of_it(viewer: Member, course: Item, agency: Tenant) -> None:
    order = bought(viewer, course)
    with scope(agency):
        staff = make.client(make.member(Member.Role.ADMIN))

    for path in ("", "pay/", "refund/"):
        ask = staff.get if not path else staff.post
        assert ask(f"/api/v1/orders/{order.pk}/{path}").status_code == 404
    assert staff.post("/api/v1/orders/", {"item": course.pk}).status_code == 404
    assert staff.post("/api/v1/prices/", {"item": course.pk, "amount": 1, "currency": "CNY"}).status_code == 404
    for path in ("orders", "prices", "balances", "journals"):
        assert staff.get(f"/api/v1/{path}/").json()["results"] == []


def test_a_creator_sees_what_they_have_earned(viewer: Member, course: Item) -> None:
    bought(viewer, course)

    balances = make.client(course.creator.member).get("/api/v1/balances/").json()["results"]

    assert [(b["kind"], b["amount"], b["currency"]) for b in balances] == [("pending", 8_940, "CNY")]
    assert make.client(viewer).get("/api/v1/balances/").json()["results"] == []


def test_staff_read_the_ledger_and_others_do_not(client: APIClient, viewer: Member, course: Item) -> None:
    bought(viewer, course)

    (journal,) = make.client(make.member(Member.Role.STAFF)).get("/api/v1/journals/").json()["results"]

    assert journal["link"] == bytes(Journal.objects.get().link).hex()
    assert sum(t["amount"] for t in journal["transfers"]) == 10_000
    assert {t["debit"] for t in journal["transfers"]} == {"clearing/CNY"}
    assert client.get("/api/v1/journals/").json()["code"] == "staff_only"


@pytest.mark.parametrize(("scopes", "status"), [(["read", "write"], 403), (["money"], 201)])
def test_a_program_needs_the_scope_money(viewer: Member, course: Item, scopes: list[str], status: int) -> None:
    _, key = issue_token(member=viewer, name="till", scopes=scopes, at=timezone.now())
    program = APIClient(headers={"host": "school.localhost", "authorization": f"Bearer {key}"})

    assert program.post("/api/v1/orders/", {"item": course.pk}).status_code == status


def test_nobody_buys_without_signing_in(course: Item) -> None:
    stranger = APIClient(headers={"host": "school.localhost"})

    assert stranger.post("/api/v1/orders/", {"item": course.pk}).status_code in {401, 403}
    assert Payment.objects.count() == 0


def test_a_page_of_orders_costs_the_same_however_many_there_are(
    client: APIClient, viewer: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        shop.give_back(bought(viewer, shop.course_for(100), key=f"{number}"), 10)
    client.get("/api/v1/orders/")

    with django_assert_max_num_queries(14):
        assert len(client.get("/api/v1/orders/").json()["results"]) == 5


def test_the_description_has_no_warnings() -> None:
    said = io.StringIO()
    with redirect_stderr(said):
        call_command("spectacular", file="/dev/null", validate=True)

    assert said.getvalue() == ""
    assert reverse("sandbox-webhook") == "/api/v1/webhooks/sandbox/"
