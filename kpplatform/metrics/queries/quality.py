"""How good a video is, before it is published and beside its like afterwards: a score whose parts are written down.

A part of which nothing is known is left out: the score is that of the others, and `known` is the share of all weights
that it rests on. Nothing is kept from being published by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils.translation import gettext as _

from catalog.models import Item
from catalog.queries import Fault, Remark, remarks
from catalog.queries.titles import FEWEST_TAGS, SHORTEST_DESCRIPTION, width
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries.advising import FEWEST_PLAYS
from kpplatform.metrics.queries.counting import today
from kpplatform.metrics.queries.figures import Span, parts_of
from kpplatform.metrics.queries.lengths import place_of
from kpplatform.metrics.queries.remarking import sentence
from recommender.queries import copied, looked_for_copies_at
from recommender.queries.duplicates import Copied

WEIGHTS = {
    "title": 15,
    "description": 5,
    "tags": 10,
    "captions": 15,
    "picture": 15,
    "loudness": 10,
    "originality": 10,
    "length": 5,
    "completion": 15,
}
OF_TITLES = (Fault.TOO_SHORT, Fault.TOO_LONG, Fault.NO_TOPIC_WORD, Fault.SAME_TITLE, Fault.SHOUTING)
SHORT_SIDE = 1_080  # pixels of the shorter side: as many as a phone shows
LUFS, EITHER_WAY, DEAF = -14.0, 2.0, 10.0  # players aim at it; nothing is lost by so many LU, all by so many more
DAYS = 28
MOST_TITLES = 5_000


@dataclass(frozen=True)
class Part:
    """One part: which share of its weight it has (None: not known), why, and what would make it better."""

    name: str
    share: float | None
    reason: str
    todo: str = ""

    @property
    def weight(self) -> int:
        return WEIGHTS[self.name]

    @property
    def points(self) -> float | None:
        """Return what it brings of its weight."""
        return None if self.share is None else round(self.share * self.weight, 2)


@dataclass(frozen=True)
class Quality:
    """All parts of a video, in the order of the weights."""

    parts: list[Part]

    @property
    def known(self) -> float:
        """Return which share of all weights something is known of."""
        return sum(part.weight for part in self.parts if part.share is not None) / sum(WEIGHTS.values())

    @property
    def score(self) -> int:
        """Return the known parts' points by their weights, from 0 to 100."""
        known = [part for part in self.parts if part.share is not None]
        weight = sum(part.weight for part in known)
        return round(100 * sum(part.weight * (part.share or 0.0) for part in known) / weight) if weight else 0


@dataclass(frozen=True)
class Watched:
    """How often something was played, and how often to the end."""

    plays: int = 0
    finished: int = 0

    @property
    def completion(self) -> float | None:
        """Return the share that was watched to the end; None: too few plays to say."""
        return self.finished / self.plays if self.plays >= FEWEST_PLAYS else None

    def without(self, other: "Watched") -> "Watched":
        """Return what is left of it; nothing, rather than less, where the other was counted of another topic."""
        return Watched(max(0, self.plays - other.plays), max(0, self.finished - other.finished))


@dataclass(frozen=True)
class _Beside:
    """What the parts of some videos are told by: what was found of each, and what is played of what is like them."""

    remarks: dict[int, list[Remark]]
    copies: dict[int, Copied]
    looked_at: datetime | None
    own: dict[int, Watched]
    lengths: dict[str, Watched]  # by topic and length

    def like(self, item: Item) -> Watched:
        return self.lengths.get(f"{item.topic_id or 0}:{place_of(item.duration_ms or 0)}", Watched())

    def best(self, item: Item) -> float | None:
        """Return the completion of the length that is watched to the end most often within the topic."""
        topic = f"{item.topic_id or 0}:"
        told = [of.completion for part, of in self.lengths.items() if part.startswith(topic)]
        return max((of for of in told if of is not None), default=None)


def quality(item: Item, *, at: datetime) -> Quality:
    """Return how good a video is by what is known of it now, in the language of whoever reads."""
    return qualities([item], at=at)[item.pk]


def qualities(items: Sequence[Item], *, at: datetime) -> dict[int, Quality]:
    """Return the same of several videos of one creator, in as many statements as of one."""
    if not items:
        return {}
    titles = Item.objects.filter(creator=items[0].creator_id).exclude(state=Item.State.WITHDRAWN)
    last = today(at)
    span = Span(last - timedelta(days=DAYS - 1), last)
    beside = _Beside(
        remarks=remarks(items, own_titles=titles.order_by("-pk").values_list("title", flat=True)[:MOST_TITLES]),
        copies=copied(items, at=at),
        looked_at=looked_for_copies_at(),
        own=_own(items, span),
        lengths=_lengths(span),
    )
    return {item.pk: Quality(list(_parts(item, beside))) for item in items}


def _own(items: Sequence[Item], span: Span) -> dict[int, Watched]:
    rows = DailyFigure.objects.filter(
        item__in=items, metric__in=["plays", "finished"], day__gte=span.since, day__lte=span.until
    )
    found: dict[int, dict[str, int]] = {}
    for item, metric, value in rows.order_by().values_list("item", "metric").annotate(Sum("value")):
        found.setdefault(item, {})[metric] = int(value)
    return {item: Watched(**of) for item, of in found.items()}


def _lengths(span: Span) -> dict[str, Watched]:
    plays, finished = parts_of(["plays_by_length", "finished_by_length"], span).values()
    return {part: Watched(many, finished.get(part, 0)) for part, many in plays.items()}


def _parts(item: Item, beside: _Beside) -> Iterable[Part]:
    found = {remark.fault: sentence(remark) for remark in beside.remarks[item.pk]}
    yield _title(found)
    yield _description(item, found)
    yield _tags(item, found)
    yield _captions(item)
    yield _picture(item)
    yield _loudness(item)
    yield _originality(item, beside)
    yield _length(item, beside)
    yield _completion(item, beside)


def _title(found: dict[Fault, str]) -> Part:
    """Each fault of a title takes half."""
    said = [found[fault] for fault in OF_TITLES if fault in found]
    if not said:
        return Part("title", 1.0, _("Nothing could be said better."))
    return Part("title", max(0.0, 1 - len(said) / 2), " ".join(said), _("Say it in other words."))


def _description(item: Item, found: dict[Fault, str]) -> Part:
    share = min(1.0, width(item.description) / SHORTEST_DESCRIPTION)
    if Fault.SHORT_DESCRIPTION not in found:
        return Part("description", share, _("The description says enough."))
    return Part("description", share, found[Fault.SHORT_DESCRIPTION], _("Describe what is to be seen."))


def _tags(item: Item, found: dict[Fault, str]) -> Part:
    """Half for a topic, half for the tags."""
    share = (item.topic is not None) / 2 + min(1.0, len(item.tags) / FEWEST_TAGS) / 2
    said = [found[fault] for fault in (Fault.NO_TOPIC, Fault.FEW_TAGS) if fault in found]
    if not said:
        return Part("tags", share, _("It has a topic and enough tags."))
    return Part("tags", share, " ".join(said), _("Choose a topic, and tags that viewers search for."))


def _captions(item: Item) -> Part:
    """Whole in the language that is spoken, half in others alone."""
    if item.captions is None:
        return Part("captions", None, _("Nobody has told whether it has captions."), _("Tell which captions it has."))
    spoken = item.language.partition("-")[0]
    if spoken in {language.partition("-")[0] for language in item.captions}:
        return Part("captions", 1.0, _("It has captions in the language that is spoken."))
    share, said = (0.5, _("It has captions in other languages only.")) if item.captions else (0.0, _("It has none."))
    return Part("captions", share, said, _("Add captions in the language that is spoken: many watch without sound."))


def _picture(item: Item) -> Part:
    if item.width is None or item.height is None:
        return Part("picture", None, _("Nobody has told how large the picture is."), _("Tell its width and height."))
    told = {"width": item.width, "height": item.height, "side": SHORT_SIDE}
    if min(item.width, item.height) >= SHORT_SIDE:
        return Part("picture", 1.0, _("The picture is %(width)s × %(height)s.") % told)
    said = _("The picture is %(width)s × %(height)s; %(side)s on the shorter side fill a phone.") % told
    share = min(item.width, item.height) / SHORT_SIDE
    return Part("picture", share, said, _("Export it with %(side)s pixels on the shorter side.") % told)


def _loudness(item: Item) -> Part:
    if item.loudness is None:
        return Part("loudness", None, _("Nobody has told how loud it is."), _("Measure and tell its loudness in LUFS."))
    told = {"loud": f"{item.loudness:.1f}", "aim": f"{LUFS:.0f}"}
    over = abs(item.loudness - LUFS) - EITHER_WAY
    if over <= 0:
        return Part("loudness", 1.0, _("It is as loud as others: %(loud)s LUFS.") % told)
    said = _("It is too quiet: %(loud)s LUFS.") if item.loudness < LUFS else _("It is too loud: %(loud)s LUFS.")
    return Part("loudness", max(0.0, 1 - over / DEAF), said % told, _("Bring it to about %(aim)s LUFS.") % told)


def _originality(item: Item, beside: _Beside) -> Part:
    copy = beside.copies.get(item.pk)
    if copy is not None:
        told = {"title": copy.title, "share": f"{copy.cosine:.0%}"}
        said = _("Its words and tags are those of “%(title)s” by %(share)s.") % told
        return Part("originality", 1 - copy.cosine, said, _("Say what is different about it."))
    if beside.looked_at is None or beside.looked_at < item.created_at:
        return Part("originality", None, _("It is compared with all others in the night."))
    return Part("originality", 1.0, _("Nothing older says nearly the same."))


def _length(item: Item, beside: _Beside) -> Part:
    own, best = beside.like(item).completion, beside.best(item)
    if own is None or not best:
        return Part("length", None, _("Too little of this topic and length was played to compare lengths."))
    told = {"share": f"{own:.0%}", "best": f"{best:.0%}"}
    if own >= best:
        return Part("length", 1.0, _("No length is watched to the end more often here: %(share)s.") % told)
    said = _("Of this topic and length %(share)s of plays go to the end; of the best length %(best)s.") % told
    return Part("length", own / best, said, _("Look under Advice which length is watched to the end most often."))


def _completion(item: Item, beside: _Beside) -> Part:
    """As many as of its like, or more, are the whole."""
    watched = beside.own.get(item.pk, Watched())
    own, usual = watched.completion, beside.like(item).without(watched).completion
    if own is None or not usual:
        return Part("completion", None, _("It, or what is like it, was played too seldom so far."))
    told = {"share": f"{own:.0%}", "usual": f"{usual:.0%}"}
    said = _("%(share)s of its plays go to the end; of others of this topic and length %(usual)s.") % told
    return Part("completion", min(1.0, own / usual), said, "" if own >= usual else _("Begin with what it is about."))
