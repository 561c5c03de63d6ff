"""What the figures advise a creator: which length, which hour, which topic. Each piece comes with its numbers."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Q

from catalog.models import LIVE_STATES, Item, Topic
from creators.models import Creator
from kpplatform.metrics.queries.figures import Span, by_part, parts_of
from kpplatform.metrics.queries.lengths import EDGES_S, NO_LENGTH

FEWEST_PLAYS = 30  # of a length or of all hours: of fewer nothing is said
LEAST_GAP = 0.01
MOST_NICHES = 5
LOOKED_AT, FEWEST_ITEMS, MOST_KEYWORDS = 500, 2, 6  # a topic's newest items, and tags of theirs


@dataclass(frozen=True)
class Length:
    """How far what is so long was watched: from so many seconds to below so many; None: without an end."""

    begins_s: int
    ends_s: int | None
    plays: int
    finished: int

    @property
    def completion(self) -> float:
        return self.finished / self.plays


@dataclass(frozen=True)
class BestLength:
    """The lengths of a topic's videos that were played often enough, the shortest first, and which is best."""

    topic: Topic | None
    lengths: list[Length]
    best: Length | None
    usual: Length | None  # the creator's own: which of these they play most


@dataclass(frozen=True)
class BestHour:
    """The busiest hour, of how many plays, and whose they are: the creator's, or the whole tenant's."""

    hour: int
    plays: int
    of: int
    is_own: bool


@dataclass(frozen=True)
class Keyword:
    """A tag that many items of a topic have and none of the creator's: how many of how many looked at."""

    tag: str
    items: int
    of: int


@dataclass(frozen=True)
class Niche:
    """A topic: its share of all plays and of all items on show, how many publish about it, and what is the creator's.

    The gap is demand less supply.
    """

    topic: Topic
    plays: int
    demand: float
    items: int
    supply: float
    creators: int
    own: int

    @property
    def gap(self) -> float:
        return self.demand - self.supply


def main_topic(creator: Creator, *, at: datetime) -> Topic | None:
    """Return the topic of most of what the creator shows; of several the first one there was."""
    live = Item.objects.filter(creator=creator, state__in=LIVE_STATES, published_at__lte=at, topic__isnull=False)
    most = live.order_by().values("topic").annotate(many=Count("pk")).order_by("-many", "topic").values("topic")[:1]
    return Topic.objects.filter(pk__in=most).first()


def best_length(creator: Creator, of: Span, *, at: datetime) -> BestLength:
    """Return which length of videos about the creator's main topic is watched to the end most often, by whomever."""
    topic = main_topic(creator, at=at)
    everyones = replace(of, creator=None, item=None)
    prefix = f"{topic.pk if topic else 0}:"
    found = parts_of(["plays_by_length", "finished_by_length"], everyones)
    plays, finished = (_of_topic(parts, prefix) for parts in found.values())
    own = _of_topic(by_part("plays_by_length", replace(of, creator=creator)), prefix)
    lengths = {
        place: _length(place, plays[place], finished.get(place, 0))
        for place in sorted(plays)
        if plays[place] >= FEWEST_PLAYS
    }
    best = max(lengths.values(), key=lambda of: (of.completion, of.plays), default=None)
    usual = max(own, key=lambda place: (own[place], -place), default=None)
    return BestLength(topic, list(lengths.values()), best, lengths.get(usual) if usual is not None else None)


def _of_topic(parts: Mapping[str, int], prefix: str) -> dict[int, int]:
    places = {part.removeprefix(prefix): value for part, value in parts.items() if part.startswith(prefix)}
    return {int(place): value for place, value in places.items() if place != NO_LENGTH}


def _length(place: int, plays: int, finished: int) -> Length:
    edges = (0, *EDGES_S, None)
    return Length(edges[place] or 0, edges[place + 1], plays, finished)


def best_hour(creator: Creator, of: Span) -> BestHour | None:
    """Return the hour in which the creator is watched most; who is watched too little is told of the whole tenant."""
    for whose in (creator, None):
        plays = by_part("plays_by_hour", replace(of, creator=whose, item=None))
        whole = sum(plays.values())
        if whole >= FEWEST_PLAYS:
            hour = min(plays, key=lambda part: (-plays[part], int(part)))
            return BestHour(int(hour), plays[hour], whole, is_own=whose is not None)
    return None


def keywords(creator: Creator, topic: Topic | None, *, at: datetime) -> list[Keyword]:
    """Return the tags that others' newest items about a topic have most often, and none of the creator's about it."""
    live = (
        Item.objects.filter(topic=topic, state__in=LIVE_STATES, published_at__lte=at) if topic else Item.objects.none()
    )
    newest = live.order_by("-published_at", "-pk").exclude(creator=creator).values_list("tags", flat=True)[:LOOKED_AT]
    own = {tag for tags in live.filter(creator=creator).values_list("tags", flat=True)[:LOOKED_AT] for tag in tags}
    tags = [set(of) for of in newest]
    found = Counter(tag for of in tags for tag in of - own)
    told = [Keyword(tag, items, len(tags)) for tag, items in found.items() if items >= FEWEST_ITEMS]
    return sorted(told, key=lambda of: (-of.items, of.tag))[:MOST_KEYWORDS]


def niches(creator: Creator, of: Span, *, at: datetime) -> list[Niche]:
    """Return the topics that are played more than there is of them, the widest gap first.

    What is played is told of the whole tenant: where one could begin, not only what one's viewers like.
    """
    plays: dict[int, int] = defaultdict(int)
    for part, value in by_part("plays_by_length", replace(of, creator=None, item=None)).items():
        plays[int(part.partition(":")[0])] += value
    live = Item.objects.filter(state__in=LIVE_STATES, published_at__lte=at, topic__isnull=False)
    rows = (
        live.order_by()
        .values_list("topic")
        .annotate(
            items=Count("pk"), creators=Count("creator", distinct=True), own=Count("pk", filter=Q(creator=creator))
        )
    )
    supplied: dict[int, dict[str, int]] = {
        topic: {"items": items, "creators": creators, "own": own} for topic, items, creators, own in rows
    }
    whole_plays = sum(value for topic, value in plays.items() if topic) or 1
    whole_items = sum(row["items"] for row in supplied.values()) or 1
    topics = Topic.objects.in_bulk([topic for topic, value in plays.items() if topic and value >= FEWEST_PLAYS])
    nothing = {"items": 0, "creators": 0, "own": 0}
    found = [
        _niche(topic, plays[pk], supplied.get(pk, nothing), whole_plays=whole_plays, whole_items=whole_items)
        for pk, topic in topics.items()
    ]
    wide = [niche for niche in found if niche.gap >= LEAST_GAP]
    return sorted(wide, key=lambda niche: (-niche.gap, niche.topic.pk))[:MOST_NICHES]


def _niche(topic: Topic, plays: int, row: Mapping[str, int], *, whole_plays: int, whole_items: int) -> Niche:
    return Niche(
        topic=topic,
        plays=plays,
        demand=plays / whole_plays,
        items=row["items"],
        supply=row["items"] / whole_items,
        creators=row["creators"],
        own=row["own"],
    )
