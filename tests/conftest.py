"""What every test may ask for: two tenants, a scope, and clients that speak to a tenant's host."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from catalog.queries import forget_items
from kpplatform.rest.throttles import counters
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.queries import forget_hosts
from kpplatform.tenancy.scope import scope
from tests import make
from tests.processes import Worker

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


# A test whose rows are really committed, because other connections or processes must see them.
# The owner is named because it is the owner that empties the tables afterwards.
COMMITTED = pytest.mark.django_db(transaction=True, databases=["default", "operator", "owner"])


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """Hash as fast as possible: half a second each is right for real passwords and wrong for a hundred tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let the owner make and migrate one test database; the app and the operator look at the same one."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        teardown_databases(made, verbosity=0)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    yield
    forget_hosts()
    forget_items()


@pytest.fixture
def _fresh_cache() -> None:
    cache.clear()
    counters().flushdb()


@pytest.fixture
def school(db: None) -> Tenant:
    return make.tenant("school")


@pytest.fixture
def agency(db: None) -> Tenant:
    return make.tenant("agency")


@pytest.fixture
def in_school(school: Tenant) -> Iterator[Tenant]:
    """Be inside the school's scope."""
    with scope(school):
        yield school


@pytest.fixture
def viewer(in_school: Tenant) -> Member:
    return make.member()


@pytest.fixture
def client(viewer: Member) -> APIClient:
    """A client of the school's site, signed in as the viewer."""
    return make.client(viewer)


@pytest.fixture
def worker(django_db_setup: None) -> Iterator[Worker]:
    """A real Celery worker with its beat, on the test database: for COMMITTED tests."""
    with Worker() as started:
        yield started
