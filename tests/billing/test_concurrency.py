"""Many at once, in transactions of their own: what there is enough of for three, three get."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from billing import ledger, operations
from billing.models import Journal, Order, Payment, Refund, WebhookEvent
from billing.operations import events
from billing.providers.sandbox.server import Server
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import body_of, bought, give_back, line_of, ordered, payment_of, told, yuan
from tests.conftest import COMMITTED, NOON

CLIENTS = 8


def at_once(tenant: Tenant, do: Callable[[int], Any]) -> list[Any]:
    """Do it in eight threads, each in its own transaction; return what each got, or the code of its refusal."""
    together = Barrier(CLIENTS)

    def one(number: int) -> Any:
        try:
            together.wait(timeout=20)
            with scope(tenant):
                return do(number)
        except Refused as no:
            return no.code
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as threads:
        return list(threads.map(one, range(CLIENTS)))


@COMMITTED
@pytest.mark.parametrize(("balance", "amount", "winners"), [(1_000, 300, 3), (1_000, 1_000, 1), (500, 501, 0)])
def test_a_wallet_pays_out_what_it_has_and_no_more(school: Tenant, balance: int, amount: int, winners: int) -> None:
    with scope(school):
        viewer = make.member()
        wallet = ledger.wallet(viewer, "CNY")
        way = (ledger.clearing("CNY"), wallet)
        ledger.post(kind=Journal.Kind.TOP_UP, key="in", transfers=[(*way, yuan(balance))], at=NOON)

    def tip(number: int) -> str:
        transfers = [(wallet, ledger.fees("CNY"), yuan(amount))]
        return ledger.post(kind=Journal.Kind.TIP, key=f"tip {number}", transfers=transfers, at=NOON).kind

    ends = at_once(school, tip)

    assert (ends.count("tip"), ends.count("not_enough_money")) == (winners, CLIENTS - winners)
    with scope(school):
        assert wallet.balance == yuan(balance - winners * amount)
        assert shop.books_are_good()


@COMMITTED
def test_who_holds_a_wallet_sees_what_it_holds(school: Tenant) -> None:
    with scope(school):
        wallet = ledger.wallet(make.member(), "CNY")
        top_up = [(ledger.clearing("CNY"), wallet, yuan(1_000))]
        ledger.post(kind=Journal.Kind.TOP_UP, key="in", transfers=top_up, at=NOON)

    def spend_half(number: int) -> int:
        half = ledger.held(wallet).minor // 2
        transfers = [(wallet, ledger.fees("CNY"), yuan(half))]
        ledger.post(kind=Journal.Kind.TIP, key=f"{number}", transfers=transfers, at=NOON)
        return half

    assert sorted(at_once(school, spend_half), reverse=True) == [500, 250, 125, 62, 31, 16, 8, 4]


@COMMITTED
def test_the_first_posts_of_a_tenant_make_one_chain(school: Tenant) -> None:
    def open_account(number: int) -> int:
        transfers = [(ledger.clearing("CNY"), ledger.fees("CNY"), yuan(1))]
        return ledger.post(kind=Journal.Kind.OPENING, key=f"{number}", transfers=transfers, at=NOON).seq

    assert sorted(at_once(school, open_account)) == list(range(1, CLIENTS + 1))
    with scope(school):
        assert shop.books_are_good()


@COMMITTED
def test_one_key_posted_at_once_is_one_journal(school: Tenant) -> None:
    def post(number: int) -> int:
        transfers = [(ledger.clearing("CNY"), ledger.fees("CNY"), yuan(1 + number % 2))]
        return ledger.post(kind=Journal.Kind.OPENING, key="same", transfers=transfers, at=NOON).pk

    ends = at_once(school, post)

    assert ends.count("ledger_key_taken") == CLIENTS // 2
    assert len(set(ends)) == 2


@COMMITTED
def test_a_payment_is_booked_once_however_many_say_so(school: Tenant) -> None:
    with scope(school):
        payment = payment_of(ordered(make.member(), shop.course_for(10_000)))

    news = at_once(school, lambda _: operations.capture(payment=payment, reference="co_1", at=NOON))

    assert sorted(news) == [False] * (CLIENTS - 1) + [True]
    with scope(school):
        assert ledger.clearing("CNY").balance == yuan(-10_000)


@COMMITTED
def test_no_more_is_refunded_at_once_than_was_paid(school: Tenant) -> None:
    with scope(school):
        order = bought(make.member(), shop.course_for(10_000))

    ends = at_once(school, lambda number: give_back(order, 3_000, key=f"{number}").amount)

    assert (ends.count(3_000), ends.count("more_than_was_paid")) == (3, CLIENTS - 3)
    with scope(school):
        assert (line_of(order).refunded, Refund.objects.count()) == (9_000, 3)
        assert shop.books_are_good()


@COMMITTED
def test_many_clicks_on_buy_and_on_pay_are_one_order_and_one_checkout(school: Tenant, sandbox: Server) -> None:
    with scope(school):
        viewer, course = make.member(), shop.course_for(10_000)

    placed = at_once(school, lambda _: ordered(viewer, course).pk)
    with scope(school):
        order = payment_of(shop.ordered(viewer, course)).order
    opened = at_once(school, lambda _: operations.pay(order=order, at=NOON).checkout_url)

    assert (len(set(placed)), len(set(opened))) == (1, 1)
    assert len(sandbox.bank.book.tables["checkouts"]) == 1
    with scope(school):
        assert Payment.objects.count() == 1


@COMMITTED
def test_a_message_delivered_many_times_at_once_is_stored_once(school: Tenant) -> None:
    with scope(school):
        body = body_of(told(payment_of(ordered(make.member(), shop.course_for(10_000)))))

    ends = at_once(school, lambda _: shop.deliver(body, tenant=school).status_code)

    assert ends == [200] * CLIENTS
    with scope(school):
        assert WebhookEvent.objects.get().deliveries == CLIENTS
        assert shop.jobs("apply_event") == 1


@COMMITTED
def test_what_a_message_says_is_compared_with_an_order_that_stands_still(
    school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(school):
        order = bought(make.member(), shop.course_for(10_000))
        about = {"id": "rf_1", "key": give_back(order).key}
        shop.deliver(body_of(told(payment_of(order), "refund.succeeded", **about)), tenant=school)
    compare, free = events._must_agree, []

    def compared(*told: Any, **more: Any) -> None:
        with ThreadPoolExecutor(1) as thread:
            free.append(thread.submit(is_free).result())
        compare(*told, **more)

    def is_free() -> bool:
        with scope(school):
            found = bool(Order.objects.select_for_update(skip_locked=True).filter(pk=order.pk))
        connection.close()
        return found

    monkeypatch.setattr(events, "_must_agree", compared)
    with scope(school):
        shop.work()

        assert (Refund.objects.get().state, free) == ("sent", [False])
