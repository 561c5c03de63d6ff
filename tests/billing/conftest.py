"""A shop: a course for 100 yuan, and a payment provider that listens."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from billing.models import Payout, Plan, Subscription
from billing.providers.sandbox.server import Server, listening
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import members, shop
from tests.billing.paying import approved, earner
from tests.billing.rails import Rail, paid_at, rail_on
from tests.catalog import things


@pytest.fixture
def sandbox(tmp_path: Path, settings: Settings) -> Iterator[Server]:
    """The real sandbox over HTTP; the test itself delivers its messages."""
    server = Server(port=0, path=tmp_path / "sandbox.jsonl", key=settings.SANDBOX_KEY)
    settings.SANDBOX_URL = server.address
    with shop.serving(server):
        yield server
    server.server_close()


@pytest.fixture
def delivering_sandbox(tmp_path: Path, settings: Settings) -> Iterator[Server]:
    """The same, delivering its messages over HTTP."""
    with listening(port=0, path=tmp_path / "sandbox.jsonl", key=settings.SANDBOX_KEY) as server:
        settings.SANDBOX_URL = server.address
        with shop.serving(server):
            yield server


@pytest.fixture
def course(in_school: Tenant) -> Item:
    return shop.course_for(10_000)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name == "courier"] == []


@pytest.fixture
def creator(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR))


@pytest.fixture
def club(creator: Creator) -> Plan:
    """A membership of the creator for 30 yuan a month."""
    return members.plan(creator)


@pytest.fixture
def subscription(sandbox: Server, viewer: Member, club: Plan) -> Subscription:
    """The viewer's, paid for the first month from noon on."""
    return members.joined(sandbox, viewer, club)


@pytest.fixture(params=["stripe", "wechatpay", "alipay"])
def rail(request: pytest.FixtureRequest, in_school: Tenant) -> Iterator[Rail]:
    """Each provider that pays creators, on its double."""
    with rail_on(request.param) as made:
        yield made


@pytest.fixture
def payout(rail: Rail, course: Item) -> Payout:
    """100 yuan for the creator, approved."""
    creator = earner(course)
    paid_at(creator, rail.name)
    return approved(creator)
