"""Turn a generated world into what a case tells its model. Shapes: N watches, U viewers, V items.

What viewers met is kept beside it: nothing of that is put on a list, also where no signal was told of it. What they
own they have met.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpplatform.demo.cases.case import COMMENT, COMMENT_TEXT, LIKE, SHARE, WATCH_TIME, Case
from kpplatform.demo.world.catalogue import Catalogue, draw_catalogue
from kpplatform.demo.world.events import CLEAN, Events
from kpplatform.demo.world.grammar import comments
from kpplatform.demo.world.history import history
from kpplatform.demo.world.topics import TOPICS
from kpplatform.demo.world.videos import PUBLISHED
from kpplatform.demo.world.viewers import draw_viewers
from recommender.ml import signals
from recommender.ml.arrays import Flags, Floats, Ints, Longs
from recommender.ml.attributes import Attributes, gather_attributes
from recommender.ml.interactions import Interactions
from recommender.ml.signals import KINDS, WEIGHTS
from recommender.ml.splits import Split, leave_one_out

STARTS_AT = datetime(2026, 3, 2, tzinfo=UTC)
FLAGS = {LIKE: "liked", SHARE: "shared", COMMENT: "commented"}
COLUMNS = ("viewer", "item", "started_at", "watch_ms", "duration_ms", "liked", "shared", "commented")
JUDGED = 20_000  # viewers, at most, of whom one event is withheld
COMMENTS_READ = 20  # of an item

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Told:
    """A case's data."""

    learned: Interactions  # without what is withheld
    judged: Split  # the withheld events, and the histories of the viewers whose they are
    met: Interactions  # who watched what, whatever was told of it: nothing else is kept of it
    closed: Ints  # codes of items that may not be shown: drafts, scheduled ones, withdrawn ones


def tell(case: Case, *, seed: int) -> Told:
    """Generate the case's world and tell of it what the case's signals tell."""
    catalogue = draw_catalogue(
        videos=case.items, courses=case.items // 25, days=case.days, starts_at=STARTS_AT, seed=seed
    )
    columns = _columns(catalogue, case, seed)
    met = _interactions(case, columns)
    told = met if case.tells_views else met.where(_reacted(case, columns))
    told = replace(told, attributes=_attributes(case, catalogue, columns, seed))
    del columns
    train, judged = withheld(told, seed=seed)
    closed = np.flatnonzero(catalogue.videos.state != PUBLISHED).astype(np.int32)
    return Told(train, judged, _bare(met), closed)


def withheld(data: Interactions, *, viewers: int = JUDGED, seed: int) -> tuple[Interactions, Split]:
    """Withhold the last new wish of a sample of viewers; return what is left to learn from, and what to judge on."""
    active = np.flatnonzero(np.diff(data.starts) > 1)
    chosen = np.random.default_rng(seed).permutation(active)[:viewers]
    is_chosen = np.zeros(data.shape[0], np.bool_)
    is_chosen[chosen] = True
    split = leave_one_out(data.where(is_chosen[data.viewer]))
    left = np.where(is_chosen, np.diff(split.train.starts), np.diff(data.starts))  # (U,) so many events are kept
    place = np.arange(len(data)) - data.starts[data.viewer]
    return data.where(place < left[data.viewer]), split


def _columns(catalogue: Catalogue, case: Case, seed: int) -> Columns:
    """Return the clean watches, by viewer and then by time."""
    people = draw_viewers(count=case.viewers, videos=case.items, seed=seed)
    parts = list(_clean(history(catalogue=catalogue, viewers=people, seed=seed)))
    order = np.argsort(np.concatenate([part["viewer"] for part in parts]), kind="stable")  # days follow each other
    columns: Columns = {}
    for name in COLUMNS:
        columns[name] = np.concatenate([part.pop(name) for part in parts])[order]
    return columns


def _clean(chunks: Iterator[Events]) -> Iterator[Columns]:
    for events in chunks:
        clean = events.dirt == CLEAN
        yield {name: getattr(events, name)[clean] for name in COLUMNS}


def _interactions(case: Case, columns: Columns) -> Interactions:
    """Return the watches, each rated and wanted by what the case's signals tell of it."""
    events = _events(case, columns)
    weights = WEIGHTS if case.tells_views else {**WEIGHTS, "watch": 0.0}
    return Interactions(
        viewer=columns["viewer"],
        item=columns["item"],
        at=events.at,
        weight=signals.rating(signals.signals(events), weights=weights),
        positive=signals.wanted(events),
        watched=events.watched,
        watch_ms=events.watch_ms,
        viewer_ids=np.arange(case.viewers),
        item_ids=np.arange(case.items),
    )


def _events(case: Case, columns: Columns) -> signals.Events:
    """Return the watches with what the case's signals tell of them, and nothing else."""
    many = len(columns["viewer"])
    unknown: Floats = np.broadcast_to(np.float32(np.nan), many)
    is_timed = WATCH_TIME in case.signals
    return signals.Events(
        viewer=columns["viewer"],
        item=columns["item"],
        at=columns["started_at"],
        kind=np.full(many, KINDS.index("watch"), np.int8),
        watched=(columns["watch_ms"] / columns["duration_ms"]).astype(np.float32) if is_timed else unknown,
        long_view=unknown,
        watch_ms=columns["watch_ms"] if is_timed else np.broadcast_to(np.int32(-1), many),
        flags={FLAGS[signal]: columns[FLAGS[signal]] for signal in case.signals if signal in FLAGS},
    )


def _bare(met: Interactions) -> Interactions:
    """Return who met what, with columns beside it that take no memory."""
    return replace(
        met,
        at=np.broadcast_to(np.int64(0), len(met)),
        weight=np.broadcast_to(np.float32(0), len(met)),
        positive=np.broadcast_to(np.False_, len(met)),
        watched=np.broadcast_to(np.float32(np.nan), len(met)),
        watch_ms=np.broadcast_to(np.int32(-1), len(met)),
    )


def _reacted(case: Case, columns: Columns) -> Flags:
    """Return which watches (N,) any of the case's reactions came of: all there is to learn from without views."""
    told: Flags = np.any([columns[FLAGS[signal]] for signal in case.signals if signal in FLAGS], axis=0)
    return told


def _attributes(case: Case, catalogue: Catalogue, columns: Columns, seed: int) -> Attributes:
    """Return titles, tags and creators; a case that tells of comments adds their words to the title."""
    videos = catalogue.videos
    said = _said(catalogue, columns, seed) if COMMENT_TEXT in case.signals else [""] * len(videos)
    ids: Longs = np.arange(len(videos))
    topics = [TOPICS[topic].slug for topic in videos.topic.tolist()]
    return gather_attributes(
        item=ids,
        creator=videos.creator.astype(np.int64),
        tags=[{*tags, topic} for tags, topic in zip(videos.words.tags, topics, strict=True)],
        duration_ms=videos.duration_ms.astype(np.int64),
        published_at=videos.published_at,
        title=[f"{title} {text}".strip() for title, text in zip(videos.words.title, said, strict=True)],
        item_ids=ids,
    )


def _said(catalogue: Catalogue, columns: Columns, seed: int) -> list[str]:
    """Return what was said under each item (V,), its first comments."""
    videos, rng = catalogue.videos, np.random.default_rng(seed)
    found: list[list[str]] = [[] for _ in range(len(videos))]
    for item in columns["item"][columns["commented"]].tolist():
        voices = comments(int(videos.topic[item]), int(videos.language[item]))
        if len(found[item]) < COMMENTS_READ:
            found[item].append(voices[int(rng.integers(len(voices)))])
    return [" ".join(texts) for texts in found]
