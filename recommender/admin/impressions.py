"""What was shown to whom."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin
from recommender.models import Impression


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
