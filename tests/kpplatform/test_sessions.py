"""A session is in the database, where signing out is part of the request's transaction."""

from importlib import import_module
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from rest_framework.test import APIClient

from kpplatform.console.tasks import purge
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.conftest import COMMITTED

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def session(key: str | None = None) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


@COMMITTED
def test_who_signs_out_stays_out_whatever_is_asked_before_that_is_committed(school: Tenant) -> None:
    signed_in = session()
    signed_in["who"] = "Lin"
    signed_in.save()

    def ask() -> None:
        session(signed_in.session_key).load()
        connection.close()

    with scope(school):
        session(signed_in.session_key).flush()
        asking = Thread(target=ask)
        asking.start()
        asking.join()

    assert session(signed_in.session_key).load() == {}


def test_without_its_cache_the_api_still_knows_who_asks(viewer: Member, client: APIClient, settings: Any) -> None:
    key = client.session.session_key
    assert key
    caches["default"].clear()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}

    app = APIClient(headers={"host": "school.localhost", "x-session-token": key})

    assert client.get("/api/v1/me/").json()["id"] == viewer.pk
    assert app.get("/api/v1/me/").json()["id"] == viewer.pk


def test_an_operators_session_is_nobodys_at_a_tenant(school: Tenant) -> None:
    operator = make.user(is_operator=True)
    client = APIClient(headers={"host": "school.localhost"})
    client.force_login(operator, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert client.get("/admin/").status_code == 302
    assert client.get("/api/v1/models/").status_code == 403


def test_sessions_that_have_expired_are_forgotten(in_school: Tenant) -> None:
    old, fresh = session(), session()
    old.set_expiry(-1)
    for each in (old, fresh):
        each.save()

    purge()

    assert not old.exists(old.session_key)
    assert fresh.exists(fresh.session_key)
