"""A tenant that has connected no provider: its goods are not given away, unless the installation says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from billing import operations, providers
from billing.models import Order, Payment
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop, test_stripe
from tests.billing.doubles.stripe import StripeDouble
from tests.billing.paying import BANK, LATER
from tests.billing.shop import ordered, payment_of, press
from tests.conftest import NOON


@pytest.fixture
def shut(settings: Settings) -> None:
    """The sandbox takes no part."""
    settings.SANDBOX_CHECKOUT = False


@pytest.mark.usefixtures("shut")
def test_nothing_is_sold_where_nobody_would_be_paid(viewer: Member, course: Item) -> None:
    answer = make.client(viewer).post("/api/v1/orders/", {"item": course.pk}, headers={"idempotency-key": "k"})

    assert (answer.status_code, answer.json()["code"]) == (409, "no_provider")
    assert Order.objects.count() == 0


@pytest.mark.usefixtures("shut")
def test_with_a_provider_of_its_own_a_tenant_sells(viewer: Member, course: Item) -> None:
    test_stripe.connect(StripeDouble())

    assert payment_of(ordered(viewer, course)).provider == "stripe"
    with pytest.raises(providers.NotConnected):
        operations.choose_checkout(by=make.member(Member.Role.ADMIN), provider="sandbox", at=NOON)


def test_what_was_ordered_at_the_sandbox_is_not_had_for_nothing_once_it_is_shut(
    sandbox: Server, viewer: Member, course: Item, settings: Settings
) -> None:
    opened = operations.pay(order=ordered(viewer, course), at=NOON)
    later = ordered(viewer, shop.course_for(500), key="later")
    settings.SANDBOX_CHECKOUT = False
    press(opened.checkout_url)

    (event,) = sandbox.bank.events()
    assert shop.deliver(shop.body_of(event), tenant=viewer.tenant).json()["code"] == "provider_not_connected"
    operations.resolve_payment(payment=opened, at=NOON)  # nobody can be asked: another time, it may open again
    assert Job.objects.filter(name="billing.tasks.resolve_payment", due_at__gt=NOON).exists()
    with pytest.raises(providers.NotConnected):
        operations.pay(order=later, at=NOON)
    assert set(Payment.objects.values_list("state", flat=True)) == {"open", "new"}


@pytest.mark.usefixtures("shut")
def test_nobody_is_paid_out_there_either(in_school: Tenant, course: Item) -> None:
    creator = course.creator
    with pytest.raises(providers.NotConnected):
        operations.paying.set_payout_account(
            creator=creator, by=creator.member, currency="CNY", rail="sandbox", to=BANK, at=LATER
        )


@pytest.mark.parametrize(
    ("is_open", "debug", "ids"), [(True, False, ["billing.W001"]), (True, True, []), (False, False, [])]
)
def test_the_installation_is_warned(settings: Settings, *, is_open: bool, debug: bool, ids: list[str]) -> None:
    settings.SANDBOX_CHECKOUT, settings.DEBUG = is_open, debug

    assert [said.id for said in run_checks() if said.id == "billing.W001"] == ids


ASK = "from kpplatform import settings; print(settings.SANDBOX_CHECKOUT)"


@pytest.mark.parametrize(
    ("told", "said"), [({}, "False"), ({"DEBUG": "1"}, "True"), ({"SANDBOX_CHECKOUT": "1"}, "True")]
)
def test_it_is_shut_unless_the_deployment_says_otherwise(told: dict[str, str], said: str, tmp_path: Path) -> None:
    usual = {name: value for name, value in os.environ.items() if name != "SANDBOX_CHECKOUT"}

    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=usual | {"DATA_DIR": str(tmp_path)} | told,
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.split() == [said]
