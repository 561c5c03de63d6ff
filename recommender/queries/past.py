"""What a viewer did and saw, read anew at every request, in one statement."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id
from kpplatform.tenancy.statements import planned
from recommender.ml.arrays import Floats, Longs
from recommender.ml.interactions import Interactions
from recommender.serving.taste import CODES, history

REMEMBERED = 200  # watches and reactions that the taste is made from
NOT_AGAIN_FOR = timedelta(days=1)


@dataclass(frozen=True)
class Past:
    """A viewer's history (n,) for their vector, and what is not to be shown to them."""

    viewer: int
    asked_at: int  # the moment of the request, milliseconds since the epoch
    items: Longs
    at: Longs  # milliseconds since the epoch
    said: Longs  # values of taste.CODES
    watched: Floats  # share of the item, NaN for a reaction
    over: frozenset[int]  # watched, unwanted or shown in this session: never again
    shown: tuple[int, ...]  # shown lately, the longest ago first: again only when there is nothing else
    granted: Longs  # what is not free but open to this viewer
    followed: tuple[int, ...]  # creators, the latest first
    own: int | None  # the creator that the viewer is
    chosen: tuple[int, ...] = ()  # topics that they said they want to see
    hidden_creators: frozenset[int] = frozenset()  # nothing of theirs is ever shown
    is_personal: bool = True  # whether what they did may decide what they see

    @cached_property
    def history(self) -> Interactions:
        """Return the history as models read it."""
        return history(items=self.items, at=self.at, said=self.said, watched=self.watched, asked_at=self.asked_at)

    @cached_property
    def hidden(self) -> frozenset[int]:
        """Return the items that are not to be shown while there is something else."""
        return self.over.union(self.shown)

    @cached_property
    def closed_creators(self) -> frozenset[int]:
        """Return the creators of whom nothing is shown: those that the viewer hid, and themselves."""
        return self.hidden_creators.union(() if self.own is None else (self.own,))


SQL = """
SELECT w.items, w.at, w.shares, w.clean, r.items, r.at, r.kinds, s.session, s.before, a.items, f.creators, c.id
FROM
    (SELECT array_agg(item_id ORDER BY started_at DESC) AS items,
            array_agg((extract(epoch FROM started_at) * 1000)::bigint ORDER BY started_at DESC) AS at,
            array_agg(watch_ms::real / nullif(duration_ms, 0) ORDER BY started_at DESC) AS shares,
            array_agg(quarantine = '' ORDER BY started_at DESC) AS clean
     FROM catalog_watch WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) w,
    (SELECT array_agg(item_id ORDER BY reacted_at DESC) AS items, array_agg(kind ORDER BY reacted_at DESC) AS kinds,
            array_agg((extract(epoch FROM reacted_at) * 1000)::bigint ORDER BY reacted_at DESC) AS at
     FROM catalog_reaction WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) r,
    (SELECT array_agg(item_id) FILTER (WHERE shown_at >= %(started)s) AS session,
            array_agg(item_id ORDER BY shown_at, position) FILTER (WHERE shown_at < %(started)s) AS before
     FROM recommender_impression
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s AND shown_at >= %(since)s) s,
    (SELECT array_agg(item_id) AS items FROM catalog_access
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s AND starts_at <= %(at)s
       AND (ends_at IS NULL OR ends_at > %(at)s) AND (revoked_at IS NULL OR revoked_at > %(at)s)) a,
    (SELECT array_agg(creator_id ORDER BY followed_at DESC) AS creators FROM creators_follow
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) f
    LEFT JOIN creators_creator c ON c.tenant_id = %(tenant)s AND c.member_id = %(viewer)s
"""


def past(viewer: Member, *, started: datetime, at: datetime) -> Past:
    """Return what the viewer did and saw until now; `started` is when their session began."""
    since = min(started, at - NOT_AGAIN_FOR)
    asked: dict[str, Any] = {"tenant": current_tenant_id(), "viewer": viewer.pk, "started": started, "at": at}
    with planned() as cursor:
        cursor.execute(SQL, asked | {"since": since})
        watched, began, shares, clean, reacted, done, kinds, *rest = cursor.fetchone()
    session, before, granted, followed, own = rest
    watched, began, reacted, done, kinds = (column or [] for column in (watched, began, reacted, done, kinds))
    tasted = [place for place, is_clean in enumerate(clean or ()) if is_clean][:REMEMBERED]
    unwanted = (item for item, kind in zip(reacted, kinds, strict=True) if kind == "not_interested")
    over = frozenset(watched).union(unwanted, session or ())
    codes = [CODES["watch"]] * len(tasted) + [CODES[kind] for kind in kinds[:REMEMBERED]]
    ratios = [shares[place] for place in tasted] + [None] * len(kinds[:REMEMBERED])
    return Past(
        viewer=viewer.pk,
        asked_at=int(at.timestamp() * 1000),
        items=np.array([watched[place] for place in tasted] + reacted[:REMEMBERED], np.int64),
        at=np.array([began[place] for place in tasted] + done[:REMEMBERED], np.int64),
        said=np.array(codes, np.int64),
        watched=np.array(ratios, np.float32),
        over=over,
        shown=tuple(item for item in dict.fromkeys(before or ()) if item not in over),
        granted=np.array(granted or (), np.int64),
        followed=tuple(followed or ()),
        own=own,
    )
