"""The journal of what was served when, in the web admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy.admin_base import TenantAdmin
from recommender.models import VersionChange


@admin.register(VersionChange)
class VersionChangeAdmin(TenantAdmin):
    list_display = ("version", "before", "after", "of_the_viewers", "by", "why", "changed_at")
    list_select_related = ("version", "by")
    number_fields = ("pk", "version_id")
    list_filter = ("after", "changed_at")

    @display(description=_("share"))
    def of_the_viewers(self, change: VersionChange) -> str:
        return "" if change.share is None else f"{change.share:.0%}"
