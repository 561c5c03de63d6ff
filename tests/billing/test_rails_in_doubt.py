"""Payouts of which it is not clear what became of them: nothing is sent twice, and nothing is forgotten."""

from datetime import timedelta

import pytest

from billing import ledger, operations
from billing.models import Journal, Payout, ProviderAccount
from billing.operations import paying
from catalog.models import Item
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Tenant
from tests.billing import shop
from tests.billing.paying import LATER, approved, earner, now, resolved, sent
from tests.billing.rails import Rail, connect, paid_at, rail_on
from tests.billing.shop import jobs, yuan
from tests.billing.test_maturity import stands


def test_what_cannot_be_asked_about_is_asked_about_later(rail: Rail, payout: Payout) -> None:
    rail.fail("500_after")
    assert sent(payout).state == "unknown"
    rail.accept()
    ProviderAccount.objects.update(provider="offline")

    assert (resolved(payout).state, jobs("resolve_payout")) == ("unknown", 2)

    connect(rail.name)
    assert (resolved(payout).state, rail.paid) == ("paid", [10_000])


def test_whom_nobody_can_tell_any_more_is_not_given_up(rail: Rail, payout: Payout) -> None:
    ProviderAccount.objects.update(provider="offline")

    assert (sent(payout).state, jobs("resolve_payout")) == ("unknown", 1)

    connect(rail.name)
    assert (resolved(payout).state, rail.paid) == ("approved", [])
    assert (sent(payout).state, rail.paid) in [("paid", [10_000]), ("submitted", [10_000])]


@pytest.mark.parametrize("code", ["REQUEST_PROCESSING", "RESOURCE_LIMIT_EXCEED"])
def test_what_alipay_is_still_at_is_not_refused(in_school: Tenant, course: Item, code: str) -> None:
    with rail_on("alipay") as rail:
        creator = earner(course)
        paid_at(creator, "alipay")
        rail.fail(code)

        assert sent(payout := approved(creator)).state == "unknown"
        assert (resolved(payout).state, rail.paid) == ("approved", [])


def test_what_came_back_before_we_knew_that_it_had_left_is_booked_both_ways(rail: Rail, payout: Payout) -> None:
    if rail.name == "wechatpay":
        return  # what was accepted there stays
    rail.fail("500_after")
    sent(payout)
    (made,) = rail.double.transfers.values()
    made |= {"amount_reversed": 10_000, "reversed": True} if rail.name == "stripe" else {"status": "REFUND"}

    assert resolved(payout).state == "reversed"

    kinds = ("payout_paid", "payout_reversed", "payout_failed")
    posted = Journal.objects.filter(kind__in=kinds).order_by("pk").values_list("kind", flat=True)
    assert list(posted) == ["payout_paid", "payout_reversed"], "Both rows of the provider's report are booked."
    assert (stands(payout.creator), ledger.clearing("CNY").balance) == ({"available": 17_880}, yuan(-20_000))
    assert shop.books_are_good()


def test_what_the_provider_never_takes_is_told_ever_more_seldom(in_school: Tenant, course: Item) -> None:
    hour = timedelta(hours=1)
    with rail_on("alipay") as rail:
        creator = earner(course)
        paid_at(creator, "alipay")
        payout = approved(creator)
        for at in (LATER, LATER + hour / 2, LATER + 2 * hour):
            rail.fail("REQUEST_PROCESSING")
            paying.begin_payout(payout=payout, at=at)
            paying.send_payout(payout=payout, at=at)
            paying.resolve_payout(payout=payout, at=at)
            assert now(payout).state == "approved"

    asked = Job.objects.filter(name="billing.tasks.resolve_payout").order_by("pk").values_list("due_at", flat=True)
    assert list(asked) == [LATER + timedelta(seconds=30), LATER + hour, LATER + 3 * hour]


def test_a_message_waits_while_the_tenant_has_no_account(rail: Rail, payout: Payout) -> None:
    sent(payout)
    rail.accept()
    event = operations.receive_event(provider=rail.name, event_id="e1", body=b"{}", at=LATER)
    ProviderAccount.objects.update(provider="offline")

    assert operations.apply_event(event=event, at=LATER).state == "received"
    assert jobs("apply_event") == 2

    connect(rail.name)
    assert operations.apply_event(event=event, at=LATER).state == "quarantined"
