"""A customer in a process of its own: orders, joins, pays, presses a button, wants money back; may be killed.

Their keys are few, and what is wanted follows from the key: orders are placed again and again, by whoever comes next.
Now and then one does what staff and the clock do: lets earnings mature, pays a creator out, renews what is due.
"""

import json
import os
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import django

PAUSE_S = 0.05
KEYS = 300
DAYS_A_SECOND = 1.0  # of the memberships' clock


def main(number: str, seed: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpplatform.settings")
    django.setup()

    from django.db import DatabaseError, InterfaceError, connection  # noqa: PLC0415  the settings come first

    from kpplatform.errors import Refused  # noqa: PLC0415

    rng = random.Random(f"{number} {seed}")
    while True:
        try:
            _deed(rng, number=int(number))
        except Refused:
            pass  # a clear answer: it may be asked again
        except (DatabaseError, InterfaceError, URLError, ConnectionError, TimeoutError):
            connection.close()  # PostgreSQL or the provider is away
        time.sleep(rng.random() * PAUSE_S)


def _deed(rng: random.Random, *, number: int) -> None:
    from billing import operations  # noqa: PLC0415
    from billing.models import Order, OrderLine  # noqa: PLC0415
    from billing.money import Money  # noqa: PLC0415
    from kpplatform.tenancy.models import Member, Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    now = datetime.now(UTC)
    tenant = rng.choice(list(Tenant.objects.order_by("pk")))
    what = rng.random()
    if what < 0.06:
        _clock(tenant, now)
        return
    with scope(tenant):
        viewer = Member.objects.filter(role=Member.Role.VIEWER).order_by("pk")[number]
        if what < 0.12:
            _pay_out(rng, now)
        elif what < 0.5:
            key = str(rng.randrange(KEYS))
            operations.order_all(viewer=viewer, wanted=_wanted(key), key=key, at=now)
        elif what < 0.85:
            waiting = Order.objects.filter(viewer=viewer, state=Order.State.PLACED).order_by("?").first()
            if waiting:
                payment = operations.pay(order=waiting, at=now)
                _press(payment.checkout_url, "pay" if rng.random() < 0.9 else "decline")
        else:
            lines = OrderLine.objects.filter(order__viewer=viewer, order__state=Order.State.PAID)
            line = lines.select_related("order__viewer").order_by("?").first()
            if line:
                part = None if rng.random() < 0.3 else Money(rng.randint(1, line.amount), "CNY")
                operations.refund(line=line, by=viewer, amount=part, key=f"{rng.getrandbits(40)}", at=now)


def _clock(tenant: Any, now: datetime) -> None:
    """Let mature what was sold, and renew and charge what is due by a clock that runs faster."""
    from billing import operations  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    late = later(tenant, now)
    for step, at in ((operations.mature, now + timedelta(days=8)), (operations.renew_some, late)):
        with scope(tenant):
            step(at=at)
    is_more = True
    while is_more:
        with scope(tenant):
            is_more = bool(operations.collect_next(at=late))


def later(tenant: Any, now: datetime) -> datetime:
    """Return what the memberships' clock says: a day a second since the tenant was made."""
    made: datetime = tenant.created_at
    return made + (now - made).total_seconds() * timedelta(days=DAYS_A_SECOND)


def _pay_out(rng: random.Random, now: datetime) -> None:
    """Draft all that a creator may have, and let it leave; the worker sends it."""
    from billing.models import Payout  # noqa: PLC0415
    from billing.operations import paying  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415

    staff = Member.objects.get(role=Member.Role.STAFF)
    if draft := Payout.objects.filter(state=Payout.State.DRAFT).first():
        paying.approve_payout(payout=draft, by=staff, at=now)
        return
    creator = rng.choice(list(Creator.objects.order_by("pk")))
    asked: dict[str, Any] = {"currency": "CNY", "amount": None, "key": f"{rng.getrandbits(40)}"}
    paying.draft_payout(creator=creator, by=staff, at=now, **asked)


def _wanted(key: str) -> list[Any]:
    """Return what an order of this key is of: a course, a gift to somebody, both, or a membership."""
    from billing.models import Product  # noqa: PLC0415
    from billing.money import Money  # noqa: PLC0415
    from billing.operations import Wanted  # noqa: PLC0415
    from catalog.models import Item  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415

    rng = random.Random(key)
    course = rng.choice(list(Item.objects.filter(kind=Item.Kind.COURSE).select_related("creator").order_by("pk")))
    if rng.random() < 0.1:
        return [Wanted(product=Product.objects.get(kind=Product.Kind.MEMBERSHIP))]
    gift = Wanted(creator=rng.choice(list(Creator.objects.order_by("pk"))), amount=Money(rng.randint(1, 500), "CNY"))
    return [[Wanted(item=course)], [gift], [Wanted(item=course), gift]][rng.randrange(3)]


def _press(url: str, button: str) -> None:
    body = json.dumps({"press": button}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=5) as answer:
        answer.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
