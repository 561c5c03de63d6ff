"""Puts counted days where a test of a page wants them. Call inside a scope."""

from datetime import date, datetime, timedelta
from typing import Any

from catalog.models import Item
from creators.models import Creator
from kpplatform.console.pages.shapes import Card, Look, Shown
from kpplatform.metrics.models import DailyFigure
from kpplatform.tenancy.models import Tenant
from tests.conftest import NOON
from tests.metrics.happened import DAY


def figure(
    metric: str,
    value: int,
    part: str = "",
    *,
    day: date = DAY,
    creator: Creator | None = None,
    item: Item | None = None,
) -> DailyFigure:
    return DailyFigure.objects.create(metric=metric, value=value, part=part, day=day, creator=creator, item=item)


def figures(metric: str, *, day: date = DAY, **parts: int) -> None:
    """Write down a metric's parts; `_` in a part's name stands for `:`, and `none` for no part."""
    for part, value in parts.items():
        figure(metric, value, "" if part == "none" else part.replace("_", ":"), day=day)


def look(tenant: Tenant | None, *, days: int = 7, at: datetime = NOON, **asked: str) -> Look:
    """Return somebody who looks at the last days up to that of noon."""
    return Look(tenant, None, DAY - timedelta(days=days - 1), DAY, at, asked)


def card(shown: Shown, title: str) -> Card:
    return next(card for card in shown.cards if card.title == title)


def part(shown: Shown, title: str) -> Any:
    """Return the chart or table whose title begins so."""
    return next(part for part in shown.parts if str(part.title).startswith(title))


def rows(shown: Shown, title: str) -> list[list[str]]:
    """Return a table's rows as words."""
    return [[str(cell) for cell in row] for row in part(shown, title).rows]
