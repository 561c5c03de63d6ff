"""What a viewer did and saw, read anew at every request, in one statement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple, Self

import numpy as np

from catalog.queries import CONSENTS
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id
from kpplatform.tenancy.statements import planned
from recommender.ml.arrays import Floats, Longs
from recommender.ml.interactions import Interactions
from recommender.ml.signals import WEIGHTS
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
    muted: tuple[str, ...] = ()  # words that they do not want to read
    ratings: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)  # what each of these says of taste
    consents: bool = True  # whether what they do may be stored as theirs
    circumstance: int = 0  # on what they ask, a code of ml.ranker.circumstances; 0 unknown

    @cached_property
    def history(self) -> Interactions:
        """Return the history as models read it."""
        return history(
            items=self.items,
            at=self.at,
            said=self.said,
            watched=self.watched,
            asked_at=self.asked_at,
            weights=self.ratings,
        )

    @cached_property
    def hidden(self) -> frozenset[int]:
        """Return the items that are not to be shown while there is something else."""
        return self.over.union(self.shown)

    def rated(self, ratings: Mapping[str, float]) -> Self:
        """Return the same with other ratings: those that a version was learned by."""
        return self if ratings == self.ratings else replace(self, ratings=ratings)

    def without(self, items: Iterable[int]) -> Self:
        """Return the same with some more items that are never to be shown."""
        return replace(self, over=self.over.union(items))

    @cached_property
    def closed_creators(self) -> frozenset[int]:
        """Return the creators of whom nothing is shown: those that the viewer hid, and themselves."""
        return self.hidden_creators.union(() if self.own is None else (self.own,))


SQL = f"""
SELECT w.items, w.at, w.shares, w.clean, r.items, r.at, r.kinds, s.session, s.before, a.items, f.creators, c.id,
       n.wanted, h.creators, u.items, p.refused_at, t.reset_at, m.words, q.items,
       {CONSENTS}
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
    (SELECT array_agg(item_id) AS items FROM (
        SELECT item_id FROM catalog_access
        WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s AND starts_at <= %(at)s
          AND (ends_at IS NULL OR ends_at > %(at)s) AND (revoked_at IS NULL OR revoked_at > %(at)s)
        UNION
        -- Looked for once for each pass, and not at all without one: OFFSET 0 keeps it from becoming a join.
        SELECT i.id FROM catalog_pass p, LATERAL (
            SELECT id FROM catalog_item WHERE tenant_id = %(tenant)s AND kind = 'course'
            AND NOT is_free AND state IN ('published', 'scheduled')
            AND creator_id = coalesce(p.creator_id, creator_id) OFFSET 0) i
        WHERE p.tenant_id = %(tenant)s AND p.viewer_id = %(viewer)s AND p.starts_at <= %(at)s AND p.ends_at > %(at)s
          AND (p.revoked_at IS NULL OR p.revoked_at > %(at)s)) open_to) a,
    (SELECT array_agg(creator_id ORDER BY followed_at DESC) AS creators FROM creators_follow
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) f,
    (SELECT array_agg(topic_id ORDER BY topic_id) FILTER (WHERE is_wanted AND topic_id IS NOT NULL) AS wanted,
            array_agg(topic_id) FILTER (WHERE NOT is_wanted AND topic_id IS NOT NULL) AS topics,
            array_agg(substr(name, 5)) FILTER (WHERE NOT is_wanted AND topic_id IS NULL) AS tags
     FROM recommender_interestchoice WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) n,
    (SELECT array_agg(creator_id) AS creators FROM creators_hiddencreator
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) h,
    -- Looked for only where something is unwanted: else the catalogue is not touched.
    LATERAL (SELECT array_agg(id) AS items FROM catalog_item
     WHERE (n.topics IS NOT NULL OR n.tags IS NOT NULL) AND tenant_id = %(tenant)s
       AND state IN ('published', 'scheduled') AND (topic_id = ANY(n.topics) OR tags && n.tags::varchar[])) u,
    (SELECT max(refused_at) AS refused_at FROM recommender_personalisationrefusal
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) p,
    (SELECT max(reset_at) AS reset_at FROM recommender_tastereset
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) t,
    (SELECT array_agg(word) AS words FROM catalog_mutedword
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) m,
    (SELECT array_agg(item_id) AS items FROM catalog_report
     WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s) q
    LEFT JOIN creators_creator c ON c.tenant_id = %(tenant)s AND c.member_id = %(viewer)s
"""  # noqa: S608  another part of the statement


class Row(NamedTuple):
    """What the statement returns: columns are None where there is nothing."""

    watched: list[int] | None
    began: list[int] | None
    shares: list[float | None] | None
    clean: list[bool] | None
    reacted: list[int] | None
    done: list[int] | None
    kinds: list[str] | None
    session: list[int] | None
    before: list[int] | None
    granted: list[int] | None
    followed: list[int] | None
    own: int | None
    wanted: list[int] | None
    hidden: list[int] | None
    unwanted: list[int] | None
    refused_at: datetime | None
    reset_at: datetime | None
    muted: list[str] | None
    reported: list[int] | None
    consents: bool


def past(viewer: Member, *, started: datetime, at: datetime, circumstance: int = 0) -> Past:
    """Return what the viewer did and saw until now; `started` is when their session began.

    Of who has closed personalisation, or does not consent that what they do is stored as theirs, only this session is
    told, and what they said that they do not want to see.
    """
    since = min(started, at - NOT_AGAIN_FOR)
    asked: dict[str, Any] = {"tenant": current_tenant_id(), "viewer": viewer.pk, "started": started, "at": at}
    with planned() as cursor:
        cursor.execute(SQL, asked | {"since": since})
        row = Row(*cursor.fetchone())
    dislikes = (item for item, kind in zip(row.reacted or (), row.kinds or (), strict=True) if kind == "not_interested")
    kept_away = frozenset(dislikes).union(row.unwanted or (), row.reported or (), row.session or ())
    told: dict[str, Any] = {
        "viewer": viewer.pk,
        "asked_at": _ms(at),
        "hidden_creators": frozenset(row.hidden or ()),
        "muted": tuple(row.muted or ()),
        "circumstance": circumstance,
        "consents": row.consents,
    }
    if row.refused_at or not row.consents:
        return Past(**told, **_taste([], []), **NOTHING, over=kept_away, is_personal=False)
    over = kept_away.union(row.watched or ())
    return Past(
        **told,
        **_taste(*_did(row)),
        over=over,
        shown=tuple(item for item in dict.fromkeys(row.before or ()) if item not in over),
        granted=np.array(row.granted or (), np.int64),
        followed=tuple(row.followed or ()),
        own=row.own,
        chosen=tuple(row.wanted or ()),
    )


Deed = tuple[int, int, int, float | None]  # an item, when, what was said, the share that was watched
NOTHING: dict[str, Any] = {"shown": (), "granted": np.zeros(0, np.int64), "followed": (), "own": None}


def _did(row: Row) -> tuple[list[Deed], list[Deed]]:
    """Return the last clean watches and reactions, but nothing from before the viewer began anew."""
    since = _ms(row.reset_at) if row.reset_at else 0
    watches = zip(row.watched or (), row.began or (), row.shares or (), row.clean or (), strict=True)
    watched = ((item, at, CODES["watch"], share) for item, at, share, clean in watches if clean and at >= since)
    reactions = zip(row.reacted or (), row.done or (), row.kinds or (), strict=True)
    reacted = ((item, at, CODES[kind], None) for item, at, kind in reactions if at >= since)
    return list(islice(watched, REMEMBERED)), list(islice(reacted, REMEMBERED))


def _taste(watched: list[Deed], reacted: list[Deed]) -> dict[str, Any]:
    deeds = [*watched, *reacted]
    return {
        "items": np.array([item for item, _, _, _ in deeds], np.int64),
        "at": np.array([at for _, at, _, _ in deeds], np.int64),
        "said": np.array([said for _, _, said, _ in deeds], np.int64),
        "watched": np.array([share for _, _, _, share in deeds], np.float32),
    }


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
