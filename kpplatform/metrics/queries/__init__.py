"""What can be told of a tenant in numbers: counted of the events of a day, or read from what was counted."""

from kpplatform.metrics.queries.counting import METRICS, asked, counted, days_due, span
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
    "Figure",
    "Span",
    "active",
    "asked",
    "by_part",
    "cohorts",
    "counted",
    "days_due",
    "items_of",
    "overall",
    "ratio",
    "retention_curve",
    "series",
    "span",
    "totals",
]
