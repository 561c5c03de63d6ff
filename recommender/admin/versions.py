"""What was trained and how good it was."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin, labelled, staff
from recommender import operations
from recommender.admin.audits import audit_tables
from recommender.models import ModelVersion
from recommender.operations import Word

CELL = "<td class='pr-6'>{}</td>"
SAY_MOST = ("ndcg@", "hr@")
STATE_COLOURS = {"published": "success", "canary": "info", "rejected": "danger", "withdrawn": "warning", "retired": ""}
TRIED_ON = 10  # percent of the viewers


@admin.register(ModelVersion)
class ModelVersionAdmin(TenantAdmin):
    list_display = (
        "__str__",
        "shown_state",
        "shown_fault",
        "reason",
        "quality",
        "events",
        "trained_at",
        "published_at",
    )
    search_fields = ("kind", "reason")
    list_filter = ("state", "trained_at")
    actions = ("promote", "try_on_some", "withdraw", "roll_back")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["comparison", "favours", *self.get_readonly_fields(request, obj)[2:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["comparison", "favours", *super().get_readonly_fields(request, obj)]

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, version: ModelVersion) -> tuple[str, str]:
        return labelled(version.state, version.get_state_display())

    @display(description=_("fault"), label="danger")
    def shown_fault(self, version: ModelVersion) -> str:
        return gettext(version.get_fault_display()) if version.fault else ""

    @admin.action(description=_("Serve to everybody"), permissions=["staff"])
    def promote(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        word = in_the_console(request)
        self.do_each(request, queryset, lambda version: operations.promote_version(version=version, word=word))

    @admin.action(description=_("Try on a tenth of the viewers"), permissions=["staff"])
    def try_on_some(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        word = in_the_console(request)
        self.do_each(request, queryset, lambda row: operations.try_version(version=row, percent=TRIED_ON, word=word))

    @admin.action(description=_("Withdraw"), permissions=["staff"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        word = in_the_console(request)
        self.do_each(request, queryset, lambda version: operations.withdraw_version(version=version, word=word))

    @admin.action(description=_("Go back to the version before"), permissions=["staff"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        word = in_the_console(request)
        self.do_each(request, queryset, lambda version: operations.roll_back(word=word, version=version))

    @display(description=_("metrics"))
    def quality(self, version: ModelVersion) -> str:
        """Show the two figures that say most, beside popularity's."""
        measured = version.measured()
        own, popular = measured.get(version.kind, {}), measured.get("popularity", {})
        shown = [name for name in own if name.startswith(SAY_MOST)]
        return " · ".join(f"{name} {own[name]:.3f} ({popular.get(name, 0):.3f})" for name in shown)

    @display(description=_("metrics"))
    def comparison(self, version: ModelVersion) -> SafeString:
        """Show every figure of every model, each model on a row."""
        measured = version.measured()
        names = sorted({name for figures in measured.values() for name in figures})
        head = format_html_join("", "<th class='text-left pr-6'>{}</th>", [("",), *((name,) for name in names)])
        rows = [[model, *(f"{figures.get(name, 0):.4f}" for name in names)] for model, figures in measured.items()]
        body = format_html_join("", "<tr>{}</tr>", ((format_html_join("", CELL, ((c,) for c in row)),) for row in rows))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)

    @display(description=_("whom it favours"))
    def favours(self, version: ModelVersion) -> SafeString:
        """Show how creators are exposed, how popular what is shown is, and how well segments are served."""
        return audit_tables(version.metrics.get("audit", {}))


def in_the_console(request: HttpRequest) -> Word:
    """Return on whose word something is done here."""
    return Word(by=staff(request), why="console", at=timezone.now())
