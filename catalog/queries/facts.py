"""What recording a watch needs to know of items, quickly."""

import time
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from catalog.models import Item
from catalog.queries.access import is_live, playable_by
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id

REMEMBERED_S = 30.0


class Facts(NamedTuple):
    """How long an item is (0: not known), and whose."""

    duration_ms: int
    owner: int | None


# By tenant: until when, and what is known of free published items, which everybody may play. A watch of an item
# that was withdrawn seconds ago is still a watch.
_free: dict[int, tuple[float, dict[int, Facts]]] = {}


def playable_facts(viewer: Member, items: AbstractSet[int], *, at: datetime) -> dict[int, Facts]:
    """Return the facts of those of the items that the viewer may play, remembering free ones for a moment."""
    free = _remembered(current_tenant_id())
    if unknown := items - free.keys():
        free.update(_facts(Item.objects.filter(is_live(at), is_free=True, pk__in=unknown)))
    found = {item: free[item] for item in items if item in free}
    if others := items - found.keys():
        found |= _facts(playable_by(viewer, at=at).filter(pk__in=others))
    return found


def forget_items() -> None:
    """Look every item up again (after one has changed in this process, and between tests)."""
    _free.clear()


def _remembered(tenant: int) -> dict[int, Facts]:
    until, free = _free.get(tenant, (0.0, {}))
    if until < time.monotonic():
        free = {}
        _free[tenant] = (time.monotonic() + REMEMBERED_S, free)
    return free


def _facts(items: QuerySet[Item]) -> dict[int, Facts]:
    rows = items.order_by().values_list("pk", "duration_ms", "creator__member_id")
    return {item: Facts(duration_ms or 0, owner) for item, duration_ms, owner in rows}
