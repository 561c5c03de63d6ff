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
from kpplatform.metrics.queries.drift import Drift, drifts, psi
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
from kpplatform.metrics.queries.leading import compared, creators_with_most, items_with_most

__all__ = [
    "METRICS",
    "Difference",
    "Drift",
    "Figure",
    "Span",
    "active",
    "asked",
    "by_part",
    "cohorts",
    "compared",
    "counted",
    "creators_with_most",
    "days_counted",
    "days_due",
    "differences",
    "drifts",
    "items_of",
    "items_with_most",
    "overall",
    "psi",
    "ratio",
    "retention_curve",
    "series",
    "span",
    "today",
    "totals",
]
