"""A customer in a process of its own: orders, pays, presses the provider's button, wants money back; may be killed.

Their keys are few, and what is wanted follows from the key: orders are placed again and again, by whoever comes next.
"""

import json
import os
import random
import sys
import time
from datetime import UTC, datetime
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import django

PAUSE_S = 0.05
KEYS = 300


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
    tenants = list(Tenant.objects.order_by("pk"))
    with scope(rng.choice(tenants)):
        viewer = Member.objects.filter(role=Member.Role.VIEWER).order_by("pk")[number]
        what = rng.random()
        if what < 0.5:
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


def _wanted(key: str) -> list[Any]:
    """Return what an order of this key is of: a course, a gift to somebody, or both."""
    from billing.money import Money  # noqa: PLC0415
    from billing.operations import Wanted  # noqa: PLC0415
    from catalog.models import Item  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415

    rng = random.Random(key)
    course = rng.choice(list(Item.objects.filter(kind=Item.Kind.COURSE).select_related("creator").order_by("pk")))
    gift = Wanted(creator=rng.choice(list(Creator.objects.order_by("pk"))), amount=Money(rng.randint(1, 500), "CNY"))
    return [[Wanted(item=course)], [gift], [Wanted(item=course), gift]][rng.randrange(3)]


def _press(url: str, button: str) -> None:
    body = json.dumps({"press": button}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=5) as answer:
        answer.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
