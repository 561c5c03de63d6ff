"""What advertisers used, month by month."""

from django.contrib import admin

from billing.ads.models import UseLine, UseOfCampaign, UseStatement
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(UseStatement)
class UseStatementAdmin(TenantAdmin):
    list_display = ("__str__", "period", "advertiser", "currency", "opening", "movements", "closing", "issued_at")
    list_select_related = ("period", "advertiser")
    search_fields = ("advertiser__name",)
    number_fields = ("pk", "advertiser_id", "period_id")
    list_filter = ("currency",)


@admin.register(UseLine)
class UseLineAdmin(TenantAdmin):
    list_display = ("statement", "kind", "count", "amount")
    list_select_related = ("statement__period",)
    number_fields = ("statement_id",)
    list_filter = ("kind",)


@admin.register(UseOfCampaign)
class UseOfCampaignAdmin(TenantAdmin):
    list_display = ("statement", "campaign", "charged", "tax", "credited")
    list_select_related = ("statement__period", "campaign")
    number_fields = ("statement_id", "campaign_id")
