"""Loads of ads: what is tried and was, who was dealt which, and since when which one holds."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.ads import operations
from billing.ads.models import LoadChange, LoadTrial, LoadViewer
from kpplatform.errors import Invalid
from kpplatform.tenancy.admin_base import TenantAdmin, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of


class NoNumber(Invalid):
    code = "no_number"


@admin.register(LoadTrial)
class LoadTrialAdmin(TenantAdmin):
    action_form = WordsForm
    list_display = ("name", "loads", "shares_bps", "starts_at", "ends_at", "ended_at", "read_at")
    search_fields = ("name",)
    list_filter = ("starts_at",)
    actions = ("end", "adopt")

    @admin.action(description=_("End: the usual load for everybody"), permissions=["staff"])
    def end(self, request: HttpRequest, queryset: QuerySet[LoadTrial]) -> None:
        told: dict[str, Any] = {"by": staff(request), "why": words_of(request) or "console", "at": timezone.now()}
        self.do_each(request, queryset, lambda trial: operations.end_load_trial(trial=trial, **told))

    @admin.action(
        description=_("Adopt for everybody the number written beside: items between two ads, 0 for none"),
        permissions=["staff"],
    )
    def adopt(self, request: HttpRequest, queryset: QuerySet[LoadTrial]) -> None:
        told: dict[str, Any] = {"by": staff(request), "why": "console", "at": timezone.now()}
        self.do_each(
            request, queryset, lambda of: operations.adopt_load(trial=of, every=_number(words_of(request)), **told)
        )


def _number(words: str) -> int:
    """Return the number that was written beside the action. Raises NoNumber."""
    if not words.strip().isdecimal() or len(words.strip()) > 3:
        raise NoNumber("Write how many items are to stand between two ads.")
    return int(words)


@admin.register(LoadViewer)
class LoadViewerAdmin(TenantAdmin):
    list_display = ("trial", "viewer", "load", "dealt_at")
    list_select_related = ("trial", "viewer")
    number_fields = ("pk", "trial_id", "viewer_id")
    list_filter = ("dealt_at",)


@admin.register(LoadChange)
class LoadChangeAdmin(TenantAdmin):
    list_display = ("changed_at", "before", "load", "trial", "by", "why")
    list_select_related = ("trial", "by")
    number_fields = ("pk", "trial_id")
    list_filter = ("changed_at",)
