"""What was charged, shared and credited."""

from django.contrib import admin

from billing.ads.models import Charge, Credit, Share, Sharing
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(Charge)
class ChargeAdmin(TenantAdmin):
    list_display = ("flight", "day", "amount", "tax", "currency", "charged_at")
    list_select_related = ("flight",)
    number_fields = ("pk", "flight_id", "journal_id")
    list_filter = ("day", "currency")


@admin.register(Credit)
class CreditAdmin(TenantAdmin):
    list_display = ("advertiser", "campaign", "reason", "note", "amount", "currency", "by", "credited_at")
    list_select_related = ("advertiser", "campaign", "by")
    search_fields = ("advertiser__name", "note")
    number_fields = ("pk", "campaign_id", "journal_id")
    list_filter = ("reason",)


@admin.register(Sharing)
class SharingAdmin(TenantAdmin):
    list_display = ("day", "currency", "amount", "creators", "views", "shared_at")
    list_filter = ("day", "currency")


@admin.register(Share)
class ShareAdmin(TenantAdmin):
    list_display = ("sharing", "creator", "views", "amount")
    list_select_related = ("sharing", "creator")
    search_fields = ("creator__name", "creator__handle")
    number_fields = ("pk", "creator_id", "sharing_id")
