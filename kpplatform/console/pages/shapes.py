"""What a page of figures is made of, and who looks at it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise

from creators.models import Creator
from kpplatform.metrics.dictionary import Metric, Ratio
from kpplatform.metrics.queries import METRICS, Span
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Member, Tenant

Words = str | Promise
COLOURS = ("#7c3aed", "#0d9488", "#d97706", "#db2777", "#2563eb", "#65a30d", "#dc2626", "#64748b")  # on light and dark

FEW = {"maxTicksLimit": 8, "maxRotation": 0}
STRONGEST = 45  # per cent of its colour behind a share: more, and what stands there cannot be read
LARGEST_ID = 2**63 - 1


class Audience(StrEnum):
    """Whose page it is: the tenant's staff's, a creator's (staff look at anybody's), or the installation's."""

    STAFF = "staff"
    CREATOR = "creator"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Look:
    """Who looks at which days of whom; everything that a page is built from."""

    tenant: Tenant | None
    creator: Creator | None
    since: date
    until: date
    at: datetime
    asked: dict[str, str] = field(default_factory=dict)
    by: Member | None = None

    @property
    def span(self) -> Span:
        return Span(self.since, self.until, self.creator, using=roles.APP if self.tenant else roles.OPERATOR)

    @property
    def days(self) -> list[date]:
        return self.span.days

    def id_of(self, name: str) -> int:
        """Return which row the address asks for by this name; 0: none that there could be."""
        asked = self.asked.get(name, "")
        is_number = asked.isascii() and asked.isdecimal() and len(asked) <= len(str(LARGEST_ID))
        return min(int(asked), LARGEST_ID) if is_number else 0

    @property
    def labels(self) -> list[str]:
        """Return the days as they stand below a chart."""
        return [date_format(day, "MONTH_DAY_FORMAT") for day in self.days]


@dataclass(frozen=True)
class Card:
    """One number, how it changed against as many days before (0.1: a tenth more), and the page where its rows are."""

    title: Words
    shown: str
    change: float | None = None
    href: str = ""
    is_alarming: bool = False
    metric: str = ""
    more_is_worse: bool = False

    @property
    def is_better(self) -> bool | None:
        """Tell whether the change is one that people want; None: there is none."""
        return (self.change > 0) != self.more_is_worse if self.change else None

    @property
    def definition(self) -> Words:
        return METRICS[self.metric].definition if self.metric else ""


@dataclass(frozen=True)
class Line:
    """One row of values of a chart, a value (or a pair: from, to) for each label; None: there is none."""

    name: Words
    values: Sequence[Any]


@dataclass(frozen=True)
class Chart:
    """Lines or bars over labels, or bars `across`, one below the other.

    `metrics` names what is drawn: it is explained below, and comes as CSV.
    """

    title: Words
    labels: Sequence[Any]
    lines: Sequence[Line]
    kind: str = "line"
    is_stacked: bool = False
    suffix: Words = ""
    metrics: Sequence[str] = ()
    when_empty: Words = ""
    most: float | None = None  # where the axis ends; none: behind the largest value
    is_across: bool = False
    is_wide: bool = False
    item: int | None = None  # of which it is, alone
    shape = "chart"

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to draw. A share of 0 is something: where there is none, it is open."""
        values = [value for line in self.lines for value in line.values]
        return all(value is None for value in values) if self.suffix == "%" else not any(values)

    @property
    def data(self) -> dict[str, Any]:
        """Return what Chart.js draws."""
        sets = [
            {
                "label": str(line.name),
                "data": list(line.values),
                "borderColor": COLOURS[number % len(COLOURS)],
                "backgroundColor": COLOURS[number % len(COLOURS)],
                "displayYAxis": True,
                "suffixYAxis": str(self.suffix),
                "maxTicksXLimit": 8,
                "tension": 0.3,
            }
            for number, line in enumerate(self.lines)
        ]
        return {"labels": [str(label) for label in self.labels], "datasets": sets}

    @property
    def options(self) -> dict[str, Any]:
        grey, thin = {"color": "#9ca3af"}, {"lineWidth": 0.5}
        names = {"grid": {"display": False}, "ticks": grey | ({"autoSkip": False} if self.is_across else FEW)}
        end = {} if self.most is None else {"max": self.most}
        values = end | {"grid": thin, "beginAtZero": True, "ticks": grey | {"maxTicksLimit": 6}}
        along, up = (values, names) if self.is_across else (names, values)
        stacked = {"stacked": self.is_stacked}
        return {
            "animation": False,
            "maintainAspectRatio": False,
            "elements": {"point": {"radius": 0, "hitRadius": 12}, "bar": {"borderRadius": 3}},
            "indexAxis": "y" if self.is_across else "x",
            "interaction": {"mode": "index", "intersect": False, "axis": "y" if self.is_across else "x"},
            "plugins": {"legend": {"display": len(self.lines) > 1, "labels": grey | {"boxWidth": 12}}},
            "scales": {"x": along | stacked, "y": up | stacked},
        }

    @property
    def explained(self) -> list[Metric | Ratio]:
        return [METRICS[name] for name in self.metrics]

    @property
    def rows(self) -> list[list[Any]]:
        """Return the same as a table, for those who cannot see it."""
        return [
            [label, *values] for label, *values in zip(self.labels, *(line.values for line in self.lines), strict=True)
        ]


@dataclass(frozen=True)
class Table:
    """A few rows, or what is said when there are none."""

    title: Words
    headers: Sequence[Words]
    rows: Sequence[Sequence[Any]]
    when_empty: Words
    is_wide: bool = False
    shape = "table"

    @property
    def labelled(self) -> list[list[tuple[Words, Any]]]:
        """Return the rows with each cell's header: on a phone one stands beside the other."""
        return [list(zip(self.headers, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Panel:
    """A few numbers about one thing, what they come to in words, and where there is more."""

    title: Words
    facts: Sequence[Card] = ()
    told: Words = ""
    href: str = ""
    more: Words = ""
    shape = "panel"


@dataclass(frozen=True)
class Cohorts:
    """Who came back: a row for each week's newcomers, a column for each age, in shares from 0 to 1."""

    title: Words
    headers: Sequence[Words]
    rows: Sequence[tuple[str, int, Sequence[float | None]]]  # who, how many, shares
    when_empty: Words
    shape = "cohorts"

    @property
    def cells(self) -> list[dict[str, Any]]:
        return [
            {
                "who": who,
                "many": many,
                "shares": [
                    None if share is None else {"shown": f"{share:.0%}", "strength": round(share * STRONGEST)}
                    for share in shares
                ],
            }
            for who, many, shares in self.rows
        ]


@dataclass(frozen=True)
class Shown:
    """Everything on a page, from top to bottom."""

    cards: Sequence[Card] = ()
    parts: Sequence[Chart | Table | Cohorts | Panel] = ()


@dataclass(frozen=True)
class Page:
    """A page of figures: where it stands, whose it is, and what builds it of who looks."""

    slug: str
    title: Words
    explained: Words
    icon: str
    audience: Audience
    build: Callable[[Look], Shown]
