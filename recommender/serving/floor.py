"""What a tenant owes its small creators, in this process: so many places of all, made up for where they are behind.

With every page the debt grows by the promised share of its places and shrinks by those that small creators had. A page
has to give what is owed in whole places; so over time they have their share, whatever one page looks like. Amortised
over pages as in "Equity of Attention" (Biega, Gummadi and Weikum, 2018), section 3.
"""

import threading
from collections import defaultdict

MOST_OWED = 2  # places of one page
MOST_KEPT = 20.0  # places, of debt or of credit: what lies long ago is forgotten


class Floor:
    """The running debt of one tenant."""

    def __init__(self) -> None:
        self.debt = 0.0
        self._lock = threading.Lock()

    def owed(self) -> int:
        """Return how many places of the next page are owed."""
        return max(0, min(int(self.debt), MOST_OWED))

    def shown(self, *, places: int, small: int, share: float) -> None:
        """Take note of a page of so many places, some of them of small creators."""
        with self._lock:
            self.debt = max(-MOST_KEPT, min(self.debt + share * places - small, MOST_KEPT))


_floors: defaultdict[int, Floor] = defaultdict(Floor)


def small_floor(tenant_id: int) -> Floor:
    """Return the debt of a tenant."""
    return _floors[tenant_id]


def forget_floors() -> None:
    """Owe nobody anything (between tests)."""
    _floors.clear()
