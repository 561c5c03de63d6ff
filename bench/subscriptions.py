"""How fast periods are renewed: so many subscriptions that fall due together, charged to saved methods and booked.

Several workers renew one tenant's subscriptions beside one another, as the job does: invoices in batches, then each
charge asked of the sandbox over HTTP under its key, booked in the ledger, and access granted. Beside it, in the same
run and by as many workers, the same rows are written by plain SQL into tables without keys, checks, policies,
idempotency or chain, and without a provider. The servers are real and wait for the disk.

Counted is the time from when all fall due until the last one is booked and its period open.

    python -m bench.subscriptions [--renewals 10000] [--workers 1]
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import site

JOINED, DUE = datetime(2026, 5, 1, 12, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = "sk_bench"
TABLES = ("order", "line", "payment", "period", "charge", "journal", "transfer", "pass")
PLAIN = "".join(
    f"CREATE TABLE plain_{name} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a bigint, b bigint, c text,"
    " d timestamptz, e bigint);"
    for name in TABLES
)
GRANT = f"GRANT ALL ON {', '.join(f'plain_{name}' for name in TABLES)} TO PUBLIC"
# How many rows of each a renewal writes; a subscription is changed twice.
ROWS = dict.fromkeys(TABLES, 1) | {"transfer": 3}


def sell(path: Path, ready: Any) -> None:
    """Serve as the payment provider, in a process of its own."""
    import django  # noqa: PLC0415

    django.setup()
    from billing.providers.sandbox.server import Server  # noqa: PLC0415

    server = Server(port=0, path=path, key=KEY)
    method = {"id": "pm_bench", "account": "bench", "key": "set_bench", "status": "good"}
    server.bank.book.put({"methods": [method]})
    ready.put(server.address)
    server.serve_forever()


def seed(number: int) -> None:
    """Write a tenant with so many subscriptions that fall due together."""
    from django.db import connections  # noqa: PLC0415

    from billing import operations  # noqa: PLC0415
    from billing.models import PaymentMethod, Period, Plan, Subscription  # noqa: PLC0415
    from billing.money import Money  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(create_tenant(slug="bench", name="B", hosts=["bench.localhost"])):
        staff = Member.objects.create(name="Staff", role=Member.Role.STAFF)
        creator = Creator.objects.create(handle="creator", name="C")
        tier = operations.make_tier(by=staff, creator=creator, title="Club", at=JOINED)
        made = operations.add_plan(tier=tier, by=staff, interval="month", amount=Money(3_000, "CNY"), at=JOINED)
        plan = Plan.objects.get(pk=made.pk)
        members = Member.objects.bulk_create([Member(name=f"M{n}") for n in range(number)], batch_size=2_000)
        saved = {"provider": "sandbox", "reference": "pm_bench", "state": PaymentMethod.State.SAVED, "made_at": JOINED}
        methods = PaymentMethod.objects.bulk_create(
            [PaymentMethod(member=member, key=f"m{member.pk}", **saved) for member in members], batch_size=2_000
        )
        span = {"starts_at": JOINED, "ends_at": DUE}
        about = {"tier": tier, "plan": plan, "state": "active", "anchor": 1, "due_at": DUE, "began_at": JOINED, **span}
        joined = Subscription.objects.bulk_create(
            [Subscription(viewer=of.member, method=of, **about) for of in methods], batch_size=2_000
        )
        first = {"kind": Period.Kind.FIRST, "plan": plan, **span}
        Period.objects.bulk_create(
            [Period(subscription=of, source=f"order:0:{of.pk}", **first) for of in joined], batch_size=2_000
        )
    with connections["owner"].cursor() as cursor:
        cursor.execute(PLAIN + GRANT)
        cursor.execute("ANALYZE")
    connections.close_all()


def renew(gate: Any, done: Any) -> None:
    """Renew and collect until nothing is due."""
    from billing import operations  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    tenant = Tenant.objects.get(slug="bench")
    gate.wait()
    for step in (operations.renew_some, operations.collect_next):
        is_more = True
        while is_more:
            with scope(tenant):
                is_more = bool(step(at=DUE))
    done.put(used())


def write_plainly(number: int, gate: Any, done: Any) -> None:
    """Write the rows of so many renewals, each in a transaction of its own."""
    from django.db import connection, transaction  # noqa: PLC0415

    connection.ensure_connection()
    gate.wait()
    for n in range(number):
        with transaction.atomic(), connection.cursor() as cursor:
            for table, rows in ROWS.items():
                values: list[Any] = [n, n, f"{table}:{n}", DUE, 3_000] * rows
                places = ", ".join(["(%s, %s, %s, %s, %s)"] * rows)
                cursor.execute(f"INSERT INTO plain_{table} (a, b, c, d, e) VALUES {places}", values)
            cursor.execute("UPDATE plain_period SET e = e + 1 WHERE id = %s", [n + 1])
    done.put(used())


def used() -> tuple[float, float]:
    """Return how many megabytes this process had at most, and how many seconds of a core it took."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time()


def timed(work: Any, arguments: list[tuple[Any, ...]]) -> tuple[float, float, float]:
    """Do it in as many processes as there are arguments; return seconds, megabytes of the largest, seconds of cores."""
    context = multiprocessing.get_context("fork")
    gate, done = context.Barrier(len(arguments) + 1), context.Queue()
    workers = [context.Process(target=work, args=(*told, gate, done)) for told in arguments]
    for worker in workers:
        worker.start()
    gate.wait()
    began = time.perf_counter()
    megabytes, cores = zip(*(done.get() for _ in workers), strict=True)
    took = time.perf_counter() - began
    for worker in workers:
        worker.join()
    return took, max(megabytes), sum(cores)


def checked(number: int) -> bool:
    """Tell whether each subscription was renewed and charged once, and whether the books are in order."""
    from billing import queries  # noqa: PLC0415
    from billing.models import Charge, Order, Subscription  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(Tenant.objects.get(slug="bench")):
        renewed = Subscription.objects.filter(state="active", starts_at=DUE).count()
        paid = Order.objects.filter(state="paid").count()
        charged = Charge.objects.filter(state="paid").count()
        return renewed == paid == charged == number and queries.ledger_report().is_good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renewals", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    number, workers = asked.renewals, asked.workers
    context = multiprocessing.get_context("spawn")
    with site.migrated(), tempfile.TemporaryDirectory() as folder:
        ready = context.Queue()
        os.environ["SANDBOX_KEY"] = KEY
        provider = context.Process(target=sell, args=(Path(folder) / "sandbox.jsonl", ready), daemon=True)
        provider.start()
        from django.conf import settings  # noqa: PLC0415

        settings.SANDBOX_URL, settings.SANDBOX_KEY = ready.get(), KEY
        seed(number)
        took, megabytes, cores = timed(renew, [()] * workers)
        plain, _, _ = timed(write_plainly, [(number // workers,)] * workers)
        is_right = checked(number)
        provider.terminate()
    figures = {
        "bench": "subscriptions",
        "machine": site.machine(),
        "renewals": number,
        "workers": workers,
        "load": round(os.getloadavg()[0], 1),
        "seconds": round(took, 1),
        "seconds_of_the_workers_cores": round(cores, 1),
        "per_second": round(number / took),
        "plain_sql_seconds": round(plain, 1),
        "ratio": round(took / plain, 1),
        "most_megabytes_of_a_worker": round(megabytes),
        "once_each_and_books_good": is_right,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
