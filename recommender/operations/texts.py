"""What is done with texts: topics suggested and decided, comments tagged, spans marked by people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from catalog import operations as catalog
from catalog.models import Comment, Item
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from recommender.ml.tagger.sentences import BrokenSentences, checked
from recommender.models import CommentSignal, SpanLabel, TextRun, TopicSuggestion

JOBS = {
    TextRun.Kind.TOPICS: "recommender.tasks.classify_topics",
    TextRun.Kind.COMMENTS: "recommender.tasks.tag_comments",
}
AT_ONCE = 1_000


class AlreadyDecided(Conflict):
    code = "already_decided"


class TopicIsTold(Conflict):
    code = "topic_is_told"


class SuggestionIsGone(Conflict):
    code = "suggestion_is_gone"


class BadSpans(Invalid):
    code = "bad_spans"


class NotForYou(Forbidden):
    code = "not_for_you"


@dataclass(frozen=True)
class Tagged:
    """What a tagger found in a comment."""

    comment: int
    item: int
    spans: Sequence[tuple[int, int, str, float]]
    keywords: Sequence[str]

    def sum_of(self, label: str) -> float:
        return round(sum(chance for _, _, of, chance in self.spans if of == label), 4)


@transaction.atomic
def ask_for_texts(*, kind: TextRun.Kind) -> Job | None:
    """Have a worker go over the tenant's texts; None when that is waiting to be done already."""
    return enqueue(JOBS[kind], queue="training", key=JOBS[kind])


@transaction.atomic
def note_text_run(
    *,
    kind: TextRun.Kind,
    outcome: str,
    began_at: datetime,
    at: datetime,
    read: int = 0,
    told: int = 0,
    metrics: Mapping[str, Any] | None = None,
) -> TextRun:
    """Write down how a pass over the texts went."""
    counted = {"read": read, "told": told, "metrics": metrics or {}}
    return TextRun.objects.create(kind=kind, outcome=outcome, began_at=began_at, ended_at=at, **counted)


@transaction.atomic
def suggest_topics(*, found: Mapping[int, tuple[int, float]], at: datetime) -> int:
    """Suggest topics for items by id, in the place of what was suggested before, and say for how many.

    Nothing is said of an item that has a topic or about which somebody has decided; items are never written.
    """
    State = TopicSuggestion.State
    TopicSuggestion.objects.filter(state=State.OPEN).delete()
    decided = set(TopicSuggestion.objects.values_list("item_id", flat=True))
    wanting = set(Item.objects.filter(topic=None).values_list("pk", flat=True)) - decided
    rows = [
        TopicSuggestion(item_id=item, topic_id=topic, confidence=confidence, suggested_at=at)
        for item, (topic, confidence) in found.items()
        if item in wanting
    ]
    return len(TopicSuggestion.objects.bulk_create(rows, batch_size=AT_ONCE))


@transaction.atomic
def accept_topic(*, suggestion: TopicSuggestion, by: Member, at: datetime) -> TopicSuggestion:
    """Make the suggested topic the item's.

    Raises NotYours, AlreadyDecided, SuggestionIsGone, and TopicIsTold when the item has one by now.
    """
    taken = _undecided(suggestion, by)
    if taken.item.topic_id is not None:
        raise TopicIsTold("The item has a topic by now.")
    catalog.revise_item(item=taken.item, by=by, topic=taken.topic)
    return _decide(taken, TopicSuggestion.State.ACCEPTED, by, at)


@transaction.atomic
def decline_topic(*, suggestion: TopicSuggestion, by: Member, at: datetime) -> TopicSuggestion:
    """Hear of it no more. Raises NotYours, AlreadyDecided and SuggestionIsGone."""
    return _decide(_undecided(suggestion, by), TopicSuggestion.State.DECLINED, by, at)


@transaction.atomic
def store_signals(*, found: Sequence[Tagged], tagger: str, at: datetime) -> None:
    """Write what was found in comments, each in the place of what was found before."""
    rows = [
        CommentSignal(
            comment_id=of.comment,
            item_id=of.item,
            praise=of.sum_of("Positive"),
            blame=of.sum_of("Negative"),
            spans=[list(span) for span in of.spans],
            keywords=list(of.keywords),
            tagger=tagger,
            tagged_at=at,
        )
        for of in found
    ]
    changed = ["praise", "blame", "spans", "keywords", "tagger", "tagged_at"]
    CommentSignal.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["tenant", "comment"], update_fields=changed, batch_size=AT_ONCE
    )


@transaction.atomic
def label_spans(*, comment: Comment, by: Member, spans: Sequence[Sequence[Any]], at: datetime) -> SpanLabel:
    """Keep what a member of staff marked in a comment, in the place of what they had marked before.

    Raises NotForYou and BadSpans.
    """
    if not by.runs_the_tenant:
        raise NotForYou("Comments are marked by the tenant's staff.")
    try:
        found = checked(comment.body, spans)
    except BrokenSentences as broken:
        raise BadSpans(str(broken)) from broken
    marked = {"spans": [list(span) for span in found], "labelled_at": at}
    return SpanLabel.objects.update_or_create(comment=comment, by=by, defaults=marked)[0]


def _undecided(suggestion: TopicSuggestion, by: Member) -> TopicSuggestion:
    """Return the suggestion with its item, both locked."""
    held = TopicSuggestion.objects.select_for_update(of=("self",)).select_related("topic")
    taken = held.filter(pk=suggestion.pk).first()
    if taken is None:
        raise SuggestionIsGone("Something else has been suggested meanwhile.")
    taken.item = Item.objects.select_for_update(of=("self",)).select_related("creator").get(pk=taken.item_id)
    catalog.must_own(taken.item, by)
    if taken.state != TopicSuggestion.State.OPEN:
        raise AlreadyDecided("Somebody has decided about this suggestion.")
    return taken


def _decide(taken: TopicSuggestion, state: TopicSuggestion.State, by: Member, at: datetime) -> TopicSuggestion:
    taken.state, taken.by, taken.decided_at = state, by, at
    taken.save(update_fields=["state", "by", "decided_at"])
    return taken
