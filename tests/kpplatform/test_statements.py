"""Fewer round trips, and nothing of the isolation given away for them."""

import pytest
from django.db import OperationalError, connection

from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import digest_of, issue_token
from kpplatform.tenancy.queries import token_of
from kpplatform.tenancy.scope import scope
from kpplatform.tenancy.statements import begin_with, planned
from tests import make
from tests.conftest import COMMITTED, NOON

PLANNED = 10  # times after which a statement surely is


@COMMITTED
def test_a_planned_statement_sees_the_tenant_of_the_moment(school: Tenant, agency: Tenant) -> None:
    with scope(school):
        make.member()

    counts = []
    for turn in range(2 * PLANNED):
        with scope(agency if turn % 2 else school), planned() as cursor:
            cursor.execute("SELECT count(*) FROM tenancy_member")
            counts.append(cursor.fetchone()[0])

    assert counts == [1, 0] * PLANNED


@COMMITTED
def test_after_a_scope_its_tenant_is_forgotten(school: Tenant) -> None:
    with scope(school):
        make.member()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tenancy_member")
        assert cursor.fetchone() == (0,)


@COMMITTED
def test_a_scope_that_fails_is_rolled_back(school: Tenant) -> None:
    def fail() -> None:
        with scope(school):
            make.member()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with scope(school):
        assert Member.objects.count() == 0


@COMMITTED
def test_a_connection_that_the_server_has_closed_is_opened_again(school: Tenant) -> None:
    with scope(school), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    connection.close_if_unusable_or_obsolete()  # as at the beginning of a request

    with scope(school):
        assert Member.objects.count() == 0


@COMMITTED
def test_a_statement_that_cannot_begin_says_so(school: Tenant) -> None:
    connection.ensure_connection()

    with pytest.raises(OperationalError, match="no_such_function"):
        begin_with("SELECT no_such_function()")
    connection.close()


def test_a_token_is_found_with_its_member_and_their_user(in_school: Tenant, agency: Tenant) -> None:
    member = make.member()
    token, key = issue_token(member=member, name="key", scopes=["read"], at=NOON)

    found = token_of(digest_of(key))

    assert found == token
    assert (found.scopes, found.member, found.member.user) == (["read"], member, member.user)
    assert token_of(b"another") is None
    with scope(agency):
        assert token_of(digest_of(key)) is None
