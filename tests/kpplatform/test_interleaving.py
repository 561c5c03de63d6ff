"""Two tenants served in turn over one pooled connection leave no trace of each other."""

from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.conftest import COMMITTED

pytestmark = [COMMITTED, pytest.mark.usefixtures("_fresh_cache")]

NOTES = "/api/v1/notes/"


def left_behind() -> Any:
    """Return the tenant that the connection itself still knows: the next one to use it would inherit it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('kp.tenant', true), (SELECT count(*) FROM tenancy_member)")
        return cursor.fetchone()


@pytest.fixture
def clients(school: Tenant, agency: Tenant, settings: Any) -> list[APIClient]:
    settings.ROOT_URLCONF = "tests.kpplatform.views_for_tests"
    clients = []
    for tenant in (school, agency):
        with scope(tenant):
            client = make.client(make.member())
        client.raise_request_exception = False
        clients.append(client)
    return clients


def test_requests_of_two_tenants_in_turn_see_their_own_rows_only(clients: list[APIClient]) -> None:
    before = id(connection.connection)
    for round_ in range(5):
        for client in clients:
            assert client.post(NOTES, {"name": "x"}).status_code == 201
            assert client.get(NOTES).json() == {"members": round_ + 2}
            assert left_behind() in {("", 0), (None, 0)}

    assert id(connection.connection) == before, "It was one connection all the time."


@pytest.mark.parametrize("ends", ["refused", "conflict", "broken"])
def test_a_request_that_fails_leaves_no_row_and_no_tenant_behind(ends: str, clients: list[APIClient]) -> None:
    here, there = clients

    assert here.post(NOTES + ends, {"name": "half"}).status_code >= 400
    assert left_behind() in {("", 0), (None, 0)}

    assert there.get(NOTES).json() == {"members": 1}
    assert here.get(NOTES).json() == {"members": 1}


def test_a_session_of_one_tenant_is_no_member_of_the_other_until_they_visit(
    clients: list[APIClient], agency: Tenant
) -> None:
    here, _ = clients
    with scope(agency):
        before = set(Member.objects.values_list("pk", flat=True))

    assert here.get("/api/v1/me/", headers={"host": "agency.localhost"}).json()["id"] not in before
    with scope(agency):
        assert Member.objects.count() == len(before) + 1
