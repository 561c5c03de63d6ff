"""What viewers decided about their feed, for staff to read."""

from django.contrib import admin

from kpplatform.tenancy.admin_base import TenantAdmin
from recommender.models import InterestChoice, PersonalisationRefusal, TasteReset


class OfViewer(TenantAdmin):
    """Rows that are found by their viewer."""

    list_select_related: tuple[str, ...] = ("viewer",)
    number_fields = ("pk", "viewer_id")


@admin.register(InterestChoice)
class InterestChoiceAdmin(OfViewer):
    list_display = ("viewer", "name", "is_wanted", "chosen_at")
    search_fields = ("^name",)
    list_filter = ("is_wanted", "chosen_at")


@admin.register(PersonalisationRefusal)
class PersonalisationRefusalAdmin(OfViewer):
    list_display = ("viewer", "refused_at")


@admin.register(TasteReset)
class TasteResetAdmin(OfViewer):
    list_display = ("viewer", "reset_at")
