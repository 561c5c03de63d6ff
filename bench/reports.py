"""How fast a provider's report is read and compared, and in how much memory: WeChat Pay's own bill of so many lines.

It is packed. Each line is a payment that is booked here; the last but one says another amount, the last is not booked.
Beside it the same bill is read into a dict by the usual means (csv.DictReader over the whole text), and compared with a
dict of our payments, and nothing is kept.

    python -m bench.reports [--lines 1000000]
"""

import argparse
import csv
import gzip
import io
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import site

HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
ROW = (
    "`2026-05-01 20:00:00,`wx1,`1900000001,`0,`,`42{n},`{n:032x},`oUpF8,`NATIVE,`SUCCESS,`OTHERS,`CNY,`{yuan},`0.00,"
    "`0,`0,`0.00,`0.00,`,`,`Order {n},`{n},`0.60000,`0.60%,`{yuan},`0.00,`"
)
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
SEED = """
    INSERT INTO billing_order (id, tenant_id, viewer_id, key, state, amount, currency, placed_at, paid_at)
        OVERRIDING SYSTEM VALUE
        SELECT n, {t}, {m}, n::text, 'paid', 10000, 'CNY', {at}, {at} FROM generate_series(1, {most}) n;
    INSERT INTO billing_orderline (tenant_id, order_id, kind, creator_id, amount, tax, processor, platform, share,
                                   refunded)
        SELECT {t}, n, 'tip', {c}, 10000, 0, 60, 1000, 8940, 0 FROM generate_series(1, {most}) n;
    INSERT INTO billing_payment (tenant_id, order_id, provider, key, reference, checkout_url, state, amount, currency,
                                 created_at, captured_at, journal_id)
        SELECT {t}, n, 'wechatpay', 'pay_' || lpad(to_hex(n), 32, '0'), '42' || n, '', 'captured', 10000, 'CNY',
               {at}, {at}, {j}
        FROM generate_series(1, {most}) n;
    ANALYZE billing_order; ANALYZE billing_orderline; ANALYZE billing_payment;
"""


def seed(lines: int) -> None:
    """Write so many captured payments of one tenant."""
    from django.db import connections  # noqa: PLC0415

    from billing import ledger  # noqa: PLC0415
    from billing.models import Journal  # noqa: PLC0415
    from billing.money import Money  # noqa: PLC0415
    from creators.models import Creator  # noqa: PLC0415
    from kpplatform.tenancy.models import Member  # noqa: PLC0415
    from kpplatform.tenancy.operations import create_tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    tenant = create_tenant(slug="bench", name="B", hosts=["bench.localhost"])
    with scope(tenant):
        member = Member.objects.create(name="M")
        creator = Creator.objects.create(handle="creator", name="C")
        moved = (ledger.clearing("CNY"), ledger.fees("CNY"), Money(1, "CNY"))
        booked = ledger.post(kind=Journal.Kind.SALE, key="all", transfers=[moved], at=datetime.fromisoformat(DAY))
    ids = {"t": tenant.pk, "m": member.pk, "c": creator.pk, "j": booked.pk, "most": lines - 1}
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('kp.tenant', %s, false)", [str(tenant.pk)])
        cursor.execute(SEED.format(at="timestamptz '2026-05-01 20:00:00+08'", **ids))
    connections.close_all()


DAY = "2026-05-01T00:00:00+08:00"


def bill(path: Path, lines: int) -> None:
    """Write the bill: the last line but one says another amount, the last is not booked here."""
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write(f"\ufeff{HEADER}\r\n")
        for n in range(1, lines + 1):
            file.write(ROW.format(n=n, yuan="100.07" if n == lines - 1 else "100.00") + "\r\n")
        file.write(f"{SUMS}\r\n`{lines}.0,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00\r\n")


def compare(path: str) -> dict[str, Any]:
    """Read the bill, compare it and keep each line, as the door for uploads does."""
    from billing import operations, providers  # noqa: PLC0415
    from billing.models import ReconciliationException  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    since = datetime.fromisoformat(DAY)
    until = since + timedelta(days=1)
    with scope(Tenant.objects.get(slug="bench")), Path(path).open("rb") as file:
        rows = providers.read_file(file, provider="wechatpay")
        run = operations.reconcile(report=operations.Report("wechatpay", since, until, rows), at=until)
        reasons = sorted(ReconciliationException.objects.values_list("reason", flat=True))
    return {"rows": run.rows, "matched": run.matched, "exceptions": reasons}


def compare_plainly(path: str) -> dict[str, Any]:
    """Read the whole bill into dicts, and compare them with a dict of our payments."""
    from billing.models import Payment  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(Tenant.objects.get(slug="bench")):
        ours = dict(Payment.objects.order_by("pk").values_list("key", "amount"))
    text = gzip.decompress(Path(path).read_bytes()).decode("utf-8-sig").replace("`", "")
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["交易状态"] == "SUCCESS"]
    wrong = [row for row in rows if ours.get(f"pay_{row['商户订单号']}") != round(float(row["订单金额"]) * 100)]
    return {"rows": len(rows), "differences": len(wrong)}


def measured(work: Callable[[str], dict[str, Any]], path: str, told: Any) -> None:
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = work(path)
    took = time.perf_counter() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    told.put(said | {"seconds": round(took, 1), "megabytes_more": round(grown)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    lines = parser.parse_args().lines
    context = multiprocessing.get_context("fork")
    figures: dict[str, Any] = {"lines": lines}
    with TemporaryDirectory() as folder, site.migrated():
        path = Path(folder) / "bill.gz"
        bill(path, lines)
        seed(lines)
        for name, work in (("plain", compare_plainly), ("ours", compare)):
            told = context.Queue()
            one = context.Process(target=measured, args=(work, str(path), told))
            one.start()
            figures[name] = told.get()
            one.join()
    figures["seconds_ratio"] = round(figures["ours"]["seconds"] / figures["plain"]["seconds"], 1)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
