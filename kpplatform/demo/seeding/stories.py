"""What the viewers of a generated world did: watches, reactions, follows, comments."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from catalog.models import Comment, Reaction, Watch
from creators.models import Follow
from kpplatform.demo.copying import copy, times
from kpplatform.demo.seeding.places import Places
from kpplatform.demo.seeding.shelves import LANGUAGES
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.events import Events
from kpplatform.demo.world.grammar import comments
from kpplatform.demo.world.names import viewer_names
from kpplatform.demo.world.showing import SOURCES
from kpplatform.demo.world.viewers import Viewers
from kpplatform.tenancy.models import Member

REACTIONS = {
    Reaction.Kind.LIKE: "liked",
    Reaction.Kind.SAVE: "saved",
    Reaction.Kind.SHARE: "shared",
    Reaction.Kind.NOT_INTERESTED: "not_interested",
}


def write_viewers(*, viewers: Viewers, places: Places, starts_at: datetime, seed: int) -> None:
    """Write the viewers, who joined when the world began."""
    rows = np.arange(len(viewers), dtype=np.int32)
    joined = np.full(len(viewers), int(starts_at.timestamp() * 1000), np.int64)
    copy(
        Member,
        {
            "id": places.viewers,
            "role": [Member.Role.VIEWER] * len(viewers),
            "name": viewer_names(rows, viewers.language, seed=seed),
            "language": LANGUAGES[viewers.language],
            "joined_at": times(joined),
        },
    )


def write(*, events: Events, catalogue: Catalogue, places: Places, seed: int) -> int:
    """Write one chunk of what happened; return how many watches were new.

    The dirty rows are written like the others: to find them is what the cleaning rules are for.
    """
    watches = copy(
        Watch,
        {
            "event_id": [row.tobytes().hex() for row in events.uuid],
            "viewer_id": places.viewers[events.viewer],
            "item_id": places.videos[events.item],
            "started_at": times(events.started_at),
            "received_at": times(events.received_at),
            "watch_ms": events.watch_ms,
            "duration_ms": events.duration_ms,
            "source": np.array(SOURCES)[events.source],
            "session": events.session.astype(str),
        },
    )
    clean = events.take(events.dirt == 0)
    for kind, flag in REACTIONS.items():
        _reactions(kind, clean.take(getattr(clean, flag)), places)
    _follows(clean.take(clean.followed), catalogue, places)
    _comments(clean.take(clean.commented), catalogue, places, np.random.default_rng(seed))
    return watches


def _reactions(kind: str, events: Events, places: Places) -> None:
    copy(
        Reaction,
        {
            "viewer_id": places.viewers[events.viewer],
            "item_id": places.videos[events.item],
            "kind": [kind] * len(events),
            "reacted_at": times(_ends(events)),
        },
    )


def _follows(events: Events, catalogue: Catalogue, places: Places) -> None:
    copy(
        Follow,
        {
            "viewer_id": places.viewers[events.viewer],
            "creator_id": places.creators[catalogue.videos.creator[events.item]],
            "followed_at": times(_ends(events)),
        },
    )


def _comments(events: Events, catalogue: Catalogue, places: Places, rng: np.random.Generator) -> None:
    videos = catalogue.videos
    voices = [
        comments(int(topic), int(language))
        for topic, language in zip(videos.topic[events.item], videos.language[events.item], strict=True)
    ]
    copy(
        Comment,
        {
            "viewer_id": places.viewers[events.viewer],
            "item_id": places.videos[events.item],
            "body": [said[int(rng.integers(len(said)))] for said in voices],
            "written_at": times(_ends(events)),
        },
    )


def _ends(events: Events) -> NDArray[np.int64]:
    return events.started_at + events.watch_ms
