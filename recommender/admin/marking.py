"""A page on which staff mark what a comment praises and blames: with the mouse, or by the keyboard alone."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as said

from catalog.models import Comment
from kpplatform.errors import Refused
from kpplatform.tenancy.admin_base import staff
from recommender import operations, queries
from recommender.models import SpanLabel

PAGE = "admin:recommender_spanlabel_mark"
BUTTONS = {name: {"type": "button", "data-key": name[0]} for name in ("praise", "blame", "clear")}


class MarksForm(forms.Form):
    """What was marked in which comment, as the page sends it."""

    comment = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    spans = forms.JSONField(required=False)


def marking_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show a comment to be marked, or keep what was marked and show the next one."""
    by = staff(request)
    if request.method == "POST":
        return _kept(request)
    asked = request.GET.get("comment", "")
    is_asked_for = asked.isdecimal() and len(asked) < 19
    comment = get_object_or_404(_open(), pk=asked) if is_asked_for else queries.comment_to_label(by)
    told: dict[str, Any] = {"title": said("Mark a comment"), "buttons": BUTTONS, "comment": comment}
    if comment:
        marked = SpanLabel.objects.filter(comment=comment, by=by).first()
        told["marks"] = {"body": comment.body, "spans": marked.spans if marked else []}
    return TemplateResponse(request, "recommender/marking.html", {**context, **told})


def _open() -> QuerySet[Comment]:
    """Return the comments that still have their words."""
    return Comment.objects.filter(deleted_at=None)


def _kept(request: HttpRequest) -> HttpResponse:
    form = MarksForm(request.POST)
    if not form.is_valid():
        messages.error(request, said("These are no marks."))
        return redirect(PAGE)
    sent = form.cleaned_data
    comment = get_object_or_404(_open(), pk=sent["comment"])
    try:
        operations.label_spans(comment=comment, by=staff(request), spans=sent["spans"], at=timezone.now())
    except Refused as refused:
        messages.error(request, refused.detail)
        return redirect(f"{request.path}?comment={comment.pk}")
    messages.success(request, said("Kept."))
    return redirect(PAGE)
