"""Selling and buying, with the least said. Call inside a scope."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings
from rest_framework.test import APIClient

from billing import operations, queries
from billing.models import (
    ClosedCheckout,
    Consultation,
    ConsultationOffer,
    Content,
    Coupon,
    CouponHolder,
    CouponUse,
    Order,
    OrderLine,
    Payment,
    Product,
    Refund,
    Revocation,
    WebhookEvent,
)
from billing.money import Money
from billing.providers.sandbox import signing
from billing.providers.sandbox.bank import Bank
from billing.providers.sandbox.book import Row
from billing.providers.sandbox.server import Server
from billing.providers.sandbox.words import event
from catalog.models import Item
from creators.models import Creator
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import current_tenant
from tests import make
from tests.catalog import things
from tests.conftest import NOON

JSON = {"Content-Type": "application/json"}


def yuan(minor: int) -> Money:
    return Money(minor, "CNY")


@contextmanager
def serving(server: Server) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def course_for(minor: int) -> Item:
    course = things.course()
    operations.set_price(item=course, by=course.creator.member, amount=yuan(minor), at=NOON)
    return course


def bundle(creator: Creator | None, *items: Item, minor: int, hours: int | None = None, **columns: Any) -> Product:
    """Return a bundle of items, or with hours a rental."""
    kind = Product.Kind.BUNDLE if hours is None else Product.Kind.RENTAL
    told = {"kind": kind, "title": "All at once", "amount": minor, "currency": "CNY", "made_at": NOON}
    product = Product.objects.create(creator=creator, **told | columns)
    Content.objects.bulk_create(Content(product=product, item=item, hours=hours) for item in items)
    return product


def offered(creator: Creator, *items: Item, minor: int, hours: int | None = None, **said: Any) -> Product:
    """Return the same, as its creator offers it."""
    kind = Product.Kind.BUNDLE if hours is None else Product.Kind.RENTAL
    contents = [operations.Filling(item, hours) for item in items]
    told: dict[str, Any] = {"kind": kind, "title": "All at once", "amount": yuan(minor), "contents": contents} | said
    return operations.make_product(by=creator.member, creator=creator, **{"at": NOON} | told)


def coupon(creator: Creator, **said: Any) -> Coupon:
    """Return a coupon for the creator's things; its terms are given."""
    return operations.make_coupon(by=creator.member, creator=creator, at=NOON, **said)


def discounted(order: Order, creator: Creator, *, by: Member) -> None:
    """Leave a coupon that was used for an order of one line, and that this was taken back."""
    use = {"coupon": coupon(creator, bps=1_000), "order": order, "viewer": order.viewer}
    CouponUse.objects.create(used_at=NOON, **use)
    Coupon.objects.update(uses=1)
    CouponHolder.objects.create(coupon=use["coupon"], viewer=order.viewer, given_at=NOON)
    Revocation.objects.create(line=line_of(order), by=by, why="By mistake", revoked_at=NOON)


def bought_all(
    viewer: Member, *wanted: operations.Wanted, key: str = "order", at: datetime = NOON, coupon: str = ""
) -> Order:
    """Return a paid order of several things."""
    order = operations.order_all(viewer=viewer, wanted=wanted, coupon=coupon, key=key, at=at)
    operations.capture(payment=payment_of(order), reference=f"co_{order.pk}", at=at)
    return Order.objects.get(pk=order.pk)


def coined(viewer: Member, minor: int, key: str = "coins", at: datetime = NOON) -> Order:
    """Return a paid order of coins that are worth so much."""
    named = {"kind": Product.Kind.COINS, "title": "Coins", "currency": "CNY", "made_at": at}
    pack = Product.objects.create(amount=minor, **named)
    return bought_all(viewer, operations.Wanted(product=pack), key=key, at=at)


def consultation(creator: Creator, **columns: Any) -> ConsultationOffer:
    """Return the offer of an answer within a day, for 100 yuan."""
    form = [{"name": "aim", "label": "What for?", "type": "text", "required": True}]
    told: dict[str, Any] = {
        "kind": ConsultationOffer.Kind.PLAN,
        "title": "A plan",
        "amount": yuan(10_000),
        "form": form,
        "hours": 24,
    }
    return operations.offer_consultation(by=creator.member, creator=creator, at=NOON, **told | columns)


def asked_for(viewer: Member, creator: Creator, at: datetime = NOON, **columns: Any) -> Consultation:
    """Return a consultation that was paid."""
    offer = consultation(creator, **columns)
    wanted = operations.Wanted(product=offer.product, said=operations.Said(intake={"aim": "To play"}))
    order = bought_all(viewer, wanted, key=f"ask {offer.pk}", at=at)
    return Consultation.objects.select_related("line__order").get(line__order=order)


def ordered(viewer: Member, course: Item, key: str = "order") -> Order:
    return operations.place_order(viewer=viewer, item=course, key=key, at=NOON)


def bought(viewer: Member, course: Item, key: str = "order", at: datetime = NOON) -> Order:
    """Return an order that was paid, as if the provider had just said so."""
    order = ordered(viewer, course, key)
    operations.capture(payment=payment_of(order), reference=f"co_{order.pk}", at=at)
    return Order.objects.get(pk=order.pk)


def payment_of(order: Order) -> Payment:
    return Payment.objects.select_related("order__viewer").get(order=order)


def closed_before(order: Order) -> None:
    """Leave a checkout of the order that ran out."""
    ClosedCheckout.objects.create(payment=payment_of(order), key=f"pay_closed_{order.pk}", closed_at=NOON)


def line_of(order: Order) -> OrderLine:
    return OrderLine.objects.select_related("order__viewer").get(order=order)


def give_back(order: Order, minor: int | None = None, key: str = "refund", at: datetime = NOON) -> Refund:
    amount = None if minor is None else yuan(minor)
    return operations.refund(line=line_of(order), by=order.viewer, amount=amount, key=key, at=at)


def told(payment: Payment, kind: str = "payment.captured", **changed: Any) -> Row:
    """Return the message that the provider sends about a payment, or a forgery of it."""
    about: Row = {"id": payment.reference or f"co_{payment.key}", "account": current_tenant().slug, "key": payment.key}
    about |= {"order": str(payment.order_id), "amount": payment.amount, "currency": payment.currency}
    return event(kind, about | changed, "")


def body_of(message: Row) -> bytes:
    return json.dumps({name: message[name] for name in ("id", "type", "account", "created", "data")}).encode()


def deliver(body: bytes, *, tenant: Tenant, signed_for: Tenant | None = None, at: datetime | None = None) -> Any:
    """Post a message to the tenant's webhook, signed as the sandbox signs."""
    secret = signing.secret_of((signed_for or tenant).slug, key=settings.SANDBOX_KEY)
    stamp = signing.signature(body, secret=secret, at=at or datetime.now(UTC))
    headers = {"host": f"{tenant.slug}.localhost", signing.HEADER: stamp}
    return APIClient().post("/api/v1/webhooks/sandbox/", data=body, content_type="application/json", headers=headers)


def deliver_all(bank: Bank, *, tenant: Tenant) -> None:
    """Deliver what the sandbox has to say, and work through it."""
    for message in bank.undelivered():
        assert deliver(body_of(message), tenant=tenant).status_code == 200
        bank.delivered(message)
    work()


def work() -> None:
    """Do the jobs that wait, as a worker would."""
    for waiting in WebhookEvent.objects.filter(state=WebhookEvent.State.RECEIVED).order_by("pk"):
        operations.apply_event(event=waiting, at=datetime.now(UTC))


def jobs(name: str) -> int:
    return Job.objects.filter(name=f"billing.tasks.{name}", state=Job.State.WAITING).count()


def press(url: str, button: str = "pay") -> Row:
    """Press a button on the provider's page."""
    body = json.dumps({"press": button}).encode()
    with urlopen(Request(url, body, JSON), timeout=5) as answer:
        return dict(json.load(answer))


def fault(server: Server, on: str, kind: str, **more: Any) -> None:
    """Make something go wrong at the sandbox, the next time."""
    body = json.dumps({"on": on, "kind": kind, **more}).encode()
    headers = JSON | {"Authorization": f"Bearer {server.key}"}
    with urlopen(Request(f"{server.address}/v1/faults", body, headers), timeout=5) as answer:
        assert answer.status == 200


def books_are_good() -> bool:
    """Whether the scope's tenant's ledger verifies; what is wrong is printed."""
    report = queries.ledger_report()
    for wrong in report.faults:
        print(wrong)  # noqa: T201  shown by a failing test
    return report.is_good


def viewers(number: int) -> list[Member]:
    return [make.member() for _ in range(number)]


def wait_until(true: Any, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    assert true()
