"""What models make of texts, in the web admin: topics to accept, comments with their praise and blame, marked spans."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from kpplatform.tenancy.admin_base import TenantAdmin, labelled, staff
from recommender import operations
from recommender.admin.marking import PAGE, marking_page
from recommender.admin.portraits import Drawn
from recommender.models import CommentSignal, SpanLabel, TextRun, TopicSuggestion

STATE_COLOURS = {"open": "info", "accepted": "success", "declined": ""}
COLOURS = {"Positive": "#bbf7d0", "Negative": "#fecaca"}


@admin.register(TextRun)
class TextRunAdmin(TenantAdmin):
    list_display = ("__str__", "kind", "outcome", "read", "told", "accuracy", "began_at")
    search_fields = ("outcome",)
    list_filter = ("kind", "began_at")

    @display(description=_("accuracy"))
    def accuracy(self, run: TextRun) -> str:
        """Show how often what was withheld was told right, beside always telling the commonest topic."""
        told = run.metrics
        return f"{told['accuracy']:.1%} ({told['commonest']:.1%})" if "accuracy" in told else ""


@admin.register(TopicSuggestion)
class TopicSuggestionAdmin(TenantAdmin):
    own = "item__creator__member"
    list_display = ("item", "topic", "shown_confidence", "shown_state", "by", "suggested_at")
    list_select_related = ("item", "topic", "by")
    number_fields = ("pk", "item_id")
    list_filter = ("state",)
    ordering = ("-confidence", "-pk")
    actions = ("accept", "decline")

    @display(description=_("confidence"))
    def shown_confidence(self, suggestion: TopicSuggestion) -> str:
        return f"{suggestion.confidence:.0%}"

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, suggestion: TopicSuggestion) -> tuple[str, str]:
        return labelled(suggestion.state, suggestion.get_state_display())

    @admin.action(description=_("Make it the topic"), permissions=["acting"])
    def accept(self, request: HttpRequest, queryset: QuerySet[TopicSuggestion]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda row: operations.accept_topic(suggestion=row, by=by, at=now))

    @admin.action(description=_("Decline"), permissions=["acting"])
    def decline(self, request: HttpRequest, queryset: QuerySet[TopicSuggestion]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda row: operations.decline_topic(suggestion=row, by=by, at=now))


@admin.register(CommentSignal)
class CommentSignalAdmin(Drawn):
    own = "item__creator__member"
    list_display = ("comment", "item", "praise_and_blame", "tagged_at")
    list_select_related = ("comment", "item")
    number_fields = ("pk", "comment_id", "item_id")
    drawn, raw = ("marked",), ("spans",)

    @display(description=_("praise and blame"))
    def praise_and_blame(self, signal: CommentSignal) -> str:
        return f"+{signal.praise:.1f} −{signal.blame:.1f}"

    @display(description=_("marked"))
    def marked(self, signal: CommentSignal) -> SafeString:
        return marked(signal.comment.body, signal.spans)


@admin.register(SpanLabel)
class SpanLabelAdmin(Drawn):
    list_display = ("comment", "by", "marked", "labelled_at")
    list_select_related = ("comment", "by")
    number_fields = ("pk", "comment_id", "by_id")
    drawn, raw = ("marked",), ("spans",)
    actions = ("mark_again",)
    actions_list = ("mark",)

    @action(description=_("Mark a comment"), url_path="mark", permissions=["staff"])
    def mark(self, request: HttpRequest) -> HttpResponse:
        """Mark the next comment, or the one that is asked for."""
        return marking_page(request, self.admin_site.each_context(request))

    @admin.action(description=_("Mark again"), permissions=["staff"])
    def mark_again(self, request: HttpRequest, queryset: QuerySet[SpanLabel]) -> HttpResponse:
        """Open the first one that is chosen."""
        return redirect(f"{reverse(PAGE)}?comment={queryset[0].comment_id}")

    @display(description=_("marked"))
    def marked(self, label: SpanLabel) -> SafeString:
        return marked(label.comment.body, label.spans)


def marked(body: str, spans: list[list[Any]]) -> SafeString:
    """Show a text with its praise green and its blame red; nothing is marked in what was deleted."""
    parts, at = [], 0
    for start, end, label, *_chance in spans if body else ():
        parts += [("transparent", body[at:start]), (COLOURS.get(label, "transparent"), body[start:end])]
        at = end
    shown = format_html_join("", "<span style='background:{}'>{}</span>", [*parts, ("transparent", body[at:])])
    return format_html("<div>{}</div>", shown)
