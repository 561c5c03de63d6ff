"""How fast money is booked: sales over many tenants, sales of one busy tenant, and transfers in batches.

Beside each, in the same run and by as many clients, the same rows are written by plain SQL into tables without
keys, checks, policies, idempotency or chain. The servers are real and wait for the disk.

    python -m bench.ledger [--seconds 8] [--clients 4] [--batch 1000] [--hordak <python>]

With the interpreter of an environment that has django-hordak and psycopg, the sales of one tenant are booked by it too.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg

from bench import site

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TENANTS, CREATORS = 100, 200
SALE = (600, 60, 900, 8_440)  # tax, the provider's fee, the platform's fee, the creator's share
PLAIN = """
    CREATE TABLE plain_account (id bigint PRIMARY KEY, debits bigint NOT NULL, credits bigint NOT NULL);
    CREATE TABLE plain_journal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id bigint NOT NULL, kind text NOT NULL, key text NOT NULL, at timestamptz NOT NULL);
    CREATE TABLE plain_transfer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant_id bigint NOT NULL, journal_id bigint NOT NULL, debit_id bigint NOT NULL, credit_id bigint NOT NULL,
        currency text NOT NULL, amount bigint NOT NULL);
    INSERT INTO plain_account SELECT n, 0, 0 FROM generate_series(0, 200000) n;
    GRANT ALL ON plain_account, plain_journal, plain_transfer TO PUBLIC
"""


def seed() -> None:
    from django.db import connections  # noqa: PLC0415

    from creators.models import Creator  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    for number in range(TENANTS):
        with scope(create_tenant(slug=f"t{number}", name="T", hosts=[f"t{number}.localhost"])):
            Creator.objects.bulk_create(Creator(handle=f"c{n}", name="C") for n in range(CREATORS))
    with connections["owner"].cursor() as cursor:
        cursor.execute(PLAIN)
    connections.close_all()


class Client:
    """One client in a process of its own."""

    def __init__(self, number: int, tenants: int, batch: int) -> None:
        from creators.models import Creator  # noqa: PLC0415
        from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
        from kpplatform.tenancy.scope import scope  # noqa: PLC0415

        self.name, self.batch, self.scope = f"client{number}", batch, scope
        self.tenants = list(Tenant.objects.order_by("pk")[:tenants])
        self.creators = {}
        for tenant in self.tenants:
            with scope(tenant):
                self.creators[tenant.pk] = list(Creator.objects.order_by("pk"))

    def sale(self, n: int) -> int:
        """Book one sale as a payment's capture does: one transaction, one round trip for the ledger."""
        from billing import ledger  # noqa: PLC0415
        from billing.models import Journal  # noqa: PLC0415
        from billing.money import Money  # noqa: PLC0415

        tenant = self.tenants[n % len(self.tenants)]
        creator = self.creators[tenant.pk][n % CREATORS]
        names = (ledger.tax("CNY"), ledger.processor("CNY"), ledger.fees("CNY"), ledger.pending(creator, "CNY"))
        clearing = ledger.clearing("CNY")
        transfers = [(clearing, name, Money(part, "CNY")) for name, part in zip(names, SALE, strict=True)]
        with self.scope(tenant):
            ledger.post(kind=Journal.Kind.SALE, key=f"{self.name}:{n}", transfers=transfers, at=NOON)
        return 1

    def transfers(self, n: int) -> int:
        """Book a batch of transfers as settlement does: one journal, one round trip."""
        from billing import ledger  # noqa: PLC0415
        from billing.models import Journal  # noqa: PLC0415
        from billing.money import Money  # noqa: PLC0415

        tenant = self.tenants[n % len(self.tenants)]
        source = ledger.clearing("CNY")
        names = [ledger.pending(creator, "CNY") for creator in self.creators[tenant.pk]]
        moved = [(source, names[m % CREATORS], Money(m + 1, "CNY")) for m in range(self.batch)]
        with self.scope(tenant):
            ledger.post(kind=Journal.Kind.AD_CHARGE, key=f"{self.name}:batch:{n}", transfers=moved, at=NOON)
        return self.batch

    def plain_sale(self, n: int) -> int:
        tenant = self.tenants[n % len(self.tenants)]
        return self.plain(
            tenant.pk, n, [(m, part) for m, part in enumerate((*SALE[:3],), 1)] + [(n % 200 + 4, SALE[3])]
        )

    def plain_transfers(self, n: int) -> int:
        tenant = self.tenants[n % len(self.tenants)]
        return self.plain(tenant.pk, n, [(m % CREATORS + 4, m + 1) for m in range(self.batch)])

    def plain(self, tenant: int, n: int, moved: list[tuple[int, int]]) -> int:
        """Write the same rows by three plain statements in one transaction."""
        from django.db import connection, transaction  # noqa: PLC0415

        first = tenant * 1_000
        accounts, amounts = [first + place for place, _ in moved], [amount for _, amount in moved]
        sums: dict[int, int] = {}
        for account, amount in zip(accounts, amounts, strict=True):
            sums[account] = sums.get(account, 0) + amount
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE plain_account a SET debits = a.debits + m.d, credits = a.credits + m.c"
                " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) m (id, d, c) WHERE a.id = m.id",
                [[first, *sorted(sums)], [sum(amounts)] + [0] * len(sums), [0, *(sums[i] for i in sorted(sums))]],
            )
            cursor.execute(
                "INSERT INTO plain_journal (tenant_id, kind, key, at) VALUES (%s, 'sale', %s, %s) RETURNING id",
                [tenant, f"{self.name}:{n}", NOON],
            )
            cursor.execute(
                "INSERT INTO plain_transfer (tenant_id, journal_id, debit_id, credit_id, currency, amount)"
                " SELECT %s, %s, %s, c, 'CNY', a FROM unnest(%s::bigint[], %s::bigint[]) x (c, a)",
                [tenant, cursor.fetchone()[0], first, accounts, amounts],
            )
        return len(moved) if len(moved) > len(SALE) else 1


def work(*, number: int, tenants: int, asked: argparse.Namespace, doing: str, gate: Any, done: Any) -> None:
    """Do one thing again and again for so many seconds; report how often it was done."""
    client = Client(number, tenants, asked.batch)
    do: Callable[[int], int] = getattr(client, doing)
    turns = count(number * 7 if tenants > 1 else number)
    do(10_000_000 + number)
    gate.wait()
    end, amount = time.perf_counter() + asked.seconds, 0
    while time.perf_counter() < end:
        amount += do(next(turns))
    done.put(amount)


def rate(doing: str, *, tenants: int, asked: argparse.Namespace) -> float:
    """Return how many a second all clients did together."""
    context = multiprocessing.get_context("fork")
    gate, done = context.Barrier(asked.clients + 1), context.Queue()
    shared = {"tenants": tenants, "asked": asked, "doing": doing}
    clients = [
        context.Process(target=work, kwargs={**shared, "number": n, "done": done, "gate": gate})
        for n in range(asked.clients)
    ]
    for client in clients:
        client.start()
    gate.wait()
    began = time.perf_counter()
    amount: int = sum(done.get() for _ in clients)
    took = time.perf_counter() - began
    for client in clients:
        client.join()
    return amount / took


def hordak(python: str, asked: argparse.Namespace) -> float:
    """Return how many sales a second django-hordak books, in a database of its own on the same server."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE hordak")
    parts = urlsplit(url)
    told = {"database": parts._replace(path="/hordak").geturl(), "parts": SALE}
    told |= {"clients": asked.clients, "seconds": asked.seconds}
    script = Path(__file__).with_name("ledger_hordak.py")
    done = subprocess.run([python, script], input=json.dumps(told), capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["sales_per_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--hordak", help="the interpreter of an environment with django-hordak")
    asked = parser.parse_args()
    figures: dict[str, Any] = {"bench": "ledger", "machine": site.machine()}
    with site.migrated():
        seed()
        for name, doing, tenants in (
            ("sales_per_s_100_tenants", "sale", TENANTS),
            ("sales_per_s_one_tenant", "sale", 1),
            ("transfers_per_s_batched", "transfers", TENANTS),
        ):
            ours, plain = (rate(what, tenants=tenants, asked=asked) for what in (doing, f"plain_{doing}"))
            figures[name] = {"ours": round(ours), "plain_sql": round(plain), "ratio": round(ours / plain, 3)}
        if asked.hordak:
            figures["hordak_sales_per_s"] = round(hordak(asked.hordak, asked))
            figures["ratio_to_hordak"] = round(
                figures["sales_per_s_one_tenant"]["ours"] / figures["hordak_sales_per_s"], 2
            )
    figures |= {"clients": asked.clients, "seconds": asked.seconds, "batch": asked.batch}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
