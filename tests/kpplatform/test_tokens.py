"""Programs act as a member, within the scopes of their key."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from kpplatform.rest.models import KeyedRequest
from kpplatform.tenancy import operations
from kpplatform.tenancy.models import ApiToken, Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make

TOKENS, ME = "/api/v1/tokens/", "/api/v1/me/"


def program(key: str, tenant: Tenant) -> APIClient:
    return APIClient(headers={"host": f"{tenant.slug}.localhost", "authorization": f"Bearer {key}"})


def issued(member: Member, *scopes: str, **fields: Any) -> str:
    return operations.issue_token(member=member, name="robot", scopes=scopes, at=timezone.now(), **fields)[1]


def said(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_token_is_made_shown_once_used_and_revoked(client: APIClient, viewer: Member) -> None:
    made = client.post(TOKENS, {"name": "robot", "scopes": ["write", "read"]})
    assert made.status_code == 201
    robot = program(made.json()["key"], viewer.tenant)

    assert robot.get(ME).json()["id"] == viewer.pk
    assert robot.patch(ME, {"name": "by robot"}).json()["name"] == "by robot"

    (listed,) = client.get(TOKENS).json()["results"]
    assert "key" not in listed
    assert (listed["name"], listed["scopes"]) == ("robot", ["read", "write"])
    assert client.delete(f"{TOKENS}{listed['id']}/").status_code == 204
    assert said(robot.get(ME)) == (401, "expired_token")


def test_a_forged_an_expired_and_another_tenants_token_open_nothing(viewer: Member, agency: Tenant) -> None:
    school = viewer.tenant
    key = issued(viewer, "read")

    assert said(program("kp_forged", school).get(ME)) == (401, "unknown_token")
    assert said(program("", school).get(ME)) == (401, "unknown_token")
    assert said(program(key, agency).get(ME)) == (401, "unknown_token")
    ApiToken.objects.update(expires_at=timezone.now())
    assert said(program(key, school).get(ME)) == (401, "expired_token")


def test_a_token_reaches_as_far_as_its_scopes(viewer: Member) -> None:
    reader, writer = (program(issued(viewer, scope), viewer.tenant) for scope in ("read", "write"))

    assert reader.get(ME).status_code == 200
    assert said(reader.patch(ME, {"name": "x"})) == (403, "missing_scope")
    assert writer.patch(ME, {"name": "x"}).status_code == 200
    assert said(writer.get(ME)) == (403, "missing_scope")


def test_a_token_makes_no_tokens(viewer: Member) -> None:
    robot = program(issued(viewer, "read", "write", "money"), viewer.tenant)

    assert said(robot.post(TOKENS, {"name": "x", "scopes": ["money"]})) == (403, "people_only")
    assert said(robot.get(TOKENS)) == (403, "people_only")


def test_the_token_of_somebody_suspended_or_inactive_opens_nothing(viewer: Member) -> None:
    robot = program(issued(viewer, "read"), viewer.tenant)

    Member.objects.update(suspended_at=timezone.now())
    assert said(robot.get(ME)) == (403, "suspended")

    assert viewer.user is not None
    viewer.user.is_active = False
    viewer.user.save()
    assert said(robot.get(ME)) == (401, "inactive_member")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"name": "x", "scopes": []}, "invalid"),
        ({"name": "x" * 101, "scopes": ["read"]}, "invalid"),
        ({"name": "x", "scopes": ["read"], "expires_at": "soon"}, "invalid"),
        ({"name": "x", "scopes": ["read"], "key": "kp_mine"}, "invalid"),
        ({"name": "x", "scopes": ["everything"]}, "unknown_scope"),
        ({"name": "x", "scopes": ["read"], "expires_at": "2001-01-01T00:00:00Z"}, "already_expired"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(body: dict[str, Any], code: str, client: APIClient) -> None:
    assert said(client.post(TOKENS, body)) == (400, code)
    assert not ApiToken.objects.exists()


def test_nobody_revokes_anothers_token(client: APIClient, viewer: Member, agency: Tenant) -> None:
    neighbour = make.member()
    key = issued(neighbour, "read")
    with scope(agency):
        stranger = make.member()
        issued(stranger, "read")
        far = ApiToken.objects.get().pk

    assert said(client.delete(f"{TOKENS}{ApiToken.objects.get().pk}/")) == (404, "not_found")
    assert said(client.delete(f"{TOKENS}{far}/")) == (404, "not_found")
    assert program(key, viewer.tenant).get(ME).status_code == 200


def test_the_key_is_kept_nowhere_not_even_for_a_repeated_request(client: APIClient) -> None:
    asked = {"name": "robot", "scopes": ["read"]}
    first, again = (client.post(TOKENS, asked, headers={"Idempotency-Key": "once"}) for _ in range(2))

    assert first.json()["key"].startswith("kp_")
    assert again.json() == first.json() | {"key": None}
    assert ApiToken.objects.count() == 1
    assert first.json()["key"] not in str(KeyedRequest.objects.get().body)


def test_tokens_are_listed_by_page_in_few_questions(
    client: APIClient, viewer: Member, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        issued(viewer, "read")

    with django_assert_max_num_queries(10):
        page = client.get(TOKENS, {"limit": 2}).json()
    rest = client.get(page["next"]).json()

    assert len(page["results"]) == 2
    assert len(rest["results"]) == 2
    assert not {t["id"] for t in page["results"]} & {t["id"] for t in rest["results"]}
