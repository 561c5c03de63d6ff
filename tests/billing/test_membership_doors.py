"""Memberships over HTTP: offered, joined, tried, changed, given."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from billing import operations
from billing.models import PaymentMethod, Subscription
from billing.providers.sandbox.server import Server
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.catalog import things

API = "/api/v1/"


def offered(creator: APIClient, **more: Any) -> dict[str, Any]:
    """Return the tier that a creator offers by the month, as it is told."""
    tier = creator.post(f"{API}tiers/", {"title": "Club"}).json()
    answer = creator.post(f"{API}tiers/{tier['id']}/plans/", {"interval": "month", "amount": 3_000, **more})
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture
def creator(viewer: Member) -> APIClient:
    owner = things.creator(make.member(Member.Role.CREATOR))
    assert owner.member is not None
    return make.client(owner.member)


def test_a_membership_is_offered_joined_paid_and_cancelled(
    client: APIClient, creator: APIClient, viewer: Member, sandbox: Server
) -> None:
    plan = offered(creator)["plans"][0]
    [tier] = client.get(f"{API}tiers/").json()["results"]
    assert (tier["opens_all"], tier["plans"][0]["amount"]) == (True, 3_000)

    order = client.post(f"{API}subscriptions/", {"plan": plan["id"]}).json()["order"]
    payment = client.post(f"{API}orders/{order['id']}/pay/", {}).json()
    shop.press(payment["checkout_url"])
    shop.deliver_all(sandbox.bank, tenant=viewer.tenant)

    [of] = client.get(f"{API}subscriptions/").json()["results"]
    assert (of["state"], of["renews"], len(of["periods"])) == ("active", True, 1)
    assert of["method"] is not None
    ended = client.post(f"{API}subscriptions/{of['id']}/cancel/").json()
    assert (ended["state"], ended["renews"]) == ("active", False)
    said = client.get(f"{API}subscriptions/{of['id']}/changes/").json()["results"]
    assert [change["what"] for change in said] == ["cancel", "first"]


def test_free_days_begin_when_something_to_pay_by_is_saved(
    client: APIClient, creator: APIClient, viewer: Member, sandbox: Server
) -> None:
    plan = offered(creator, trial_days=14)["plans"][0]
    method = client.post(f"{API}payment-methods/").json()
    ask = {"plan": plan["id"], "method": method["id"]}
    assert client.post(f"{API}subscriptions/", ask).json()["code"] == "method_needed"

    opened = client.post(f"{API}payment-methods/{method['id']}/open/", {}).json()
    shop.press(opened["checkout_url"])
    shop.deliver_all(sandbox.bank, tenant=viewer.tenant)

    begun = client.post(f"{API}subscriptions/", ask).json()
    assert (begun["subscription"]["state"], begun["order"]) == ("trialing", None)


def test_a_lost_message_about_a_method_is_asked_for(viewer: Member, sandbox: Server) -> None:
    method = operations.open_method(method=operations.ask_method(viewer=viewer, at=timezone.now()), at=timezone.now())
    shop.press(method.checkout_url)

    operations.resolve_method(method=method, at=timezone.now())

    assert PaymentMethod.objects.get().state == PaymentMethod.State.SAVED
    assert shop.jobs("resolve_method") == 1


def test_a_subscription_is_changed_over_http(client: APIClient, viewer: Member, sandbox: Server) -> None:
    club = members.plan(things.creator())
    now = timezone.now()
    of = members.joined(sandbox, viewer, club, at=now)
    cheap, dear = (members.other_plan(club, minor) for minor in (1_000, 9_000))
    method = members.saved_method(sandbox, viewer, at=now)
    url = f"{API}subscriptions/{of.pk}/"

    def ask(what: str, **body: Any) -> dict[str, Any]:
        answer = client.post(f"{url}{what}/", body)
        assert answer.status_code == 200, answer.content
        told: dict[str, Any] = answer.json()
        return told

    assert ask("downgrade", plan=cheap.pk)["next_plan"] == cheap.pk
    assert ask("pause")["state"] == "paused"
    assert ask("resume")["state"] == "active"
    assert ask("cancel")["renews"] is False
    assert ask("undo-cancel")["renews"] is True
    assert ask("change-method", method=method.pk)["method"] == method.pk
    assert ask("upgrade", plan=dear.pk)["due_at"] is None
    members.tick(timezone.now())
    assert client.get(url).json()["plan"] == dear.pk


def test_staff_end_what_members_cannot(client: APIClient, viewer: Member, sandbox: Server) -> None:
    of = members.joined(sandbox, viewer, members.plan(things.creator()), at=timezone.now())
    url, why = f"{API}subscriptions/{of.pk}/end/", {"why": "spam"}

    assert client.post(url, why).json()["code"] == "not_your_subscription"
    assert make.client(make.member(Member.Role.STAFF)).post(url, why).json()["state"] == "cancelled"


def test_a_membership_is_given_once_under_its_key(client: APIClient, viewer: Member) -> None:
    club, friend = members.plan(things.creator()), make.member()
    ask = {"plan": club.pk, "to": friend.pk, "message": "Happy birthday!"}

    answers = [
        client.post(f"{API}subscriptions/give/", ask, headers={"Idempotency-Key": "once"}).json() for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert (answers[0]["state"], answers[0]["amount"]) == ("placed", 3_000)


def test_others_subscriptions_are_not_there(client: APIClient, viewer: Member, sandbox: Server) -> None:
    of = members.joined(sandbox, make.member(), members.plan(things.creator()), at=timezone.now())

    assert client.get(f"{API}subscriptions/").json()["results"] == []
    assert client.post(f"{API}subscriptions/{of.pk}/cancel/").status_code == 404
    assert Subscription.objects.get().renews


def test_a_creator_withdraws_their_own_tier_only(client: APIClient, creator: APIClient) -> None:
    tier = offered(creator)

    assert client.post(f"{API}tiers/{tier['id']}/withdraw/").json()["code"] == "not_yours"
    assert creator.post(f"{API}tiers/{tier['id']}/withdraw/").json()["withdrawn_at"] is not None
    assert client.get(f"{API}tiers/").json()["results"] == []


def test_lists_ask_no_question_per_row(
    client: APIClient, viewer: Member, sandbox: Server, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        members.joined(sandbox, viewer, members.plan(things.creator(), items=(), opens_all=True))

    for path in ("tiers", "subscriptions", "payment-methods"):
        with django_assert_max_num_queries(14):
            assert len(client.get(f"{API}{path}/").json()["results"]) == 4
