"""Instalments over HTTP: offered, ordered, paid, looked at."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing.models import Charge, InstalmentPlan
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, parts, shop

API = "/api/v1/"


@pytest.fixture
def plan(sandbox: Server, course: Item, viewer: Member) -> InstalmentPlan:
    return parts.begun(sandbox, course, viewer, at=timezone.now())


def test_a_course_is_offered_ordered_and_paid_in_parts(
    client: APIClient, viewer: Member, course: Item, sandbox: Server
) -> None:
    seller = make.client(course.creator.member)
    offer = seller.post(f"{API}instalment-offers/", {"item": course.pk, "parts": 3}).json()
    assert client.get(f"{API}instalment-offers/?item={course.pk}").json()["results"] == [offer]
    ask = {"item": course.pk, "instalments": 3}

    asked = [client.post(f"{API}orders/", ask, headers={"Idempotency-Key": "once"}).json() for _ in range(2)]
    assert asked[0] == asked[1]
    assert (asked[0]["amount"], asked[0]["lines"][0]["kind"]) == (3_334, "instalment")
    payment = client.post(f"{API}orders/{asked[0]['id']}/pay/", {}).json()
    shop.press(payment["checkout_url"])
    shop.deliver_all(sandbox.bank, tenant=viewer.tenant)

    [plan] = client.get(f"{API}instalment-plans/").json()["results"]
    assert (plan["state"], plan["paid"], plan["count"], plan["title"]) == ("active", 1, 3, course.title)
    assert plan["method"] is not None
    assert [part["amount"] for part in plan["parts"]] == [3_334]
    rest = client.post(f"{API}instalment-plans/{plan['id']}/pay-rest/").json()
    assert [part["amount"] for part in rest["parts"]] == [3_334, 6_666]
    members.tick(timezone.now())
    assert client.get(f"{API}instalment-plans/{plan['id']}/").json()["state"] == "paid"
    said = client.get(f"{API}instalment-plans/{plan['id']}/changes/").json()["results"]
    assert [(change["by"], change["after"]) for change in said][:2] == [(None, "paid"), (viewer.name, "active")]
    assert seller.post(f"{API}instalment-offers/{offer['id']}/withdraw/").json()["withdrawn_at"] is not None


def test_one_thing_is_paid_in_parts_and_without_a_coupon(client: APIClient, course: Item) -> None:
    def code(**ask: Any) -> str:
        return str(client.post(f"{API}orders/", ask).json()["code"])

    assert code(item=course.pk, instalments=3) == "not_in_parts"
    assert code(item=course.pk, instalments=3, coupon="HALF") == "invalid"
    assert code(lines=[{"item": course.pk}, {"item": course.pk}], instalments=3) == "invalid"
    assert code(item=course.pk, instalments=13) == "invalid"


def test_another_method_is_charged_and_only_staff_forgive(
    client: APIClient, viewer: Member, plan: InstalmentPlan, sandbox: Server
) -> None:
    url = f"{API}instalment-plans/{plan.pk}/"
    method = members.saved_method(sandbox, viewer, at=timezone.now())

    assert client.post(f"{url}change-method/", {"method": method.pk}).json()["method"] == method.pk
    assert client.post(f"{url}forgive/", {"why": "x"}).json()["code"] == "not_your_plan"
    staff = make.client(make.member(Member.Role.STAFF))
    assert staff.post(f"{url}forgive/", {"why": "goodwill"}).json()["state"] == "forgiven"


def test_others_plans_are_not_there(plan: InstalmentPlan) -> None:
    other = make.client(make.member())

    assert other.get(f"{API}instalment-plans/").json()["results"] == []
    assert other.post(f"{API}instalment-plans/{plan.pk}/pay-rest/").status_code == 404
    assert Charge.objects.count() == 0


def test_lists_ask_no_question_per_row(
    client: APIClient, viewer: Member, sandbox: Server, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        course = shop.course_for(10_000)
        order = parts.placed(course, viewer, key=f"parts {number}")
        members.paid_at_the_page(sandbox, order, at=timezone.now())

    for path in ("instalment-offers", "instalment-plans"):
        with django_assert_max_num_queries(14):
            assert len(client.get(f"{API}{path}/").json()["results"]) == 4
