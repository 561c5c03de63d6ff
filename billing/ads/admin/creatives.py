"""What is to be shown: staff look at it first."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.ads import operations
from billing.ads.models import ChanceModel, Creative
from kpplatform.tenancy.admin_base import TenantAdmin, staff


@admin.register(Creative)
class CreativeAdmin(TenantAdmin):
    list_display = ("title", "flight", "format", "state", "link_url", "views", "clicks", "made_at")
    list_select_related = ("flight",)
    search_fields = ("title", "text")
    number_fields = ("pk", "flight_id")
    list_filter = ("state", "format")
    actions = ("approve", "reject")

    @admin.action(description=_("Approve"), permissions=["staff"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Creative]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda of: operations.approve_creative(creative=of, by=by, at=now))

    @admin.action(description=_("Reject"), permissions=["staff"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Creative]) -> None:
        by, now, why = staff(request), timezone.now(), "in the admin"
        self.do_each(request, queryset, lambda of: operations.reject_creative(creative=of, by=by, reason=why, at=now))


@admin.register(ChanceModel)
class ChanceModelAdmin(TenantAdmin):
    list_display = ("fitted_at", "everyone", "views", "judged_views", "error", "counted_error")
