"""What turned out to be no viewer after it was billed, and what came back for it."""

from django.contrib import admin

from billing.ads.models import CreditPart, InvalidEvent, ShareBack
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(InvalidEvent)
class InvalidEventAdmin(TenantAdmin):
    list_display = ("offer", "flight", "price", "note", "by", "found_at")
    list_select_related = ("offer", "flight", "by")
    number_fields = ("pk", "offer_id", "flight_id")
    list_filter = ("found_at",)


@admin.register(CreditPart)
class CreditPartAdmin(TenantAdmin):
    list_display = ("credit", "flight", "day", "amount", "tax", "sharing")
    list_select_related = ("credit", "flight", "sharing")
    number_fields = ("pk", "credit_id", "flight_id")
    list_filter = ("day",)


@admin.register(ShareBack)
class ShareBackAdmin(TenantAdmin):
    list_display = ("share", "credit", "amount")
    list_select_related = ("share__creator", "credit")
    number_fields = ("pk", "share_id", "credit_id")
