"""Who leads: the creators, the items and the tenants of which a metric says most."""

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.db.models import Sum

from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries.figures import Span
from kpplatform.tenancy import roles

# One look into the index of each tenant's own figures: a tenant costs what its own days are, not what all tenants' are.
OF_TENANTS = """
    SELECT t.id, f.metric, f.what, f.total
    FROM tenancy_tenant t CROSS JOIN LATERAL (
        SELECT d.metric, CASE WHEN d.metric = ANY(%(money)s) THEN substring(d.part FROM '[^:]*$') ELSE '' END AS what,
               sum(d.value)::bigint AS total
        FROM metrics_dailyfigure d
        WHERE d.tenant_id = t.id AND d.creator_id IS NULL AND d.metric = ANY(%(metrics)s)
              AND d.day >= %(since)s AND d.day <= %(until)s
        GROUP BY 1, 2) f
    WHERE t.closed_at IS NULL
"""


def creators_with_most(name: str, of: Span, *, most: int, ending: str = "") -> list[tuple[int, int]]:
    """Return (creator, sum) of those who have most of a metric, counting the parts with this ending."""
    return _most("creator", name, of, most, ending, item=None, creator__isnull=False)


def items_with_most(name: str, of: Span, *, most: int) -> list[tuple[int, int]]:
    """Return (item, sum) of those that have most of a metric."""
    return _most("item", name, of, most, "", item__isnull=False)


def _most(level: str, name: str, of: Span, most: int, ending: str, **among: Any) -> list[tuple[int, int]]:
    # Each day by its name: so the index of a day and a metric leads to rows that lie side by side.
    rows = DailyFigure.objects.db_manager(of.using).filter(metric=name, day__in=of.days, part__endswith=ending, **among)
    summed = rows.order_by().values_list(level).annotate(total=Sum("value")).order_by("-total", f"-{level}")
    return [(key, int(total)) for key, total in summed[:most]]


def compared(counts: Sequence[str], money: Sequence[str], of: Span) -> dict[int, dict[tuple[str, str], int]]:
    """Return of each open tenant the sums of the counts by (name, ""), and of the money by (name, currency).

    A tenant of which nothing was counted is left out. Read through the operator's role.
    """
    assert of.using == roles.OPERATOR, "Only operators compare tenants."
    asked: dict[str, Any] = {"metrics": [*counts, *money], "money": list(money), "since": of.since, "until": of.until}
    told: dict[int, dict[tuple[str, str], int]] = {}
    with connections[roles.OPERATOR].cursor() as cursor:
        cursor.execute(OF_TENANTS, asked)
        for tenant, metric, what, total in cursor.fetchall():
            told.setdefault(tenant, {})[(metric, what)] = total
    return told
