"""Paying through the sandbox, over HTTP: when it answers, when it loses its head, and when it starts again."""

import json
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pytest_django import Settings

from billing import ledger, operations, providers
from billing.models import Payment, Refund
from billing.operations.refunds import send_refund
from billing.providers.sandbox import driver
from billing.providers.sandbox.bank import Bank
from billing.providers.sandbox.book import Book
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests.billing import shop
from tests.billing.shop import JSON, deliver_all, fault, give_back, line_of, ordered, payment_of, press, yuan
from tests.conftest import NOON

CHECKOUTS, REFUNDS = "/v1/checkouts", "/v1/refunds"


def paid(sandbox: Server, viewer: Member, course: Item) -> Payment:
    payment = operations.pay(order=ordered(viewer, course), at=NOON)
    press(payment.checkout_url)
    deliver_all(sandbox.bank, tenant=viewer.tenant)
    return payment_of(payment.order)


def test_a_course_is_bought_and_given_back(sandbox: Server, viewer: Member, course: Item) -> None:
    payment = paid(sandbox, viewer, course)
    assert payment.state == Payment.State.CAPTURED

    send_refund(refund=give_back(payment.order), at=NOON)

    assert Refund.objects.get().state == Refund.State.SENT
    assert ledger.clearing("CNY").balance == yuan(0)
    deliver_all(sandbox.bank, tenant=viewer.tenant)
    assert shop.books_are_good()


def test_two_clicks_on_pay_open_one_checkout(sandbox: Server, viewer: Member, course: Item) -> None:
    order = ordered(viewer, course)

    first, second = (operations.pay(order=order, at=NOON).checkout_url for _ in range(2))

    assert first == second
    assert len(sandbox.bank.book.tables["checkouts"]) == 1
    assert shop.jobs("resolve_payment") == 1


def test_what_is_paid_is_not_paid_again(sandbox: Server, viewer: Member, course: Item) -> None:
    payment = paid(sandbox, viewer, course)

    with pytest.raises(operations.AlreadyPaid):
        operations.pay(order=payment.order, at=NOON)
    assert press(payment.checkout_url, "decline")["status"] == "captured"


def test_who_declines_may_pay_later(sandbox: Server, viewer: Member, course: Item) -> None:
    payment = operations.pay(order=ordered(viewer, course), at=NOON)

    press(payment.checkout_url, "decline")
    deliver_all(sandbox.bank, tenant=viewer.tenant)
    assert Payment.objects.get().state == Payment.State.DECLINED
    press(payment.checkout_url)
    deliver_all(sandbox.bank, tenant=viewer.tenant)

    assert Payment.objects.get().state == Payment.State.CAPTURED


@pytest.mark.parametrize("kind", ["fail_after_commit", "time_out_after_commit"])
def test_an_answer_that_was_lost_is_found_again(
    sandbox: Server, viewer: Member, course: Item, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "TIMEOUT_S", 0.3)
    fault(sandbox, CHECKOUTS, kind, seconds=0.6)
    payment = paid(sandbox, viewer, course)

    fault(sandbox, REFUNDS, kind, seconds=0.6)
    send_refund(refund=give_back(payment.order), at=NOON)

    assert len(sandbox.bank.book.tables["checkouts"]) == len(sandbox.bank.book.tables["refunds"]) == 1
    assert Refund.objects.get().state == Refund.State.SENT


def test_too_many_requests_are_made_again_later(sandbox: Server, viewer: Member, course: Item) -> None:
    order = ordered(viewer, course)
    fault(sandbox, CHECKOUTS, "too_many")

    with pytest.raises(providers.ProviderUnavailable):
        operations.pay(order=order, at=NOON)

    assert operations.pay(order=order, at=NOON).state == Payment.State.OPEN


def test_a_refund_waits_for_a_provider_that_is_away(
    sandbox: Server, viewer: Member, course: Item, settings: object
) -> None:
    refund = give_back(paid(sandbox, viewer, course).order)
    there, settings.SANDBOX_URL = sandbox.address, "http://127.0.0.1:1"  # type: ignore[attr-defined]

    send_refund(refund=refund, at=NOON)
    assert Refund.objects.get().state == Refund.State.ASKED
    assert shop.jobs("send_refund") == 2  # the one that was asked for, and the one that asks again

    settings.SANDBOX_URL = there  # type: ignore[attr-defined]
    for _ in range(2):
        send_refund(refund=refund, at=NOON)
    assert Refund.objects.get().state == Refund.State.SENT
    assert ledger.clearing("CNY").balance == yuan(0)


def test_a_refund_that_is_refused_is_taken_back(sandbox: Server, viewer: Member, course: Item) -> None:
    refund = give_back(paid(sandbox, viewer, course).order)
    fault(sandbox, REFUNDS, "refuse")

    send_refund(refund=refund, at=NOON)

    assert Refund.objects.get().state == Refund.State.FAILED
    assert line_of(payment_of(refund.line.order).order).refunded == 0
    assert shop.books_are_good()


def test_a_checkout_that_was_opened_with_another_page_to_return_to_is_found(
    sandbox: Server, viewer: Member, course: Item
) -> None:
    order = ordered(viewer, course)
    opened = providers.provider_for(viewer.tenant, "sandbox").create_checkout(
        key=payment_of(order).key, order=str(order.pk), amount=yuan(10_000), webhook_url="http://x", return_url=""
    )  # by a process that died before it could write that down

    payment = operations.pay(order=order, return_url="https://school.example/thanks", at=NOON)

    assert payment.reference == opened.reference


def test_a_wrong_key_is_not_taken_for_the_providers_no(
    sandbox: Server, viewer: Member, course: Item, settings: Settings
) -> None:
    refund = give_back(paid(sandbox, viewer, course).order)
    settings.SANDBOX_KEY = "another key"

    send_refund(refund=refund, at=NOON)

    assert Refund.objects.get().state == Refund.State.ASKED
    assert shop.jobs("send_refund") == 2


def test_a_payment_whose_message_was_lost_is_asked_about(sandbox: Server, viewer: Member, course: Item) -> None:
    payment = operations.pay(order=ordered(viewer, course), at=NOON)
    operations.resolve_payment(payment=payment, at=NOON)
    assert Payment.objects.get().state == Payment.State.OPEN
    press(payment.checkout_url)

    operations.resolve_payment(payment=payment, at=NOON)

    assert Payment.objects.get().state == Payment.State.CAPTURED
    assert shop.jobs("resolve_payment") == 2


def test_the_same_key_gives_the_saved_answer_and_another_request_is_refused(tmp_path: Path) -> None:
    bank = Bank(tmp_path / "book")
    asked = {"order": "1", "amount": 100, "currency": "CNY", "webhook_url": "http://x"}

    def ask(account: str = "school", **more: int) -> tuple[int, dict[str, object]]:
        return bank.write(account=account, path=CHECKOUTS, asked=asked | more, key="k")

    assert ask() == ask()
    assert ask(amount=101) == (400, {"error": {"code": "idempotency_key_reused"}})
    assert ask(account="agency")[0] == 200
    bank.write(account="school", path=CHECKOUTS, asked=asked, key="lost", fails_after=True)
    assert bank.write(account="school", path=CHECKOUTS, asked=asked, key="lost")[0] == 500
    assert len(bank.find(account="school", table="checkouts", key="lost")) == 1


def test_the_sandbox_remembers_over_a_restart_and_forgets_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "book"
    Book(path).put({"checkouts": [{"id": "co_1"}]})
    with path.open("ab") as file:
        file.write(b'{"checkouts": [{"id": "co_2"')

    again = Book(path)
    again.put({"checkouts": [{"id": "co_3"}]})

    assert list(Book(path).tables["checkouts"]) == ["co_1", "co_3"]


def test_a_card_can_be_authorised_first_and_captured_later(sandbox: Server, in_school: Tenant) -> None:
    asked = {"order": "1", "amount": 100, "currency": "CNY", "webhook_url": "http://x", "capture": "manual"}
    checkout = ask(sandbox, CHECKOUTS, asked, key="a")

    assert press(checkout["url"])["status"] == "authorised"

    assert ask(sandbox, f"{CHECKOUTS}/{checkout['id']}/capture", {}, key="b")["status"] == "captured"


def ask(sandbox: Server, path: str, asked: dict[str, object], *, key: str, api_key: str = "") -> dict[str, str]:
    headers = {"Authorization": f"Bearer {api_key or sandbox.key}", "Account": "school", "Idempotency-Key": key}
    headers |= JSON
    with urlopen(Request(sandbox.address + path, json.dumps(asked).encode(), headers), timeout=5) as answer:
        return dict(json.load(answer))


@pytest.mark.parametrize(
    ("path", "asked", "key", "api_key", "status"),
    [
        (CHECKOUTS, {}, "k", "", 400),
        (CHECKOUTS, {"order": "1", "webhook_url": "http://x", "amount": -1, "currency": "CNY"}, "k", "", 400),
        (CHECKOUTS, {}, "", "", 400),
        (CHECKOUTS, {}, "k", "wrong", 401),
        ("/v1/nothing", {}, "k", "", 404),
        (REFUNDS, {"checkout": "co_0", "order": "1", "amount": 1, "currency": "CNY"}, "k", "", 404),
        ("/v1/faults", {"on": "webhook", "kind": "earthquake"}, "k", "", 400),
        ("/pay/co_0", {"press": "pay"}, "k", "", 404),
    ],
)
def test_the_sandbox_refuses(
    sandbox: Server, path: str, asked: dict[str, object], key: str, api_key: str, status: int
) -> None:
    with pytest.raises(HTTPError) as refused:
        ask(sandbox, path, asked, key=key, api_key=api_key)

    assert refused.value.code == status


def test_a_buyer_sees_a_page_and_presses_a_button(sandbox: Server, viewer: Member, course: Item) -> None:
    back = "http://school.localhost/orders?a=1&b=<2>"
    url = operations.pay(order=ordered(viewer, course), return_url=back, at=NOON).checkout_url

    with urlopen(url, timeout=5) as answer:
        page = answer.read().decode()
    assert "100.00 CNY" in page
    assert "b=&lt;2&gt;" in page

    with urlopen(
        Request(url, b"press=pay", {"Content-Type": "application/x-www-form-urlencoded"}), timeout=5
    ) as answer:
        assert "已支付" in answer.read().decode()
