"""What a provider says is stored before it is believed, and believed only if it is true of our rows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from billing import ledger, operations
from billing.models import Journal, Payment, WebhookEvent
from billing.providers.sandbox import signing
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import body_of, bought, deliver, give_back, ordered, payment_of, told, work, yuan


def states() -> list[tuple[str, str]]:
    return list(WebhookEvent.objects.order_by("pk").values_list("state", "reason"))


def test_a_message_is_stored_at_once_and_worked_through_later(viewer: Member, course: Item) -> None:
    payment = payment_of(ordered(viewer, course))

    answer = deliver(body_of(told(payment)), tenant=viewer.tenant)

    assert (answer.status_code, shop.jobs("apply_event")) == (200, 1)
    assert states() == [("received", "")]
    work()
    assert states() == [("applied", "")]
    assert ledger.clearing("CNY").balance == yuan(-10_000)


def test_a_message_delivered_again_is_one_message(viewer: Member, course: Item) -> None:
    body = body_of(told(payment_of(ordered(viewer, course))))

    for _ in range(3):
        assert deliver(body, tenant=viewer.tenant).status_code == 200
        work()

    assert WebhookEvent.objects.get().deliveries == 3
    assert Journal.objects.count() == 1
    assert shop.jobs("apply_event") == 1


def test_another_message_with_the_same_news_is_a_duplicate(viewer: Member, course: Item) -> None:
    payment = payment_of(ordered(viewer, course))

    for _ in range(2):
        deliver(body_of(told(payment)), tenant=viewer.tenant)
    work()

    assert states() == [("applied", ""), ("duplicate", "")]
    assert Journal.objects.count() == 1


def test_a_decline_that_comes_late_changes_nothing(viewer: Member, course: Item) -> None:
    payment = payment_of(ordered(viewer, course))
    for kind in ("payment.captured", "payment.declined"):
        deliver(body_of(told(payment, kind)), tenant=viewer.tenant)

    work()

    assert Payment.objects.get().state == Payment.State.CAPTURED
    assert states() == [("applied", ""), ("duplicate", "")]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount": 9_999}, "wrong_amount"),
        ({"currency": "USD"}, "wrong_currency"),
        ({"order": "0"}, "wrong_order"),
        ({"key": "pay_of_somebody_else"}, "unknown_payment"),
        ({"account": "agency"}, "wrong_account"),
        ({"currency": "XXX"}, "garbled"),
        ({"amount": 1.5}, "garbled"),
        ({"amount": 10**400}, "wrong_amount"),
        ({"order": None}, "garbled"),
    ],
)
def test_what_is_signed_but_not_true_goes_into_quarantine(
    viewer: Member, course: Item, changed: dict[str, Any], reason: str
) -> None:
    payment = payment_of(ordered(viewer, course))

    assert deliver(body_of(told(payment, **changed)), tenant=viewer.tenant).status_code == 200
    work()

    assert states() == [("quarantined", reason)]
    assert Journal.objects.count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"id"', b'{"id": "e\\u0000"}', b"\xff\xfe", b'{"id": 1}'])
def test_what_is_signed_but_makes_no_sense_goes_into_quarantine(in_school: Tenant, body: bytes) -> None:
    assert deliver(body, tenant=in_school).status_code == 200
    work()

    assert states() == [("quarantined", "garbled")]


def test_another_reference_than_the_checkouts_goes_into_quarantine(viewer: Member, course: Item) -> None:
    payment = payment_of(ordered(viewer, course))
    Payment.objects.update(reference="co_ours", state=Payment.State.OPEN)

    deliver(body_of(told(payment, id="co_theirs")), tenant=viewer.tenant)
    work()

    assert states() == [("quarantined", "wrong_reference")]


def test_the_reference_of_another_payment_goes_into_quarantine(viewer: Member, course: Item) -> None:
    other = payment_of(bought(viewer, shop.course_for(10_000), key="other"))

    deliver(body_of(told(payment_of(ordered(viewer, course)), id=other.reference)), tenant=viewer.tenant)
    work()

    assert states() == [("quarantined", "wrong_reference")]


def test_an_unknown_kind_of_message_goes_into_quarantine(viewer: Member, course: Item) -> None:
    deliver(body_of(told(payment_of(ordered(viewer, course)), "payment.authorised")), tenant=viewer.tenant)
    work()

    assert states() == [("quarantined", "unknown_kind")]


def test_another_tenants_message_is_not_let_in(viewer: Member, course: Item, agency: Tenant) -> None:
    body = body_of(told(payment_of(ordered(viewer, course))))

    answer = deliver(body, tenant=viewer.tenant, signed_for=agency)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert states() == []


def test_a_message_to_the_wrong_tenant_touches_nothing(viewer: Member, course: Item, agency: Tenant) -> None:
    body = body_of(told(payment_of(ordered(viewer, course)), account="agency"))

    assert deliver(body, tenant=agency).status_code == 200

    with scope(agency):
        work()
        assert states() == [("quarantined", "unknown_payment")]
    assert states() == []


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_message_signed_too_long_ago_or_ahead_is_not_let_in(in_school: Tenant, minutes: int) -> None:
    answer = deliver(b"{}", tenant=in_school, at=datetime.now(UTC) + timedelta(minutes=minutes))

    assert (answer.status_code, answer.json()["code"]) == (400, "stale_message")
    assert states() == []


@pytest.mark.parametrize("header", ["", "t=1", "t=99999999999999,v1=" + "0" * 64, f"t=1700000000,v1={'0' * 64}", "é"])
def test_a_message_that_is_not_signed_is_not_let_in(in_school: Tenant, header: str) -> None:
    headers = {"host": "school.localhost", signing.HEADER: header}

    answer = APIClient().post("/api/v1/webhooks/sandbox/", b"{}", content_type="application/json", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert states() == []


def test_a_changed_body_is_not_let_in(viewer: Member, course: Item) -> None:
    body = body_of(told(payment_of(ordered(viewer, course))))
    secret = signing.secret_of("school", key="another key")
    headers = {"host": "school.localhost", signing.HEADER: signing.signature(body, secret=secret, at=datetime.now(UTC))}

    answer = APIClient().post("/api/v1/webhooks/sandbox/", body, content_type="application/json", headers=headers)

    assert answer.json()["code"] == "bad_signature"


def test_a_host_without_a_tenant_takes_no_messages(db: None) -> None:
    answer = APIClient().post(
        "/api/v1/webhooks/sandbox/", b"{}", content_type="application/json", headers={"host": "localhost"}
    )

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("kinds", "ends"),
    [
        (["refund.succeeded", "refund.succeeded"], [("applied", ""), ("duplicate", "")]),
        (["refund.failed", "refund.failed"], [("applied", ""), ("duplicate", "")]),
        (["refund.succeeded", "refund.failed"], [("applied", ""), ("quarantined", "refund_was_sent")]),
        (["refund.failed", "refund.succeeded"], [("applied", ""), ("quarantined", "refund_had_failed")]),
    ],
)
def test_what_is_said_of_a_refund(viewer: Member, course: Item, kinds: list[str], ends: list[tuple[str, str]]) -> None:
    order = bought(viewer, course)
    refund = give_back(order)
    about = {"id": "rf_1", "key": refund.key}

    for kind in kinds:
        deliver(body_of(told(payment_of(order), kind, **about)), tenant=viewer.tenant)
    work()

    assert states() == ends
    assert ledger.refund_clearing("CNY").balance == yuan(0)
    assert shop.books_are_good()


def test_a_refund_that_is_not_ours_goes_into_quarantine(viewer: Member, course: Item) -> None:
    deliver(body_of(told(payment_of(bought(viewer, course)), "refund.succeeded", key="re_x")), tenant=viewer.tenant)
    work()

    assert states() == [("quarantined", "unknown_refund")]


def test_the_body_is_kept_as_it_came(viewer: Member, course: Item) -> None:
    body = json.dumps({"id": "evt", "extra": "  空白  "}, indent=3).encode()

    deliver(body, tenant=viewer.tenant)

    assert bytes(WebhookEvent.objects.get().body) == body


def test_an_event_worked_through_twice_is_done_once(viewer: Member, course: Item) -> None:
    deliver(body_of(told(payment_of(ordered(viewer, course)))), tenant=viewer.tenant)
    received = WebhookEvent.objects.get()

    for _ in range(2):
        assert operations.apply_event(event=received, at=make_at()).state == "applied"

    assert Journal.objects.count() == 1


def make_at() -> datetime:
    return datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_two_tenants_may_get_messages_with_the_same_id(school: Tenant, agency: Tenant) -> None:
    for tenant in (school, agency):
        assert deliver(b'{"id": "evt_1"}', tenant=tenant).status_code == 200
        with scope(tenant):
            assert WebhookEvent.objects.count() == 1
            assert make.member().tenant_id == tenant.pk
