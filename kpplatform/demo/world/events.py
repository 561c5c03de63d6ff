"""The columns in which the history of a generated world arrives."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from kpplatform.demo.world.arrays import Bools, Bytes, Int8s, Int16s, Int32s, Int64s

DIRT = ("clean", "duplicate", "impossible_duration", "too_fast", "self_view", "bot", "clock_skew")
"""What is wrong with an event; its dirt is an index into this."""
CLEAN, DUPLICATE, IMPOSSIBLE_DURATION, TOO_FAST, SELF_VIEW, BOT, CLOCK_SKEW = range(7)


@dataclass(frozen=True, slots=True)
class Events:
    """n watches, one per row, in the order in which they began.

    Of the clean ones a viewer's never overlap in time, and every like, save, share, comment, new follow and
    purchase happens at most once for a viewer and its video, creator or course.
    """

    viewer: Int32s
    item: Int32s
    """(n,) row in Videos."""
    started_at: Int64s
    """(n,) ms since the epoch, as told by the viewer's device."""
    received_at: Int64s
    """(n,) ms since the epoch, when the platform heard of it: just after the watch ended."""
    watch_ms: Int32s
    duration_ms: Int32s
    """(n,) the video's length."""
    liked: Bools
    saved: Bools
    shared: Bools
    followed: Bools
    commented: Bools
    not_interested: Bools
    bought: Int32s
    """(n,) row in Courses bought during this watch, or -1."""
    session: Int64s
    """(n,) number of the visit, unique in the world."""
    position: Int16s
    """(n,) place in the visit, from 0."""
    source: Int8s
    """(n,) index into SOURCES."""
    dirt: Int8s
    """(n,) index into DIRT; 0 is clean."""
    uuid: Bytes
    """(n, 16) a UUID of version 7 by received_at."""

    def __len__(self) -> int:
        return len(self.viewer)

    def take(self, rows: Int64s | Bools) -> "Events":
        """Return these rows, in this order."""
        return Events(*(getattr(self, field.name)[rows] for field in fields(self)))


def joined(parts: Sequence[Events]) -> Events:
    """Return the rows of all parts, one part after the other."""
    names = [field.name for field in fields(Events)]
    return Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def in_order(events: Events) -> Events:
    """Return the events by the time at which they began."""
    return events.take(np.argsort(events.started_at, kind="stable"))


def uuids(at_ms: Int64s, rng: np.random.Generator) -> Bytes:
    """Return a UUID of version 7 (n, 16) for each time (n,): RFC 9562, section 5.7."""
    high, low = rng.integers(0, 1 << 64, (2, len(at_ms)), np.uint64)
    high = (at_ms.astype(np.uint64) << np.uint64(16)) | np.uint64(0x7000) | (high & np.uint64(0x0FFF))
    low = (low >> np.uint64(2)) | np.uint64(1 << 63)
    return np.stack([high, low], axis=1).astype(">u8").view(np.uint8)
