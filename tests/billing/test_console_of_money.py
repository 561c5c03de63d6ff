"""Money in the web admin: what belongs together is shown together, and staff act on it with a word of why."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from billing import operations
from billing.models import Order, Payout, PayoutBatch, ReconciliationException, SettlementPeriod, Subscription
from billing.operations import splitting
from billing.providers import Stand
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import members, shop, splits
from tests.billing.disputes import say
from tests.billing.paying import BANK_FILE, approved, earner
from tests.catalog import things
from tests.conftest import NOON

SIGNED_IN = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def console(in_school: Tenant) -> Client:
    return console_of(make.member(Member.Role.STAFF))


@pytest.fixture
def course(in_school: Tenant) -> Item:
    """A course for 100 yuan, of a creator who may enter the console."""
    made = things.course(things.creator(make.member(Member.Role.CREATOR)))
    operations.set_price(item=made, by=made.creator.member, amount=shop.yuan(10_000), at=NOON)
    return made


def console_of(member: Member) -> Client:
    client = Client(headers={"host": f"{member.tenant.slug}.localhost", "accept-language": "en"})
    assert member.user is not None
    client.force_login(member.user, backend=SIGNED_IN)
    return client


def done(console: Client, page: str, action: str, *rows: Any, words: str = "") -> str:
    sent = {"action": action, "_selected_action": [row.pk for row in rows], "words": words}
    return console.post(reverse(f"admin:billing_{page}_changelist"), sent, follow=True).content.decode()


def shown(console: Client, row: Any) -> str:
    answer = console.get(reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_order_shows_its_lines_and_payments_and_a_journal_its_transfers(
    console: Client, viewer: Member, course: Item
) -> None:
    order = shop.bought(viewer, course)
    payment = shop.payment_of(order)

    assert f"co_{order.pk}" in shown(console, order)
    assert course.title in shown(console, order)
    assert "pending/CNY/creator/" in shown(console, payment.journal)


def test_staff_give_back_what_is_left_once(console: Client, viewer: Member, course: Item) -> None:
    line = shop.line_of(shop.bought(viewer, course))
    operations.refund(line=line, by=viewer, amount=shop.yuan(4_000), key="part", at=NOON)

    for _ in range(2):
        done(console, "orderline", "give_back", line)

    assert list(line.refunds.order_by("pk").values_list("amount", flat=True)) == [4_000, 6_000]
    assert Order.objects.get().state == "refunded"


def test_a_difference_is_explained_with_a_note_only(console: Client, viewer: Member, course: Item) -> None:
    shop.bought(viewer, course)
    run = operations.reconcile(
        report=operations.Report("sandbox", NOON - members.DAY, NOON + members.DAY, []), at=NOON + 2 * members.DAY
    )
    listed = ReconciliationException.objects.get(run=run)

    assert "Say why" in done(console, "reconciliationexception", "explain", listed)
    done(console, "reconciliationexception", "resolve", listed, words="It came by post.")

    listed.refresh_from_db()
    assert (listed.state, listed.note) == ("resolved", "It came by post.")


def test_the_trial_balance_is_shown_and_told_to_staff_only(
    console: Client, client: APIClient, viewer: Member, course: Item
) -> None:
    shop.bought(viewer, course)

    page = console.get(reverse("admin:billing_chainhead_changelist")).content.decode()
    assert "Trial balance" in page
    assert "all of CNY" in page
    told = make.client(make.member(Member.Role.STAFF)).get("/api/v1/trial-balance/").json()["kinds"]
    assert sum(kind["debits"] for kind in told) == sum(kind["credits"] for kind in told) == 10_000
    assert {kind["kind"]: kind["balance"] for kind in told}["clearing"] == -10_000
    assert client.get("/api/v1/trial-balance/").json()["code"] == "staff_only"


def test_a_month_is_closed_by_a_press_of_staff(console: Client, viewer: Member, course: Item) -> None:
    shop.bought(viewer, course)
    press = reverse("admin:billing_settlementperiod_press")

    assert console.get(press).status_code == 405
    console_of(course.creator.member).post(press)
    assert not SettlementPeriod.objects.exists()
    assert "was closed" in console.post(press, follow=True).content.decode()
    assert SettlementPeriod.objects.count() == 1

    statements = console.get(reverse("admin:billing_settlement_changelist")).content.decode()
    assert "/csv/" in statements
    assert "/pdf/" in statements


def test_the_bank_s_file_is_made_and_what_it_paid_is_marked_by_somebody_else(console: Client, course: Item) -> None:
    payout = approved(earner(course, BANK_FILE))
    press = reverse("admin:billing_payoutbatch_press")

    assert "was made" in console.post(press, follow=True).content.decode()
    assert (
        reverse("payout-batch-file", args=[PayoutBatch.objects.get().pk])
        in console.get(reverse("admin:billing_payoutbatch_changelist")).content.decode()
    )
    assert "reference is needed" in done(console, "payout", "mark_paid", payout)
    done(console, "payout", "mark_paid", payout, words="BANK-7")
    payout = Payout.objects.get()
    assert (payout.state, payout.reference) == ("paid", "BANK-7")
    assert "BANK-7" in shown(console, payout)

    done(console, "payout", "reverse", payout, words="account closed")
    assert Payout.objects.get().state == "reversed"
    assert "account closed" in shown(console, payout)


def test_a_membership_is_ended_and_why_is_shown(
    console: Client, viewer: Member, subscription: Subscription, sandbox: Server
) -> None:
    done(console, "subscription", "end_now", subscription, words="spam")

    assert Subscription.objects.get().state == "cancelled"
    assert "spam" in shown(console, subscription)


def test_creators_see_the_steps_of_their_payouts_and_do_nothing(course: Item) -> None:
    payout = approved(earner(course, BANK_FILE))
    theirs = console_of(course.creator.member)

    assert "approved" in shown(theirs, payout)
    done(theirs, "payout", "withdraw", payout)
    assert Payout.objects.get().state == "approved"


def test_what_is_held_and_what_came_back_is_shown_as_people_write_amounts(
    console: Client, sandbox: Server, viewer: Member, course: Item
) -> None:
    splits.divided_by_the_provider()
    splits.receiver(course.creator)
    order = splits.sent(splits.matured(viewer, course))
    say(order.payment.order, Stand.NEEDS_RESPONSE, amount=shop.yuan(6_000))
    back = splitting.ask_back(split=splits.split_of(order), at=splits.LATER)
    assert back is not None
    splits.sent_back(back)

    for page, amount in (("dispute", "60.00 CNY"), ("split", "53.64 CNY"), ("splitreturn", "53.64 CNY")):
        assert amount in console.get(reverse(f"admin:billing_{page}_changelist")).content.decode()
        assert "5364" not in console.get(reverse(f"admin:billing_{page}_changelist")).content.decode()
