"""How fast the console's pages open over ten million watches, and how fast a day of ten million is counted.

The days before were counted: ten thousand items and a thousand creators have their figures of ninety days. Every page
is opened five times by Django's test client, over ninety days, by staff (the studio's pages of one creator) and by an
operator, beside whom are other tenants. Then a day of real events is counted, as the job does it.

The baselines run beside them in the same database: one chart's numbers (plays and time by source, and sales by kind)
added up straight from a day's events, against the same numbers read from what was counted; and one mere reading of the
day's watches, by item, against the counting of everything.

    python -m bench.console [--watches 10000000] [--orders 100000] [--items 10000] [--days 90] [--tenants 2000]
                            [--by-counting]
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from bench import console_world as world
from bench import site

MARKS = {"page_s": 1.0, "count_day_s": 180.0}
TIMES = 5
SIGNED_IN = "allauth.account.auth_backends.AuthenticationBackend"
# One page's numbers, from a day's events.
STRAIGHT = (
    """SELECT source, count(*), sum(watch_ms::bigint) FROM catalog_watch
       WHERE tenant_id = %(tenant)s AND quarantine = '' AND started_at >= %(begins)s AND started_at < %(ends)s
       GROUP BY source""",
    """SELECT l.kind, o.currency, sum(l.amount) FROM billing_order o
       JOIN billing_orderline l ON l.tenant_id = %(tenant)s AND l.order_id = o.id
       WHERE o.tenant_id = %(tenant)s AND o.paid_at >= %(begins)s AND o.paid_at < %(ends)s GROUP BY 1, 2""",
)
READING = """
    SELECT item_id, source, count(*), sum(watch_ms::bigint) FROM catalog_watch
    WHERE tenant_id = %(tenant)s AND started_at >= %(begins)s AND started_at < %(ends)s GROUP BY 1, 2"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watches", type=int, default=10_000_000, help="of the day that is counted")
    parser.add_argument("--impressions", type=int, default=2_000_000, help="of that day")
    parser.add_argument("--orders", type=int, default=100_000, help="of that day")
    parser.add_argument("--viewers", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--tenants", type=int, default=2_000, help="beside it")
    parser.add_argument("--by-counting", action="store_true", help="each of the day's statements by itself, too")
    asked = parser.parse_args()
    with site.migrated():
        print(json.dumps(measure(asked)))


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    today = datetime.now(UTC).date()
    daily = max(1, asked.watches // asked.days)
    tenant = world.seed(viewers=asked.viewers, items=asked.items, days=asked.days, daily=daily, until=today)
    world.surround(tenants=asked.tenants, days=asked.days, until=today)
    world.settle_down()
    pages = opened()
    day = today - timedelta(days=1)
    rolled = counted(tenant, day, asked)
    return {
        "bench": "console",
        "machine": site.machine(),
        "marks": MARKS,
        "days": asked.days,
        "pages_s": pages,
        "slowest_page_s": max(pages.values()),
        **rolled,
        "load": round(os.getloadavg()[0], 2),
        **{name: getattr(asked, name) for name in ("watches", "impressions", "orders", "viewers", "items", "tenants")},
    }


def opened() -> dict[str, float]:
    """Return the median seconds to open each page, and the first page of each who looks."""
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from kpplatform.console.pages import PAGES  # noqa: PLC0415
    from kpplatform.console.pages.shapes import Audience  # noqa: PLC0415
    from kpplatform.tenancy.models import Member, Tenant, User  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    operator, person = (User.objects.create(email=f"{who}@example.com", is_operator=who == "operator")
                        for who in ("operator", "staff"))  # fmt: skip
    with scope(Tenant.objects.get(slug="bench")):
        Member.objects.create(user=person, role=Member.Role.STAFF, name="Staff")
    clients = {}
    for host, user in ((world.HOST, person), ("localhost", operator)):
        clients[host] = Client(headers={"host": host, "accept-language": "en"})
        clients[host].force_login(user, backend=SIGNED_IN)

    def open_(host: str, path: str) -> float:
        def once() -> None:
            answer = clients[host].get(path)
            if answer.status_code != 200:
                raise RuntimeError(f"{path} answered {answer.status_code}.")

        once()  # what is imported and compiled on the first request is not the page's
        return seconds(once)

    found = {"first page": open_(world.HOST, "/admin/"), "first page, operator": open_("localhost", "/admin/")}
    for page in PAGES:
        asked = {"days": 90} | ({"creator": "creator-1"} if page.audience == Audience.CREATOR else {})
        host = "localhost" if page.audience == Audience.OPERATOR else world.HOST
        found[page.slug] = open_(host, reverse("admin:figures", args=[page.slug], query=asked))
    return found


def counted(tenant: int, day: date, asked: argparse.Namespace) -> dict[str, Any]:
    """Return how long the counting of a day takes, beside a mere reading of it; and a page's numbers both ways."""
    from django.db import connection  # noqa: PLC0415

    from kpplatform.metrics import queries  # noqa: PLC0415
    from kpplatform.metrics.operations import count_day  # noqa: PLC0415
    from kpplatform.metrics.queries import Span, series  # noqa: PLC0415
    from kpplatform.metrics.queries.counting import COUNTINGS  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    with scope(Tenant.objects.get(pk=tenant)):
        said = queries.asked(day)
    world.happen(
        tenant, watches=asked.watches, impressions=asked.impressions, orders=asked.orders, begins=said["begins"]
    )
    world.settle_down()

    def ask(*statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, said)
                cursor.fetchall()

    with scope(Tenant.objects.get(pk=tenant)):
        roll_up = seconds(lambda: count_day(day=day, at=datetime.now(UTC)), times=1)
        reading = seconds(lambda: ask(READING), times=1)
        straight = seconds(lambda: ask(*STRAIGHT), times=3)
        read = seconds(lambda: series(["plays", "watch_ms", "sales"], Span(day, day), by_part=True), times=3)
        each = COUNTINGS if asked.by_counting else ()
        parts = {of.metrics[0].name: seconds(lambda of=of: ask(of.rows()), times=1) for of in each}  # type: ignore[misc]
        plays = sum(of.value for of in series(["plays"], Span(day, day))["plays"])
    return {
        "count_day_s": roll_up,
        "by_counting_s": parts,
        "reading_s": reading,
        "ratio_to_reading": round(roll_up / reading, 2),
        "numbers_of_a_page_s": {"from_events": straight, "counted": read, "ratio": round(straight / read, 1)},
        "plays_counted": plays,
    }


def seconds(do: Callable[[], Any], *, times: int = TIMES) -> float:
    """Return the median of so many runs."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        took.append(time.perf_counter() - began)
    return round(median(took), 4)


if __name__ == "__main__":
    main()
