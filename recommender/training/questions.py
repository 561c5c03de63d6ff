"""What a tenant's viewers were shown, watched, liked, followed and bought, as questions to a ranker and their answers.

A question is a view, answered by how it went; or an impression that was passed over, which is a view of no length: the
item was not watched within a day, though one further down the same page was (Joachims, KDD 2002, section 2.1). Memory
is flat: the latest events are kept, and the latest questions.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.queries import INTERACTION, granted_to, interactions_between, told_of_items
from creators.models import Follow
from recommender.ml.arrays import Flags, Longs
from recommender.ml.ranker import circumstances
from recommender.ml.ranker.circumstances import Codes
from recommender.ml.ranker.examples import World
from recommender.ml.ranker.facts import Asked, Items, Log, asked
from recommender.ml.ranker.running import Running, Sums
from recommender.ml.ranker.targets import SOON_MS
from recommender.ml.signals import KINDS, Events
from recommender.queries.shown import shown_between
from recommender.training.forgetting import Forgotten
from recommender.training.reading import as_events, attributes

MOST_EVENTS = 3_000_000
MOST_QUESTIONS = 400_000
MOST_SHOWN = 400_000
SHOWN_FOR = timedelta(days=30)
Deed = tuple[int, int, datetime]  # a viewer, an item, when


def read(*, until: datetime, most: int = MOST_QUESTIONS) -> tuple[World, Asked, Longs]:
    """Return what was done in the scope's tenant before `until`, the latest questions (M,), and their rows in the log.

    What was passed over has the row −1.
    """
    events = _latest_events(until)
    told = list(told_of_items())
    ids = np.union1d(events.item, np.array([of.item for of in told], np.int64))
    items = Items.of(ids, attributes(ids))
    log = Log.gather(events, items)
    some_item = {of.creator: of.item for of in told}
    forgotten, shown = Forgotten.read(), shown_between(until - SHOWN_FOR, until, most=MOST_SHOWN)
    also = _both(_bought(np.unique(log.viewer), until), _spared(_followed(some_item, until), forgotten))
    world = World.of(log, items, until=_ms(until), also=Log.gather(also, items))
    passed = passed_over(log, items, shown[forgotten.spares(shown["viewer"], shown["at"])])
    return world, *_newest_questions(log, passed, most)


def passed_over(log: Log, items: Items, shown: NDArray[np.void]) -> Asked:
    """Return the impressions that were not watched within a day, while one further down the page was."""
    codes, many = items.codes(shown["item"]), len(items) + 1
    on = np.insert(circumstances.columns(log.circumstance), 0, 1, axis=1)  # (N, 1 + C), a watch first
    running = Running.of(log.viewer * many + log.item, log.at, (on * log.met[:, None]).astype(np.float64))
    came = running.sums(shown["viewer"] * many + codes, shown["at"], shown["at"] + SOON_MS)
    watched = came[:, 0] > 0
    pages, page = np.unique(shown["page"], return_inverse=True)
    furthest = np.full(len(pages), -1)
    np.maximum.at(furthest, page[watched], shown["position"][watched])
    passed = ~watched & (shown["position"] < furthest[page])
    at = shown["at"][passed]
    return Asked(
        viewer=shown["viewer"][passed],
        item=codes[passed],
        at=at,
        known_until=at,
        circumstance=_on(came, page, watched)[passed],
    )


def _on(came: Sums, page: Longs, watched: Flags) -> Codes:
    """Return on what the page of each impression (S,) was watched, as far as the watches of its items tell.

    Impressions do not say it; were it left out, unknown would mean passed over.
    """
    told = np.zeros((page.max(initial=-1) + 1, came.shape[1] - 1), np.float32)
    np.maximum.at(told, page[watched], came[watched, 1:])
    return circumstances.codes(told > 0)[page]


def _newest_questions(log: Log, passed: Asked, most: int) -> tuple[Asked, Longs]:
    """Return the latest questions (M,) out of views and of what was passed over, and their rows in the log."""
    views = np.flatnonzero(log.met & ~np.isnan(log.long_view))
    viewed = asked(log, views)
    told = Asked(*(np.append(getattr(viewed, of.name), getattr(passed, of.name)) for of in fields(Asked)))
    rows = np.append(views, np.full(len(passed), -1))
    newest = np.argsort(-told.at, kind="stable")[:most]
    return told.where(newest), rows[newest]


def _latest_events(until: datetime) -> Events:
    kept, forgotten = as_events(np.zeros(0, INTERACTION)), Forgotten.read()
    for block in interactions_between(None, until):
        kept = _both(kept, _spared(as_events(block), forgotten))
        if len(kept.at) > 2 * MOST_EVENTS:
            kept = _newest(kept)
    return _newest(kept)


def _newest(events: Events) -> Events:
    if len(events.at) <= MOST_EVENTS:
        return events
    return _picked(events, np.argpartition(-events.at, MOST_EVENTS)[:MOST_EVENTS])


def _spared(events: Events, forgotten: Forgotten) -> Events:
    return _picked(events, np.flatnonzero(forgotten.spares(events.viewer, events.at)))


def _picked(events: Events, places: Longs) -> Events:
    kept: dict[str, Any] = {name: getattr(events, name)[places] for name in _columns()}
    return replace(events, **kept)


def _bought(viewers: Longs, until: datetime) -> Events:
    return _deeds(granted_to(viewers.tolist(), until=until), "purchase")


def _followed(some_item: dict[int, int], until: datetime) -> Events:
    """Return who followed whom; a creator is told by any of their items."""
    rows = Follow.objects.filter(followed_at__lt=until).values_list("viewer_id", "creator_id", "followed_at")
    known = ((viewer, some_item.get(creator), at) for viewer, creator, at in rows.iterator())
    return _deeds([(viewer, item, at) for viewer, item, at in known if item is not None], "follow")


def _deeds(rows: Sequence[Deed], kind: str) -> Events:
    unknown = np.full(len(rows), np.nan, np.float32)
    return Events(
        viewer=np.array([viewer for viewer, _, _ in rows], np.int64),
        item=np.array([item for _, item, _ in rows], np.int64),
        at=np.array([_ms(at) for _, _, at in rows], np.int64),
        kind=np.full(len(rows), KINDS.index(kind), np.int8),
        watched=unknown,
        long_view=unknown,
        watch_ms=np.full(len(rows), -1, np.int32),
        circumstance=np.zeros(len(rows), np.int8),
    )


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1_000)


def _columns() -> list[str]:
    return [of.name for of in fields(Events) if of.name != "flags"]


def _both(some: Events, more: Events) -> Events:
    joined: dict[str, Any] = {name: np.append(getattr(some, name), getattr(more, name)) for name in _columns()}
    return replace(some, **joined)
