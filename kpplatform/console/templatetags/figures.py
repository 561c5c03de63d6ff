"""What the templates of figures need of Python."""

import json
from typing import Any

from django import template
from django.urls import reverse

from kpplatform.console.pages.shapes import Chart, Look
from kpplatform.metrics.dictionary import Metric, Ratio

register = template.Library()


@register.filter(name="template")
def template_of(part: Any) -> str:
    """Return the template that draws a part of a page."""
    return f"console/parts/{part.shape}.html"


@register.filter(name="json")
def as_json(value: Any) -> str:
    return json.dumps(value)


@register.filter
def in_cell(value: Any) -> str:
    """Return a value of a chart as it stands in its table: a number, from where to where, or a dash for none."""
    if value is None:
        return "–"
    return " … ".join(f"{end:,}" for end in (value if isinstance(value, list) else [value]))


@register.simple_tag
def csv_of(look: Look, chart: Chart, metric: Metric | Ratio) -> str:
    """Return where a metric of a chart is told as CSV, of the same days and of the same item, creator or tenant."""
    asked: dict[str, Any] = {"since": look.since, "until": look.until, "by_part": "true", "form": "csv"}
    asked |= {"creator": look.creator.handle} if look.creator else {}
    asked |= {"item": chart.item} if chart.item else {}
    return reverse("metric", args=[metric.name], query=asked)


@register.filter
def changed(share: float) -> str:
    """Return a change against before: +12 %."""
    return f"{share:+.0%}"
