"""How small a group may be told of in a tenant, and with how much noise."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kpplatform.tenancy.models import Tenant

SMALLEST = 20  # viewers
LEAST = 2  # a tenant may set it lower, but nobody is a group of one
MOST_EPSILON, BUDGET = 10.0, 3.0


@dataclass(frozen=True)
class Privacy:
    """What a tenant's settings say under "audience"; what makes no sense there is as if it were not said."""

    k: int = SMALLEST
    epsilon: float | None = None  # of one answer; without it counts are told as they are
    budget: float = BUDGET  # a creator's and a month's


def privacy(tenant: Tenant) -> Privacy:
    """Return how this tenant wants its viewers protected."""
    said = tenant.settings.get("audience", {})
    said = said if isinstance(said, dict) else {}
    k = _number(said.get("k"), LEAST, 1e9)
    return Privacy(
        k=int(k) if k is not None else SMALLEST,
        epsilon=_number(said.get("epsilon"), 1e-3, MOST_EPSILON),
        budget=_number(said.get("budget"), 0.0, 1e3) or BUDGET,
    )


def period(tenant: Tenant, *, at: datetime) -> date:
    """Return the first day of the month in which the budget is spent, where the tenant is."""
    return at.astimezone(ZoneInfo(tenant.time_zone)).date().replace(day=1)


def _number(said: Any, least: float, most: float) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float) or not least <= said <= most:
        return None
    return float(said)
