"""What the viewers of a generated world did: watches, reactions, follows, comments."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from catalog.models import Comment, Reaction, Watch
from creators.models import Follow
from kpplatform.demo.copying import copy, times
from kpplatform.demo.seeding import showing
from kpplatform.demo.seeding.places import Places
from kpplatform.demo.seeding.shelves import LANGUAGES
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.events import Events
from kpplatform.demo.world.grammar import comments
from kpplatform.demo.world.names import viewer_names
from kpplatform.demo.world.viewers import Viewers
from kpplatform.tenancy.models import Member

# Of a hundred viewers: on what they watch, and over what.
DEVICES = np.repeat(np.array([1, 3, 2, 4, 0], np.int16), [70, 17, 8, 3, 2])
NETWORKS = np.repeat(np.array([1, 2, 0], np.int16), [62, 33, 5])
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
    rng = np.random.default_rng(seed)
    told = showing.told_by(events, rng)
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
            "source": showing.TOLD[told],
            "session": events.session.astype(str),
            "device": DEVICES[events.viewer * 37 % 100],
            "network": NETWORKS[events.viewer * 61 % 100],
        },
    )
    clean = events.take(events.dirt == 0)
    showing.write(showing.pages_of(clean, told[events.dirt == 0], catalogue, rng), places, rng)
    for kind, flag in REACTIONS.items():
        _reactions(kind, clean.take(getattr(clean, flag)), places)
    _follows(clean.take(clean.followed), catalogue, places)
    _comments(clean.take(clean.commented), catalogue, places, rng)
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
