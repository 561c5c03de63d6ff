"""What can be told of a tenant in numbers: counted of the events of a day, or read from what was counted."""

from kpplatform.metrics.queries.counting import (
    METRICS,
    Difference,
    asked,
    counted,
    days_counted,
    days_due,
    differences,
    span,
    today,
)
from kpplatform.metrics.queries.figures import (
    Figure,
    Span,
    active,
    by_part,
    cohorts,
    items_of,
    overall,
    ratio,
    retention_curve,
    series,
    totals,
)

__all__ = [
    "METRICS",
    "Difference",
    "Figure",
    "Span",
    "active",
    "asked",
    "by_part",
    "cohorts",
    "counted",
    "days_counted",
    "days_due",
    "differences",
    "items_of",
    "overall",
    "ratio",
    "retention_curve",
    "series",
    "span",
    "today",
    "totals",
]
