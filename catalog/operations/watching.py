"""Recording what was watched: once, whatever the order, and cleaned at the door."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from catalog import cleaning, queries
from catalog.cleaning import Minute, Viewing, minute_of
from catalog.models import Source, Watch
from catalog.operations.access import NotBought
from kpplatform.errors import NotFound
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import current_tenant_id


class UnknownItem(NotFound):
    code = "unknown_item"


class Event(NamedTuple):
    """A watch as the viewer's device tells it."""

    event_id: str
    item: int
    started_at: datetime
    watch_ms: int
    source: str
    session: str
    device: int = Watch.Device.UNKNOWN
    network: int = Watch.Network.UNKNOWN


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: each event is stored, was known before, or is refused."""

    stored: int
    known: int
    quarantined: dict[str, int]
    refused: dict[int, str]


def record_watches(*, viewer: Member, events: Sequence[Event], at: datetime) -> Recorded:
    """Store what the viewer watched; an event id that was stored before is not stored again.

    Without the viewer's consent each is written for the anonymous member, and nothing in it leads back to the viewer.
    What breaks a cleaning rule is stored too, in quarantine. Events of items that are not there, or that the
    viewer has not bought, are refused one by one; when that is all there is, UnknownItem or NotBought is raised.
    It is one transaction because a scope is one, and one viewer's batches wait for each other.
    """
    facts = queries.playable_facts(viewer, {event.item for event in events}, at=at)
    refused = _refusals(viewer, events, facts.keys(), at=at)
    accepted = [event for event in events if event.item in facts]
    before = _before(viewer, accepted)
    new = {event.event_id: event for event in accepted[::-1] if event.event_id not in before.known}
    fresh = list(new.values())[::-1]  # the first of those with one id
    viewings = (
        Viewing(event.item, event.started_at, at, event.watch_ms, fact.duration_ms, fact.owner == viewer.pk)
        for event in fresh
        for fact in (facts[event.item],)
    )
    reasons = list(cleaning.judged(viewings, before.minutes))
    if fresh:
        durations = [facts[event.item].duration_ms for event in fresh]
        if before.consents:
            _insert(viewer.pk, fresh, durations, reasons, at=at)
        else:
            unlinked = [_unlinked(event, before.unlinked[event.event_id]) for event in fresh]
            _insert(stand_in(), unlinked, durations, reasons, at=hour_of(at))
    set_aside = Counter(reason for reason in reasons if reason != cleaning.CLEAN)
    return Recorded(len(fresh), len(accepted) - len(fresh), dict(set_aside), refused)


def _refusals(viewer: Member, events: Sequence[Event], playable: AbstractSet[int], *, at: datetime) -> dict[int, str]:
    """Return the code of each event that is refused, by its index. Raises when that is all of them."""
    unplayable = {event.item for event in events} - playable
    if not unplayable:
        return {}
    seen = set(queries.visible_to(viewer, at=at).filter(pk__in=unplayable).values_list("pk", flat=True))
    refused = {
        index: NotBought.code if event.item in seen else UnknownItem.code
        for index, event in enumerate(events)
        if event.item in unplayable
    }
    if len(refused) < len(events):
        return refused
    if seen:
        raise NotBought("None of these items has been bought.")
    raise UnknownItem("None of these items is there.")


# One viewer's batches wait for each other, so that what the rules see of the past is all there is.
_LOCK = """
    SELECT pg_advisory_xact_lock(hashtextextended('catalog.watches', viewer))
    FROM unnest(%(viewers)s::bigint[]) AS viewer
"""
# The anonymous member has more watches than anybody: LIMIT keeps the planner at one look into the index per event.
_KNOWN = """
    SELECT event_id::text FROM catalog_watch
    WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s AND event_id = ANY(%(ids)s::uuid[])
    UNION ALL SELECT replace(stored.event_id::text, '-', '') FROM unnest(%(unlinked)s::uuid[]) AS sent, LATERAL (
        SELECT event_id FROM catalog_watch
        WHERE tenant_id = %(tenant)s AND event_id = sent AND viewer_id = (
            SELECT id FROM tenancy_member WHERE tenant_id = %(tenant)s AND role = 'anonymous') LIMIT 1
    ) AS stored
"""
# OFFSET 0 keeps the planner at one short index scan per minute, however long the viewer's history.
_SAME_MINUTES = """
    SELECT minute, item_id, started_at FROM unnest(%(minutes)s::timestamptz[]) AS minute, LATERAL (
        SELECT item_id, started_at FROM catalog_watch
        WHERE tenant_id = %(tenant)s AND viewer_id = %(viewer)s AND quarantine = ''
            AND started_at >= minute AND started_at < minute + interval '1 minute' OFFSET 0
    ) AS clean
"""


_CONSENTS = f"SELECT {queries.CONSENTS}"


class Before(NamedTuple):
    """What is known of a viewer before a batch of theirs is stored."""

    consents: bool
    known: set[str]  # event ids that are stored already, as the viewer's or as nobody's
    unlinked: dict[str, str]  # of each event id, what stands for it without consent
    minutes: dict[datetime, Minute]  # the viewer's clean watches in the minutes of the batch


def hold(viewers: Sequence[int]) -> None:
    """Let nobody else judge these viewers' watches until the transaction ends. Ids ascend, so that none deadlock."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"viewers": sorted(viewers)})


def _before(viewer: Member, events: Sequence[Event]) -> Before:
    """Return whether the viewer consents, and what is stored already that the batch is judged by.

    Without consent an event id is kept as a keyed hash: sent again it is known, and it leads back to no device.
    """
    key = sha256(f"catalog.watches {settings.SECRET_KEY} {current_tenant_id()} {viewer.pk}".encode()).digest()
    ids = {event.event_id for event in events}
    unlinked = {event_id: blake2b(event_id.encode(), key=key, digest_size=16).hexdigest() for event_id in ids}
    starts = {minute_of(event.started_at) for event in events}
    asked: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "viewer": viewer.pk,
        "viewers": [viewer.pk],
        "ids": _array(unlinked),
        "unlinked": _array(unlinked.values()),
        "minutes": _array(starts),
    }
    minutes: dict[datetime, Minute] = {start: set() for start in starts}
    with connection.cursor() as cursor:
        cursor.execute(f"{_LOCK}; {_CONSENTS}; {_KNOWN}; {_SAME_MINUTES}", asked)
        cursor.nextset()
        [(consents,)] = cursor.fetchall()
        cursor.nextset()
        stored = {event_id for (event_id,) in cursor.fetchall()}
        cursor.nextset()
        for start, item, started_at in cursor.fetchall():
            minutes[start].add((item, started_at))
    known = {event_id for event_id, other in unlinked.items() if event_id in stored or other in stored}
    return Before(consents, known, unlinked, minutes)


def _unlinked(event: Event, event_id: str) -> Event:
    """Return what is stored of an event without consent: what was watched and how long, in which hour."""
    return Event(event_id, event.item, hour_of(event.started_at), event.watch_ms, source="", session="")


def hour_of(at: datetime) -> datetime:
    """Return the hour that the moment lies in: how closely it is told when something was done without consent."""
    return at.replace(minute=0, second=0, microsecond=0)


_INSERT = """
    INSERT INTO catalog_watch (tenant_id, viewer_id, received_at, event_id, item_id, started_at, watch_ms, source,
        session, device, network, duration_ms, quarantine)
    SELECT %s, %s, %s, * FROM unnest(%s::uuid[], %s::bigint[], %s::timestamptz[], %s::integer[], %s::text[],
        %s::text[], %s::smallint[], %s::smallint[], %s::integer[], %s::text[])
    ON CONFLICT DO NOTHING
"""


def _insert(
    viewer: int, events: Sequence[Event], durations: Sequence[int], reasons: Sequence[str], *, at: datetime
) -> None:
    ids, items, starts, lengths, sources, sessions, devices, networks = zip(*events, strict=True)
    columns = [
        *(_array(values) for values in (ids, items, starts, lengths)),
        *(_array(map(_quoted, texts)) for texts in (map(Source.of, sources), sessions)),
        *(_array(map(int, codes)) for codes in (devices, networks)),
        _array(durations),
        _array(map(_quoted, reasons)),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [current_tenant_id(), viewer, at, *columns])


def _array(values: Iterable[object]) -> str:
    """Return PostgreSQL's text of an array. The driver looks at every element by itself, ten times slower."""
    return "{" + ",".join(map(str, values)) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
