"""What can be told of texts: suggested topics, what comments praise and blame, what people marked."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import Comment, Item
from catalog.queries import comment_is_muted
from kpplatform.tenancy.models import Member
from recommender.ml.agreement import cohen_kappa
from recommender.ml.tagger.sentences import LABELS, Sentence, Span, labels_at
from recommender.models import CommentSignal, SpanLabel, TextRun, TopicSuggestion

MOST_READ = 500  # comments of an item, the newest
MOST_TOLD = 5  # highlights of each kind
MOST_KEYWORDS = 10
FEWEST_CHANCE = 0.6  # of a span that is worth showing


@dataclass(frozen=True)
class Highlight:
    """Words that were found in comments, how often, and in which one first."""

    text: str
    comments: int
    comment: int


@dataclass(frozen=True)
class Highlights:
    """What the comments of an item praise and blame, and what they speak of."""

    comments: int = 0
    sentiment: float | None = None  # from −1, all blame, to 1, all praise
    positive: list[Highlight] = field(default_factory=list)
    negative: list[Highlight] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Agreement:
    """How far two members agree on the comments that both have marked, character by character."""

    one: int
    other: int
    comments: int
    kappa: float | None


def text_runs() -> QuerySet[TextRun]:
    """Return the passes over the tenant's texts, newest first."""
    return TextRun.objects.order_by("-began_at", "-pk")


def topic_suggestions(*, to: Member) -> QuerySet[TopicSuggestion]:
    """Return what is suggested for the items that the member may change, the surest first."""
    told = TopicSuggestion.objects.select_related("item__creator", "topic").order_by("-confidence", "-pk")
    return told if to.runs_the_tenant else told.filter(item__creator__member=to)


def decided_items() -> set[int]:
    """Return the items about whose topic somebody has decided."""
    decided = TopicSuggestion.objects.exclude(state=TopicSuggestion.State.OPEN)
    return set(decided.order_by().values_list("item_id", flat=True))


def comments_to_tag(*, tagger: str, after: int, most: int) -> list[tuple[int, int, str]]:
    """Return (id, item, body) of comments behind an id that this tagger has not read."""
    known = CommentSignal.objects.filter(comment=OuterRef("pk"), tagger=tagger)
    rows = Comment.objects.filter(~Exists(known), deleted_at=None, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", "item_id", "body")[:most])


def highlights(item: Item, *, viewer: Member) -> Highlights:
    """Return what the newest comments of an item praise and blame most often.

    What was deleted is left out, and what others wrote with a word in it that the viewer has muted.
    """
    muted = ~Q(comment__viewer=viewer) & Q(comment_is_muted(viewer, body="comment__body"))
    signals = CommentSignal.objects.filter(~muted, item=item, comment__deleted_at=None).order_by("-comment")
    rows = list(signals.values_list("comment_id", "comment__body", "spans", "keywords", "praise", "blame")[:MOST_READ])
    praise, blame = sum(row[4] for row in rows), sum(row[5] for row in rows)
    words = Counter(word for row in rows for word in row[3])
    return Highlights(
        comments=len(rows),
        sentiment=round((praise - blame) / (praise + blame), 3) if praise + blame else None,
        positive=_most_said([(row[0], row[1], row[2]) for row in rows], LABELS[1]),
        negative=_most_said([(row[0], row[1], row[2]) for row in rows], LABELS[2]),
        keywords=[word for word, _ in words.most_common(MOST_KEYWORDS)],
    )


def span_labels() -> QuerySet[SpanLabel]:
    """Return what people marked, newest first."""
    return SpanLabel.objects.select_related("comment", "by").order_by("-labelled_at", "-pk")


def comment_to_label(by: Member) -> Comment | None:
    """Return the next comment for a member to mark: what others marked comes first, so that they can be compared."""
    marked = SpanLabel.objects.filter(comment=OuterRef("pk"))
    left = Comment.objects.filter(~Exists(marked.filter(by=by)), deleted_at=None)
    return left.annotate(is_marked=Exists(marked)).order_by("-is_marked", "-pk").first()


def labelled_sentences() -> Iterator[Sentence]:
    """Yield each marked comment once, with the spans of whoever marked it last."""
    rows = SpanLabel.objects.filter(comment__deleted_at=None).select_related("comment")
    for label in rows.order_by("comment", "-labelled_at", "-pk").distinct("comment"):
        yield Sentence(label.comment.body, tuple(Span(*of) for of in label.spans))


def agreements() -> list[Agreement]:
    """Return for each two members how far they agree, those with the most comments in common first."""
    marked: dict[int, dict[int, list[int]]] = defaultdict(dict)
    rows = SpanLabel.objects.filter(comment__deleted_at=None).order_by("by", "comment")
    for by, comment, body, spans in rows.values_list("by_id", "comment_id", "comment__body", "spans"):
        marked[by][comment] = labels_at([Span(*of) for of in spans], iter(range(len(body))))
    pairs = (_agreement(one, other, marked[one], marked[other]) for one, other in combinations(sorted(marked), 2))
    return sorted((pair for pair in pairs if pair.comments), key=lambda pair: -pair.comments)


def _agreement(one: int, other: int, ours: dict[int, list[int]], theirs: dict[int, list[int]]) -> Agreement:
    both = sorted(ours.keys() & theirs.keys())
    kappa = cohen_kappa(_joined(ours[of] for of in both), _joined(theirs[of] for of in both))
    return Agreement(one, other, len(both), None if kappa is None else round(kappa, 3))


def _joined(parts: Iterable[list[int]]) -> list[int]:
    return [label for part in parts for label in part]


def _most_said(rows: Sequence[tuple[int, str, list[Any]]], label: str) -> list[Highlight]:
    said: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for comment, body, spans in rows:
        for start, end, what, chance in spans:
            text = body[start:end].strip()
            if what == label and chance >= FEWEST_CHANCE and text:
                said[text.lower()].append((comment, text))
    found = [Highlight(of[0][1], len({comment for comment, _ in of}), of[0][0]) for of in said.values()]
    return sorted(found, key=lambda of: (-of.comments, -of.comment))[:MOST_TOLD]
