"""What a process keeps in memory for its tenants, least recently used given up first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class Entry(Generic[T]):
    value: T
    weight: int
    stale_at: float


class Kept(Generic[T]):
    """One value per tenant, read again when it is stale, within a limit of bytes for all together.

    While one thread reads a stale value again, the others go on with it. `read` is given the value so far.
    """

    def __init__(self, *, for_s: float, most_bytes: int, weigh: Callable[[T], int]) -> None:
        self.for_s, self.most_bytes, self.weigh = for_s, most_bytes, weigh
        self._entries: OrderedDict[int, Entry[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tenant_id: int, read: Callable[[T | None], T]) -> T:
        """Return the tenant's value, read by `read` when there is none or it is stale."""
        with self._lock:
            known = self._entries.get(tenant_id)
            if known is not None:
                self._entries.move_to_end(tenant_id)
                if known.stale_at > time.monotonic():
                    return known.value
                known.stale_at = time.monotonic() + self.for_s
        value = read(known.value if known else None)
        self._put(tenant_id, value)
        return value

    def forget(self) -> None:
        """Read everything again when it is next asked for."""
        with self._lock:
            self._entries.clear()

    @property
    def bytes(self) -> int:
        """Return what all values weigh together."""
        return sum(entry.weight for entry in self._entries.values())

    def _put(self, tenant_id: int, value: T) -> None:
        with self._lock:
            self._entries[tenant_id] = Entry(value, self.weigh(value), time.monotonic() + self.for_s)
            self._entries.move_to_end(tenant_id)
            while self.bytes > self.most_bytes and len(self._entries) > 1:
                self._entries.popitem(last=False)
