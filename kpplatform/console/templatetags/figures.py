"""What the templates of figures need of Python."""

import json
from typing import Any

from django import template

register = template.Library()


@register.filter(name="template")
def template_of(part: Any) -> str:
    """Return the template that draws a part of a page."""
    return f"console/parts/{part.shape}.html"


@register.filter(name="json")
def as_json(value: Any) -> str:
    return json.dumps(value)


@register.filter
def changed(share: float) -> str:
    """Return a change against before: +12 %."""
    return f"{share:+.0%}"
