"""Reading what was counted: series, sums, parts, cohorts and curves. Each costs one statement, whatever the events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet, Sum

from catalog.models import Item
from creators.models import Creator
from kpplatform.metrics.dictionary import MILLION, Ratio
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries.returning import MONTH, NEW, OLDER, OLDEST
from kpplatform.metrics.queries.watching import BINS
from kpplatform.tenancy import roles


@dataclass(frozen=True)
class Span:
    """Of which days, and of whom: of an item, of a creator, or of the tenant. `using` is the role that reads."""

    since: date
    until: date
    creator: Creator | None = None
    item: Item | None = None
    using: str = roles.APP

    @property
    def days(self) -> list[date]:
        return [self.since + timedelta(days=n) for n in range((self.until - self.since).days + 1)]

    def before(self) -> "Span":
        """Return as many days before it: what it is compared with."""
        days = self.until - self.since + timedelta(days=1)
        return Span(self.since - days, self.until - days, self.creator, self.item, self.using)


class Figure(NamedTuple):
    """What a metric was on a day, of one part; summed over parts the part is empty."""

    day: date
    part: str
    value: int

    @property
    def currency(self) -> str:
        return currency_of(self.part)


def currency_of(part: str) -> str:
    """Return the currency of a part of money: `kind:currency`, or `currency`."""
    return part.rpartition(":")[2]


def in_currency(parts: Mapping[str, int], currency: str) -> int:
    """Return the sum of the parts of money that are of this currency, in minor units."""
    return sum(value for part, value in parts.items() if currency_of(part) == currency)


def _rows(names: Iterable[str], of: Span) -> QuerySet[DailyFigure]:
    found = DailyFigure.objects.db_manager(of.using).filter(
        metric__in=list(names), day__gte=of.since, day__lte=of.until
    )
    return found.filter(item=of.item) if of.item else found.filter(item=None, creator=of.creator)


def series(names: Sequence[str], of: Span, *, by_part: bool = False) -> dict[str, list[Figure]]:
    """Return what each metric was day by day, days without any left out; each part by itself, or their sum."""
    keys = ("metric", "day", "part") if by_part else ("metric", "day")
    told: dict[str, list[Figure]] = {name: [] for name in names}
    for row in _rows(names, of).values(*keys).annotate(total=Sum("value")).order_by(*keys):
        told[row["metric"]].append(Figure(row["day"], row.get("part", ""), int(row["total"])))
    return told


def totals(names: Sequence[str], of: Span) -> dict[str, int]:
    """Return the sum of each metric over the days."""
    summed = dict(_rows(names, of).order_by().values_list("metric").annotate(Sum("value")))
    return {name: int(summed.get(name, 0)) for name in names}


def by_part(name: str, of: Span) -> dict[str, int]:
    """Return the sum of a metric over the days, of each part, the largest first."""
    summed = _rows([name], of).order_by().values_list("part").annotate(total=Sum("value")).order_by("-total", "part")
    return {part: int(total) for part, total in summed}


def parts_of(names: Sequence[str], of: Span) -> dict[str, dict[str, int]]:
    """Return the same of several metrics at once, in no order."""
    told: dict[str, dict[str, int]] = {name: {} for name in names}
    summed = _rows(names, of).order_by().values_list("metric", "part").annotate(Sum("value"))
    for name, part, total in summed:
        told[name][part] = int(total)
    return told


def ratio(metric: Ratio, of: Span) -> list[Figure]:
    """Return the ratio of each day, in millionths; days that have nothing below the line are left out."""
    days: Any = (
        _rows([*metric.over, *metric.under], of).order_by().values("day").annotate(**_sides(metric)).order_by("day")
    )
    return [Figure(row["day"], "", _millionths(row)) for row in days if row["under"]]


def overall(metric: Ratio, of: Span) -> int | None:
    """Return the ratio of all the days together, in millionths; None: there is nothing below the line."""
    row = _rows([*metric.over, *metric.under], of).aggregate(**_sides(metric))
    return _millionths(row) if row["under"] else None


def _sides(metric: Ratio) -> dict[str, Sum]:
    over = Q(metric__in=metric.over) & (Q(part__in=metric.over_parts) if metric.over_parts else Q())
    under = Q(metric__in=metric.under) & (Q(part__in=metric.under_parts) if metric.under_parts else Q())
    return {"over": Sum("value", filter=over), "under": Sum("value", filter=under)}


def _millionths(row: dict[str, Any]) -> int:
    return round(MILLION * int(row["over"] or 0) / int(row["under"]))


def items_of(names: Sequence[str], of: Span, *, most: int) -> list[dict[str, Any]]:
    """Return a creator's items (or the tenant's) with the sums of the metrics, most of the first metric first.

    Each is {"item": id, "title": …, and the sum of each metric by its name}.
    """
    rows = DailyFigure.objects.db_manager(of.using).filter(
        item__isnull=False, metric__in=list(names), day__gte=of.since, day__lte=of.until
    )
    if of.creator:
        rows = rows.filter(creator=of.creator)
    sums = {name: Sum("value", filter=Q(metric=name), default=0) for name in names}
    found: Any = rows.order_by().values("item", title=F("item__title")).annotate(**sums)
    return list(found.order_by(f"-{names[0]}", "-item")[:most])


def of_items(name: str, items: Sequence[int], of: Span, *, part: str) -> dict[int, int]:
    """Return the sum of one part of a metric for each of these items, those without any left out."""
    rows = DailyFigure.objects.db_manager(of.using).filter(
        item__in=items, metric=name, part=part, day__gte=of.since, day__lte=of.until
    )
    return {item: int(total) for item, total in rows.order_by().values_list("item").annotate(Sum("value"))}


def active(day: date, *, within: int = MONTH, using: str = roles.APP) -> int:
    """Return how many different viewers watched within so many days up to this one, exactly.

    Who watched on several of the days is counted on the first of them: when they had not watched since it began.
    """
    assert within <= MONTH, "Longer gaps are counted together."
    first = day - timedelta(days=within - 1)
    found = _rows(["came_back"], Span(first, day, using=using)).values_list("day", "part", "value")
    return sum(value for at, part, value in found if part in {NEW, OLDER} or int(part) > (at - first).days)


def cohorts(of: Span) -> dict[date, dict[int, int]]:
    """Return, for each day on which viewers came for the first time, how many of them watched so many days later."""
    found = _rows(["retained"], Span(of.since, of.until + timedelta(days=OLDEST), using=of.using)).exclude(part=OLDER)
    told: dict[date, dict[int, int]] = {}
    for day, part, value in found.order_by("day").values_list("day", "part", "value"):
        began = day - timedelta(days=int(part))
        if of.since <= began <= of.until:
            told.setdefault(began, {})[int(part)] = int(value)
    return told


def retention_curve(of: Span) -> list[float]:
    """Return which share of the item's plays reached each twentieth of it, from 1 at its start; empty: no plays."""
    stops = by_part("stops", of)
    plays = sum(stops.values())
    if not plays:
        return []
    left = accumulate(stops.get(str(place), 0) for place in range(BINS))
    return [1.0, *((plays - gone) / plays for gone in left)]
