"""Statements, in the web admin."""

from django.contrib import admin

from billing.admin.books import money
from billing.models import Settlement, SettlementLine, SettlementPeriod
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(SettlementPeriod)
class SettlementPeriodAdmin(TenantAdmin):
    list_display = ("__str__", "ends_at", "head_seq", "issued_at")


@admin.register(Settlement)
class SettlementAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("period", "creator", "opening", "movements", "closing", money)
    list_select_related = ("period", "creator")
    search_fields = ("creator__name",)
    number_fields = ("pk", "creator_id", "period_id")
    list_filter = ("currency",)


@admin.register(SettlementLine)
class SettlementLineAdmin(TenantAdmin):
    own = "settlement__creator__member"
    list_display = ("settlement", "kind", "count", "amount")
    list_select_related = ("settlement",)
    number_fields = ("pk", "settlement_id")
