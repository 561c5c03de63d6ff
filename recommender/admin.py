"""What was trained and how good it was; what was shown to whom."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin, labelled
from recommender.models import Impression, ModelVersion

STATE_COLOURS = {"published": "success", "rejected": "danger", "retired": ""}


@admin.register(ModelVersion)
class ModelVersionAdmin(TenantAdmin):
    list_display = ("__str__", "shown_state", "reason", "summary", "events", "trained_at", "published_at")
    search_fields = ("kind", "reason")
    list_filter = ("state", "trained_at")

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, version: ModelVersion) -> tuple[str, str]:
        return labelled(version.state, version.get_state_display())

    @display(description=_("metrics"))
    def summary(self, version: ModelVersion) -> SafeString:
        """Show each model's figures on a line of their own."""
        return format_html_join("", "<div>{}: {}</div>", measured(version.metrics))


def measured(metrics: object) -> list[tuple[str, str]]:
    """Return (model, its figures) for people to read."""
    if not isinstance(metrics, dict):
        return []
    return [(str(name), figures(figure)) for name, figure in metrics.items()]


def figures(figure: object) -> str:
    if isinstance(figure, dict):
        return " · ".join(f"{name} {figures(value)}" for name, value in figure.items())
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)


@admin.register(Impression)
class ImpressionAdmin(TenantAdmin):
    own = "item__creator__member"
    list_display = ("viewer", "item", "position", "chance", "source", "version", "shown_at")
    list_select_related = ("viewer", "item", "version")
    number_fields = ("pk", "viewer_id", "item_id")
    list_filter = ("source", "shown_at")

    @display(description=_("propensity"))
    def chance(self, impression: Impression) -> str:
        return f"{impression.propensity:.1%}"
