"""What was trained and how good it was."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin, labelled
from recommender.models import ModelVersion

CELL = "<td class='pr-6'>{}</td>"
SAY_MOST = ("ndcg@", "hr@")
STATE_COLOURS = {"published": "success", "rejected": "danger", "retired": ""}


@admin.register(ModelVersion)
class ModelVersionAdmin(TenantAdmin):
    list_display = ("__str__", "shown_state", "reason", "quality", "events", "trained_at", "published_at")
    search_fields = ("kind", "reason")
    list_filter = ("state", "trained_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["comparison", *self.get_readonly_fields(request, obj)[1:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["comparison", *super().get_readonly_fields(request, obj)]

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, version: ModelVersion) -> tuple[str, str]:
        return labelled(version.state, version.get_state_display())

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
