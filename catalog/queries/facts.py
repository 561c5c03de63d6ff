"""What recording a watch needs to know of items, quickly."""

import time
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from catalog.queries.access import playable_by
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id

REMEMBERED_S = 10.0
MOST_REMEMBERED = 200_000
COLUMNS = ["duration_ms", "is_free", "state", "published_at", "creator__member"]


class Facts(NamedTuple):
    """How long an item is (0: not known), and whose."""

    duration_ms: int
    owner: int | None


# Of free published items, which everybody may play: the watch of an item withdrawn seconds ago is still a watch.
_free: dict[tuple[int, int], tuple[float, Facts]] = {}


def playable_facts(viewer: Member, items: AbstractSet[int], *, at: datetime) -> dict[int, Facts]:
    """Return the facts of those of the items that the viewer may play, remembering free ones for a moment."""
    tenant, now = current_tenant_id(), time.monotonic()
    known = {item: entry[1] for item in items if (entry := _free.get((tenant, item))) is not None and entry[0] > now}
    if len(known) == len(items):
        return known
    rows = playable_by(viewer, at=at).filter(pk__in=items - known.keys()).select_related("creator")
    found = {item: Facts(item.duration_ms or 0, item.creator.member_id) for item in rows.only(*COLUMNS)}
    if len(_free) > MOST_REMEMBERED:
        _free.clear()
    _free.update(
        ((tenant, item.pk), (now + REMEMBERED_S, facts))
        for item, facts in found.items()
        if item.is_free and item.is_live(at)
    )
    return known | {item.pk: facts for item, facts in found.items()}


def forget_items() -> None:
    """Look every item up again (after one has changed in this process, and between tests)."""
    _free.clear()
