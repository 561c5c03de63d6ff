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

    While one thread reads a stale value again, the others go on with it; while one reads a tenant's first value, the
    others of that tenant wait for it. `read` is given the value so far. What is given up is let go of here, and ends
    (memory, mappings, sessions) with the last request that still uses it.
    """

    def __init__(self, *, for_s: float, most_bytes: int, weigh: Callable[[T], int]) -> None:
        self.for_s, self.most_bytes, self.weigh = for_s, most_bytes, weigh
        self._entries: OrderedDict[int, Entry[T]] = OrderedDict()
        self._firsts: dict[int, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, tenant_id: int, read: Callable[[T | None], T]) -> T:
        """Return the tenant's value, read by `read` when there is none or it is stale."""
        with self._lock:
            known = self._entries.get(tenant_id)
            if known is None:
                first = self._firsts.setdefault(tenant_id, threading.Lock())
            else:
                self._entries.move_to_end(tenant_id)
                if known.stale_at > time.monotonic():
                    return known.value
                known.stale_at = float("inf")  # to all others, until it is read
        if known is None:
            return self._first(tenant_id, first, read)
        try:
            return self._put(tenant_id, read(known.value))
        finally:
            known.stale_at = time.monotonic() + self.for_s

    def forget(self) -> None:
        """Read everything again when it is next asked for."""
        with self._lock:
            self._entries.clear()

    def values(self) -> dict[int, T]:
        """Return what is in memory now, by tenant."""
        with self._lock:
            return {tenant_id: entry.value for tenant_id, entry in self._entries.items()}

    @property
    def bytes(self) -> int:
        """Return what all values weigh together."""
        return sum(entry.weight for entry in self._entries.values())

    def _first(self, tenant_id: int, first: threading.Lock, read: Callable[[T | None], T]) -> T:
        """Read a tenant's first value once, however many ask for it at the same time."""
        with first:
            with self._lock:
                known = self._entries.get(tenant_id)
            if known is not None:
                return known.value
            try:
                return self._put(tenant_id, read(None))
            finally:
                with self._lock:
                    self._firsts.pop(tenant_id, None)

    def _put(self, tenant_id: int, value: T) -> T:
        weight = self.weigh(value)
        with self._lock:
            self._entries[tenant_id] = Entry(value, weight, time.monotonic() + self.for_s)
            self._entries.move_to_end(tenant_id)
            while self.bytes > self.most_bytes and len(self._entries) > 1:
                self._entries.popitem(last=False)
        return value
