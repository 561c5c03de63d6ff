"""Periods of a subscription: months and years counted from an anchor day, and what is left of one. Pure arithmetic."""

from calendar import monthrange
from datetime import datetime, timedelta, tzinfo

MONTHS = {"month": 1, "year": 12}
MICROSECOND = timedelta(microseconds=1)


def anchor_of(at: datetime, *, zone: tzinfo) -> int:
    """Return the day of the month on which periods that begin at this moment begin, where the tenant is."""
    return at.astimezone(zone).day


def following(start: datetime, *, interval: str, anchor: int, zone: tzinfo) -> datetime:
    """Return when the period that begins at `start` ends: at the same hour of the anchor day, or of the month's last.

    Periods that begin where the one before ends never drift: 31 January, 28 February, 31 March.
    """
    local = start.astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + MONTHS[interval], 12)
    day = min(anchor, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(start.tzinfo)


def following_after(start: datetime, *, at: datetime, anchor: int, zone: tzinfo) -> datetime:
    """Return the first of the monthly dates after `start` that is not over at `at`: never two at once."""
    due = following(start, interval="month", anchor=anchor, zone=zone)
    while due <= at:
        due = following(due, interval="month", anchor=anchor, zone=zone)
    return due


def unused(amount: int, *, starts_at: datetime, ends_at: datetime, at: datetime) -> int:
    """Return what of a period's price, in minor units, is for the time after `at`; a part of a unit is not counted."""
    whole, left = ends_at - starts_at, ends_at - min(max(at, starts_at), ends_at)
    return amount * (left // MICROSECOND) // (whole // MICROSECOND)
