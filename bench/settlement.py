"""How fast a month is closed, and how fast a long statement is written, with how much memory.

A tenant has so many sales of so many creators in May, a tenth of them one creator's; closing the month writes a
statement for each creator. A second tenant has a tenth of the sales: the memory of the process that closes must be the
same. Beside them, in the same run, plain SQL adds the same transfers up by creator and writes the sums, without a cut
in the chain, kinds, openings or places; and COPY writes the same movements as CSV. The long statement is read as the
door gives it out, part by part.

    python -m bench.settlement [--lines 1000000] [--creators 10000] [--times 3]
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import site

MAY, JUNE = date(2026, 5, 1), datetime(2026, 6, 2, tzinfo=UTC)
MARKS = {"settle_s": 60, "peak_mb": 500, "csv_s": 5}
# Sales number 1 to n of a tenant: a line of the ledger each, in a journal of its own, with the order, its line and its
# payment. What they point at is there, so that keys need not be looked up a dozen times for each.
KEYS = """
    SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
    WHERE contype = 'f' AND conrelid IN (
        'billing_order'::regclass, 'billing_orderline'::regclass, 'billing_payment'::regclass,
        'billing_account'::regclass, 'billing_journal'::regclass, 'billing_transfer'::regclass)"""
SALES = """
    INSERT INTO billing_order (tenant_id, viewer_id, key, state, amount, currency, placed_at, paid_at)
    SELECT %(tenant)s, %(viewer)s, n, 'paid', 9000, 'CNY', %(at)s, %(at)s FROM generate_series(1, %(lines)s) n;
    INSERT INTO billing_orderline (tenant_id, order_id, kind, item_id, creator_id, amount, tax, processor, platform,
                                   share, refunded)
    SELECT %(tenant)s, o.id, 'item', %(item)s, c.id, 9000, 0, 0, 0, 9000, 0
    FROM billing_order o JOIN bench_creator c ON c.n = CASE WHEN o.key::int %% 10 = 0 THEN 0
                                                         ELSE o.key::int %% %(creators)s END
    WHERE o.tenant_id = %(tenant)s;
    INSERT INTO billing_journal (tenant_id, kind, key, seq, at, digest, link)
    SELECT %(tenant)s, 'sale', 'sale:' || o.key, o.key::int,
           %(at)s + o.key::int * interval '1 second' * (2000000.0 / %(lines)s), sha256('x'), sha256('x')
    FROM billing_order o WHERE o.tenant_id = %(tenant)s;
    INSERT INTO billing_payment (tenant_id, order_id, provider, key, reference, checkout_url, state, amount, currency,
                                 created_at, captured_at, journal_id)
    SELECT %(tenant)s, o.id, 'sandbox', o.key, o.key, '', 'captured', 9000, 'CNY', %(at)s, %(at)s, j.id
    FROM billing_order o JOIN billing_journal j ON j.tenant_id = o.tenant_id AND j.seq = o.key::int
    WHERE o.tenant_id = %(tenant)s;
    INSERT INTO billing_account (tenant_id, name, kind, currency, creator_id, floor, debits, credits)
    SELECT %(tenant)s, 'pending/CNY/creator/' || c.id, 'pending', 'CNY', c.id, 0, 0, count(*) * 9000
    FROM billing_orderline l JOIN bench_creator c ON c.id = l.creator_id WHERE l.tenant_id = %(tenant)s GROUP BY c.id;
    INSERT INTO billing_account (tenant_id, name, kind, currency, debits, credits)
    VALUES (%(tenant)s, 'clearing/CNY', 'clearing', 'CNY', 9000 * %(lines)s::bigint, 0);
    INSERT INTO billing_transfer (tenant_id, journal_id, debit_id, credit_id, currency, amount, digest)
    SELECT %(tenant)s, p.journal_id, d.id, c.id, 'CNY', 9000, sha256('x')
    FROM billing_payment p
    JOIN billing_orderline l ON l.order_id = p.order_id
    JOIN billing_account d ON d.tenant_id = p.tenant_id AND d.kind = 'clearing'
    JOIN billing_account c ON c.tenant_id = p.tenant_id AND c.creator_id = l.creator_id
    WHERE p.tenant_id = %(tenant)s;
    INSERT INTO billing_chainhead (tenant_id, seq, link) VALUES (%(tenant)s, %(lines)s, sha256('x'))"""
PLAIN_SUMS = """
    CREATE TEMPORARY TABLE plain_statement ON COMMIT DROP AS
    SELECT c.creator_id, t.currency, count(*), sum(t.amount)
    FROM billing_transfer t JOIN billing_account c ON c.id = t.credit_id WHERE c.creator_id IS NOT NULL GROUP BY 1, 2"""
PLAIN_LINES = """
    COPY (
        SELECT j.kind, t.amount, j.at, j.seq, j.key, c.kind FROM billing_transfer t
        JOIN billing_journal j ON j.id = t.journal_id JOIN billing_account c ON c.id = t.credit_id
        WHERE c.creator_id = %s ORDER BY j.seq, t.id
    ) TO STDOUT WITH CSV"""


def seed(slug: str, *, lines: int, creators: int) -> None:
    from django.db import connections, transaction  # noqa: PLC0415

    from catalog.models import Item  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    tenant = create_tenant(slug=slug, name="T", hosts=[f"{slug}.localhost"])
    with scope(tenant):
        made = Creator.objects.bulk_create(Creator(handle=f"c{n}", name="C") for n in range(creators))
        item = Item.objects.create(creator=made[0], kind=Item.Kind.COURSE, title="Scales")
        viewer = Member.objects.create(name="Buyer")
    asked: dict[str, Any] = {"tenant": tenant.pk, "viewer": viewer.pk, "item": item.pk, "lines": lines}
    asked |= {"creators": creators, "at": datetime(2026, 5, 2, tzinfo=UTC)}
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(KEYS)
        for (drop,) in cursor.fetchall():
            cursor.execute(drop)
        cursor.execute("SELECT set_config('kp.tenant', %s, true)", [str(tenant.pk)])
        cursor.execute("CREATE TEMPORARY TABLE bench_creator (n int PRIMARY KEY, id bigint) ON COMMIT DROP")
        cursor.execute("INSERT INTO bench_creator SELECT row_number() OVER (ORDER BY id) - 1, id FROM creators_creator")
        for statement in SALES.split(";"):
            cursor.execute(statement, asked)
            cursor.execute(f"ANALYZE {statement.split()[2]}")  # the next one reads what this one wrote


def in_child(do: Callable[..., dict[str, Any]], **asked: Any) -> dict[str, Any]:
    """Return what it measures in a process of its own, and the most memory that this had."""

    def told(answer: Any) -> None:
        found = do(**asked)
        answer.put(found | {"peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)})

    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    child = context.Process(target=told, args=(answer,))
    child.start()
    found: dict[str, Any] = answer.get()
    child.join()
    return found


def close(slug: str, *, keeps: bool) -> dict[str, Any]:
    """Close May of a tenant, and take it back unless it is kept."""
    from django.db import connection, transaction  # noqa: PLC0415

    from billing.models import Settlement  # noqa: PLC0415
    from billing.operations import paying  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(Tenant.objects.get(slug=slug)):
        began = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(PLAIN_SUMS)
        plain = time.perf_counter() - began
        began = time.perf_counter()
        paying.settle(month=MAY, at=JUNE)
        took = time.perf_counter() - began
        statements = Settlement.objects.count()
        transaction.set_rollback(not keeps)
    return {"s": took, "plain_s": plain, "statements": statements}


def write(slug: str) -> dict[str, Any]:
    """Write the longest statement as CSV, part by part."""
    from django.db import connection  # noqa: PLC0415

    from billing.api.statements import csv_of  # noqa: PLC0415
    from billing.models import Settlement  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(Tenant.objects.get(slug=slug)):
        longest = Settlement.objects.select_related("period", "creator").order_by("-movements")[0]
        began, first, lines = time.perf_counter(), 0.0, 0
        for part in csv_of(longest):
            first = first or time.perf_counter() - began
            lines += part.count(b"\n")
        took = time.perf_counter() - began
        began = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(PLAIN_LINES, [longest.creator_id]) as copied:
            copied_bytes = sum(len(part) for part in copied)
        plain = time.perf_counter() - began
    return {"s": took, "first_s": first, "lines": lines, "plain_s": plain, "plain_bytes": copied_bytes}


def figure(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians, and how many times as long as plain SQL it took."""
    ours, plain = (median(of[name] for of in found) for name in ("s", "plain_s"))
    peak = max(of["peak_mb"] for of in found)
    return {"s": round(ours, 2), "plain_sql_s": round(plain, 2), "ratio": round(ours / plain, 2), "peak_mb": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--creators", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    figures: dict[str, Any] = {"bench": "settlement", "machine": site.machine(), "marks": MARKS}
    with site.migrated():
        from django.db import connections  # noqa: PLC0415

        seed("small", lines=asked.lines // 10, creators=asked.creators)
        seed("large", lines=asked.lines, creators=asked.creators)
        site.analyze()
        connections.close_all()
        turns = range(asked.times)
        small = [in_child(close, slug="small", keeps=False)]
        large = [in_child(close, slug="large", keeps=n == turns[-1]) for n in turns]
        written = [in_child(write, slug="large") for _ in turns]
    figures["settle"] = figure(large) | {"statements": large[0]["statements"], "a_tenth": figure(small)}
    first = round(median(of["first_s"] for of in written), 2)
    figures["csv"] = figure(written) | {"first_part_s": first, "lines": written[0]["lines"]}
    figures |= {"lines": asked.lines, "creators": asked.creators, "times": asked.times, "load": os.getloadavg()[0]}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
