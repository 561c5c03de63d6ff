"""What a number is called, what it means, in what it is measured and where it is counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise

MILLION = 1_000_000


class Unit(StrEnum):
    """In what a whole number is told."""

    COUNT = "count"
    MS = "ms"
    MINOR = "minor units"
    MICROS = "micros"
    MILLIONTHS = "millionths"


@dataclass(frozen=True)
class Metric:
    """A number that is counted of each day.

    `part` says what its parts are (a source, a kind …). Parts of one day add up to the day unless `parts_overlap`;
    days add up unless `days_overlap`: who watched on two days is one viewer.
    """

    name: str
    unit: Unit
    definition: str | Promise
    source: str
    part: str = ""
    parts_overlap: bool = False
    days_overlap: bool = False


@dataclass(frozen=True)
class Counting:
    """A statement that counts some metrics of a day at once.

    It is given tenant, begins, ends, day and zone, and returns creator, item, part, and one column for each metric.
    Sums are added up here for creators and the tenant; what cannot be added up is returned at each level.
    """

    metrics: Sequence[Metric]
    sql: str
    adds_up: bool = True

    def rows(self) -> str:
        """Return the statement whose rows are (metric, creator, item, part, value)."""
        values = ", ".join(f"('{metric.name}', e.{metric.name}::bigint)" for metric in self.metrics)
        each = f"FROM ({self.sql}) e CROSS JOIN LATERAL (VALUES {values}) m (metric, value)"
        if not self.adds_up:
            return f"SELECT metric, creator, item, part, value {each} WHERE value <> 0"
        return (
            f"SELECT metric, creator, item, part, sum(value)::bigint AS value {each} WHERE value <> 0 "
            "GROUP BY GROUPING SETS ((metric, part), (metric, part, creator), (metric, part, creator, item)) "
            "HAVING sum(value) <> 0 AND NOT (grouping(creator) = 0 AND creator IS NULL) "
            "AND NOT (grouping(item) = 0 AND item IS NULL)"
        )


@dataclass(frozen=True)
class Ratio:
    """A number made of two metrics: the sum of the one over the sum of the other, in millionths.

    Of `over` and `under` only the named parts count; none named: all.
    """

    name: str
    definition: str | Promise
    over: Sequence[str]
    under: Sequence[str]
    over_parts: Sequence[str] = ()
    under_parts: Sequence[str] = ()
    unit: Unit = Unit.MILLIONTHS
    part: str = ""

    @property
    def source(self) -> str:
        return f"{' + '.join(self.over)} / {' + '.join(self.under)}"


def table(metrics: Iterable[Metric | Ratio]) -> str:
    """Return the dictionary as a table of Markdown: how it stands in docs/metrics.md."""
    rows = ["| name | unit | what it is | counted in | parts | days |", "|---|---|---|---|---|---|"]
    for of in metrics:
        days = "a ratio" if isinstance(of, Ratio) else "overlap" if of.days_overlap else "add up"
        parts = f"{of.part} (overlap)" if isinstance(of, Metric) and of.parts_overlap else of.part
        rows.append(f"| `{of.name}` | {of.unit} | {of.definition} | `{of.source}` | {parts} | {days} |")
    return "\n".join(rows)


Row = tuple[str, int | None, int | None, str, int]
Asked = dict[str, Any]
