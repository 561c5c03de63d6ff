"""What is asked for money, what was answered, and what became of what."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.models import Consultation, ConsultationEntry, ConsultationOffer, StateChange
from kpplatform.tenancy.admin_base import TenantAdmin, labelled

COLOURS = {
    "asked": "warning",
    "answered": "success",
    "followed_up": "warning",
    "expired": "danger",
    "cancelled": "danger",
}


@admin.register(ConsultationOffer)
class ConsultationOfferAdmin(TenantAdmin):
    own = "product__creator__member"
    list_display = ("product", "kind", "hours", "follow_ups")
    list_select_related = ("product",)
    search_fields = ("product__title",)
    number_fields = ("pk", "product_id")
    list_filter = ("kind",)


@admin.register(Consultation)
class ConsultationAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("__str__", "viewer", "creator", "shown_state", "due_at", "follow_ups_left", "rating")
    list_select_related = ("viewer", "creator")
    search_fields = ("viewer__name", "creator__name")
    number_fields = ("pk", "viewer_id", "creator_id", "line_id")
    list_filter = ("state", "due_at")

    @display(description=_("state"), label=COLOURS)
    def shown_state(self, asked: Consultation) -> tuple[str, str]:
        return labelled(asked.state, asked.get_state_display())


@admin.register(ConsultationEntry)
class ConsultationEntryAdmin(TenantAdmin):
    own = "consultation__creator__member"
    list_display = ("consultation", "kind", "version", "by", "written_at")
    list_select_related = ("consultation", "by")
    number_fields = ("pk", "consultation_id", "by_id")
    list_filter = ("kind", "written_at")


@admin.register(StateChange)
class StateChangeAdmin(TenantAdmin):
    list_display = ("of", "row", "before", "after", "by", "why", "changed_at")
    list_select_related = ("by",)
    number_fields = ("pk", "row", "by_id")
    list_filter = ("of", "after", "changed_at")
