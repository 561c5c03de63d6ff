"""The postings of `bench.ledger` by django-hordak, in an environment of its own: `bench.ledger --hordak <its python>`.

Reads from standard input {"database": url, "clients": c, "seconds": s, "parts": of a sale, in minor units}; prints how
many sales a second all clients booked into the accounts of one tenant, as its documentation does it: a Transaction and
its Legs, whose balance a deferred trigger checks.
"""

import json
import multiprocessing
import sys
import time
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

CREATORS = 200


def set_up(url: str) -> None:
    at = urlsplit(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": at.path.removeprefix("/"),
        "USER": unquote(at.username or ""),
        "PASSWORD": unquote(at.password or ""),
        "HOST": at.hostname,
        "PORT": at.port,
        "CONN_MAX_AGE": None,
    }
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"]
    settings.configure(
        INSTALLED_APPS=apps,
        DATABASES={"default": database},
        USE_TZ=True,
        HORDAK_DECIMAL_PLACES=2,
        DEFAULT_CURRENCY="CNY",
        CURRENCIES=["CNY"],
        SECRET_KEY="bench",  # noqa: S106  nothing is signed
    )
    django.setup()


def sell(*, asked: dict[str, Any], number: int, gate: Any, done: Any) -> None:
    """Book sales for so many seconds; report how many."""
    from django.db import transaction  # noqa: PLC0415  Django is not set up before
    from hordak.models import Account, Leg, Transaction  # type: ignore[import-not-found]  # noqa: PLC0415
    from moneyed import Money  # type: ignore[import-not-found]  # noqa: PLC0415

    kept = {account.name: account for account in Account.objects.all()}
    parts = [Money(part / 100, "CNY") for part in asked["parts"]]
    whole = Money(sum(asked["parts"]) / 100, "CNY")
    gate.wait()
    end, sales = time.perf_counter() + asked["seconds"], 0
    while time.perf_counter() < end:
        share = kept[f"pending {(number + sales * 7) % CREATORS}"]
        owners = [kept["tax"], kept["processor"], kept["fees"], share]
        with transaction.atomic():
            sale = Transaction.objects.create(description=f"{number}:{sales}")
            Leg.objects.create(transaction=sale, account=kept["clearing"], debit=whole)
            for account, part in zip(owners, parts, strict=True):
                Leg.objects.create(transaction=sale, account=account, credit=part)
        sales += 1
    done.put(sales)


def main() -> None:
    asked = json.load(sys.stdin)
    set_up(asked["database"])
    call_command("migrate", verbosity=0)
    from django.db import connections  # noqa: PLC0415  Django is not set up before
    from hordak.models import Account, AccountType  # noqa: PLC0415

    for name in ("clearing", "tax", "processor", "fees", *(f"pending {n}" for n in range(CREATORS))):
        kind = AccountType.asset if name == "clearing" else AccountType.liability
        Account.objects.create(name=name, type=kind, currencies=["CNY"])
    connections.close_all()
    context = multiprocessing.get_context("fork")
    gate, done = context.Barrier(asked["clients"] + 1), context.Queue()
    told = {"asked": asked, "gate": gate, "done": done}
    clients = [context.Process(target=sell, kwargs={**told, "number": n}) for n in range(asked["clients"])]
    for client in clients:
        client.start()
    gate.wait()
    began = time.perf_counter()
    sales = sum(done.get() for _ in clients)
    print(json.dumps({"sales_per_s": sales / (time.perf_counter() - began)}))


if __name__ == "__main__":
    main()
