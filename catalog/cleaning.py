"""Which watches are no true watches, and by which rule. Pure: no database, no clock.

A rule looks at one watch, or at it among the clean watches of its viewer that were received before and started in
the same minute. So a verdict depends on nothing that comes later, and judging everything anew, minute by minute in
the order of receipt, gives what was said at the door.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

CLEAN = ""
TOO_FAST_MS = 1_000
MOST_LOOPS = 5
EARLY = timedelta(minutes=5)
LATE = timedelta(days=30)
# More watches than this, each of a second or longer, do not fit into one minute.
MOST_A_MINUTE = 60_000 // TOO_FAST_MS


class Viewing(NamedTuple):
    """One watch, as far as the rules need it. A duration of 0 is not known."""

    item: int
    started_at: datetime
    received_at: datetime
    watch_ms: int
    duration_ms: int
    is_own: bool


Minute = set[tuple[int, datetime]]  # the clean watches of one viewer and minute: item and start


def minute_of(at: datetime) -> datetime:
    """Return the minute that the moment lies in."""
    return at.replace(second=0, microsecond=0)


def clock_skew(watch: Viewing, _: Minute) -> bool:
    """Started after it was received, or too long before: the viewer's clock is wrong."""
    return not -EARLY <= watch.received_at - watch.started_at <= LATE


def impossible_duration(watch: Viewing, _: Minute) -> bool:
    """Longer than the item in as many loops as anybody watches in one go."""
    return 0 < watch.duration_ms * MOST_LOOPS < watch.watch_ms


def too_fast(watch: Viewing, _: Minute) -> bool:
    """Swiped away, or started by itself and left."""
    return watch.watch_ms < TOO_FAST_MS


def self_view(watch: Viewing, _: Minute) -> bool:
    """A creator looks at their own item."""
    return watch.is_own


def duplicate(watch: Viewing, minute: Minute) -> bool:
    """The same viewer started the same item at the same moment, under another event id."""
    return (watch.item, watch.started_at) in minute


def bot(_: Viewing, minute: Minute) -> bool:
    """No person watches so much in a minute."""
    return len(minute) >= MOST_A_MINUTE


# The first that applies is the reason.
RULES = {rule.__name__: rule for rule in (clock_skew, impossible_duration, too_fast, self_view, duplicate, bot)}


def judged(watches: Iterable[Viewing], minutes: dict[datetime, Minute]) -> Iterator[str]:
    """Yield for each watch of one viewer, in order of receipt, the rule that sets it aside, or CLEAN.

    `minutes` holds the clean watches received before, and takes up the new ones.
    """
    for watch in watches:
        minute = minutes.setdefault(minute_of(watch.started_at), set())
        reason = next((name for name, breaks in RULES.items() if breaks(watch, minute)), CLEAN)
        if reason == CLEAN:
            minute.add((watch.item, watch.started_at))
        yield reason
