"""What the clock shows where the scope's tenant is."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from kpplatform.tenancy.scope import current_tenant

FIRST = timezone(timedelta(hours=14))  # no clock on earth is before it


def tenants_zone() -> ZoneInfo:
    """Return where the scope's tenant is: its days are counted there."""
    return ZoneInfo(current_tenant().time_zone)


def tenants_time(at: datetime) -> datetime:
    """Return a moment as the tenant's clock shows it: by that clock papers are dated and days are counted."""
    return at.astimezone(tenants_zone())


def latest_day(at: datetime) -> date:
    """Return the latest day that has begun somewhere on earth: what others tell is dated by clocks of their own."""
    return at.astimezone(FIRST).date()
