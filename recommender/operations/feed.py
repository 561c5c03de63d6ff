"""Showing a viewer the next page of their feed."""

import random
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction

from billing.ads.operations import Placed
from catalog.operations import hour_of
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import current_tenant_id
from kpplatform.tenancy.statements import planned
from recommender import queries
from recommender.operations.advertising import ads_among
from recommender.operations.experiments import expose
from recommender.operations.faults import note_faults
from recommender.queries.past import Past
from recommender.serving.drawing import Draw
from recommender.serving.floor import small_floor
from recommender.serving.page import Placed as Chosen

SAME_FOR_S = 60
SEEN = 300  # places that a session without consent remembers: its cursor carries them
SPARE = 3  # places drawn beyond the page, for what was withdrawn a moment ago


@dataclass(frozen=True)
class Session:
    """One scroll through the feed: since when, how many places it has had, on what, and what it is not to repeat.

    Of who consents that is read from their impressions; nothing is kept here.
    """

    started: datetime
    places: int = 0
    circumstance: int = 0  # a code of ml.ranker.circumstances
    seen: tuple[int, ...] = ()  # items that were shown without consent, the latest last


@dataclass(frozen=True)
class Shown:
    """An item on a page: its card, where it stands and on whose word."""

    item: dict[str, Any]
    position: int
    source: str


@dataclass(frozen=True)
class Page:
    """What was shown, by which version, and how the session goes on; None when nothing is left."""

    id: uuid.UUID
    version: int | None
    shown: list[Shown]
    following: Session | None
    ads: list[Placed] = field(default_factory=list)  # each behind so many of what is shown


@transaction.atomic(savepoint=False)
def show_page(
    *, viewer: Member, limit: int, session: Session, country: str = "", at: datetime, rng: random.Random | None = None
) -> Page:
    """Draw the session's next page, write an Impression for each place, and return it.

    What the viewer watched, what they do not want and what this session has shown never comes again; what was
    shown within a day comes again only when there is nothing else. Who has closed personalisation sees what everybody
    would who begins in the same minute: the same dice, no version, no experiment.
    So does who does not consent that what they do is stored as theirs: their impressions are nobody's.
    """
    past = queries.past(viewer, started=session.started, at=at, circumstance=session.circumstance)
    if session.seen:
        past = past.without(session.seen)
    rng = rng or (random.Random() if past.is_personal else _everybodys_dice(session))
    everyones = queries.shelf(at=at)
    if everyones.unnoted:
        note_faults(everyones.unnoted)
    dealt = everyones.dealt_to(viewer.pk) if past.is_personal else []
    shelf = everyones.as_tried(dealt)
    if past.muted:
        past = past.without(shelf.catalogue.containing(past.muted))
    floor = small_floor(current_tenant_id())
    draw = queries.draw(shelf, past, size=limit, owed=floor.owed() if past.is_personal else 0, rng=rng)
    placed = draw.fill(limit + SPARE)
    placed += queries.shown_before(shelf, past, placed, wanted=limit + SPARE - len(placed))
    served = shelf.served_to(viewer.pk) if past.is_personal else None
    version = served.version if served else None
    page, facts = uuid.uuid4(), {"viewer": viewer.pk, "version": version, "first": session.places, "at": at}
    facts["shown_to"], facts["shown_at"] = (viewer.pk, at) if past.consents else (stand_in(), hour_of(at))
    shown = _written(placed, page=page, limit=limit, muted=[like(word) for word in past.muted], **facts)
    floor.shown(places=len(shown), small=_small(draw, shown), share=shelf.settings.small_floor)
    expose(viewer=viewer, dealt=dealt, at=at)
    following = _after(session, shown, past) if len(shown) == limit else None
    items = [each.item for each in shown]
    where: dict[str, Any] = {"first": session.places, "started": session.started, "country": country}
    return Page(page, version, shown, following, ads_among(viewer=viewer, items=items, past=past, **where, at=at))


def _after(session: Session, shown: Sequence[Shown], past: Past) -> Session:
    """Return how the session goes on: without consent it carries what it has shown."""
    seen = session.seen if past.consents else (*session.seen, *(place.item["id"] for place in shown))[-SEEN:]
    return replace(session, places=session.places + len(shown), seen=seen)


# One statement checks each place against what may be watched at this moment (catalog.queries.watchable_by),
# writes the impressions and returns the cards. Its transaction does not wait for the disk: a loss of power may cost
# the impressions of the last half second, nothing else.
WRITE = """
WITH drawn AS (
    SELECT * FROM unnest(%(items)s::bigint[], %(propensities)s::float8[], %(sources)s::text[])
        WITH ORDINALITY AS d(item_id, propensity, source, place)
), shown AS MATERIALIZED (
    SELECT d.propensity, d.source, %(first)s + row_number() OVER (ORDER BY d.place) - 1 AS position, i.*
    FROM drawn d JOIN catalog_item i ON i.tenant_id = %(tenant)s AND i.id = d.item_id
    WHERE i.state IN ('published', 'scheduled') AND i.published_at <= %(at)s
      AND lower(i.title || ' ' || array_to_string(i.tags, ' ')) NOT LIKE ALL (%(muted)s::text[])
      AND (i.is_free OR EXISTS (
        SELECT FROM catalog_access a
        WHERE a.tenant_id = %(tenant)s AND a.viewer_id = %(viewer)s AND a.item_id = i.id AND a.starts_at <= %(at)s
          AND (a.ends_at IS NULL OR a.ends_at > %(at)s) AND (a.revoked_at IS NULL OR a.revoked_at > %(at)s))
        OR i.kind = 'course' AND EXISTS (
        SELECT FROM catalog_pass p
        WHERE p.tenant_id = %(tenant)s AND p.viewer_id = %(viewer)s
          AND (p.creator_id IS NULL OR p.creator_id = i.creator_id) AND p.starts_at <= %(at)s AND p.ends_at > %(at)s
          AND (p.revoked_at IS NULL OR p.revoked_at > %(at)s)))
    ORDER BY d.place LIMIT %(limit)s
), written AS (
    INSERT INTO recommender_impression
        (tenant_id, viewer_id, item_id, version_id, page, position, propensity, source, shown_at)
    SELECT %(tenant)s, %(shown_to)s, id, %(version)s::bigint, %(page)s, position, propensity, source, %(shown_at)s
    FROM shown
)
SELECT s.position, s.source, s.id, s.kind, s.title, s.language, t.slug AS topic, c.handle, c.name, s.duration_ms,
       s.is_free, s.published_at, s.likes, s.saves, s.shares, s.comments
FROM (SELECT set_config('synchronous_commit', 'off', true)) unhurried, shown s
    JOIN creators_creator c ON c.tenant_id = %(tenant)s AND c.id = s.creator_id
    LEFT JOIN catalog_topic t ON t.tenant_id = %(tenant)s AND t.id = s.topic_id
ORDER BY s.position
"""


def _written(placed: Sequence[Chosen], **facts: Any) -> list[Shown]:
    """Write the first places that the viewer may watch, up to the limit, and return them with their cards."""
    if not placed:
        return []
    drawn: dict[str, Any] = {
        "items": _array(place.offer.item for place in placed),
        "propensities": _array(place.propensity for place in placed),
        "sources": _array(place.source for place in placed),
        "tenant": current_tenant_id(),
    }
    with planned() as cursor:
        cursor.execute(WRITE, drawn | facts)
        names = [column.name for column in cursor.description or ()][2:]
        return [_shown(row[0], row[1], dict(zip(names, row[2:], strict=True))) for row in cursor.fetchall()]


def _small(draw: Draw, shown: Sequence[Shown]) -> int:
    """Return how many of the shown items are of small creators."""
    items = np.array([place.item["id"] for place in shown], np.int64)
    return draw.teller.small_among(items)


def like(word: str) -> str:
    """Return the pattern of what contains the word."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


def _everybodys_dice(session: Session) -> random.Random:
    """Return dice that fall alike for all who are at the same place of a session that began in the same minute."""
    began = int(session.started.timestamp()) // SAME_FOR_S
    return random.Random(f"{current_tenant_id()} {began} {session.places}")


def _array(values: Iterable[object]) -> str:
    """Return the values as PostgreSQL writes an array; they are numbers and names of sources."""
    return "{" + ",".join(map(str, values)) + "}"


def _shown(position: int, source: str, card: dict[str, Any]) -> Shown:
    return Shown(card | {"creator": {"handle": card.pop("handle"), "name": card.pop("name")}}, position, source)
