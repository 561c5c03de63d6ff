"""When something whose outcome is not known is looked at again."""

from datetime import datetime, timedelta


def again(*, at: datetime, since: datetime, first: timedelta, latest: timedelta) -> datetime:
    """Return the next moment: as far away as it has lasted since it began, but within these bounds."""
    return at + min(max(at - since, first), latest)
