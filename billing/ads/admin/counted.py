"""How many places found an ad, what stays of old offers, and who changed the rules."""

from django.contrib import admin

from billing.ads.models import AdRulesChange, OfferDay, PlaceCount
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(PlaceCount)
class PlaceCountAdmin(TenantAdmin):
    list_display = ("day", "hour", "placement", "outcome", "places")
    list_filter = ("outcome", "day")


@admin.register(OfferDay)
class OfferDayAdmin(TenantAdmin):
    list_display = ("flight", "day", "offers", "views", "clicks", "held", "billed", "spent", "gone")
    list_select_related = ("flight",)
    number_fields = ("pk", "flight_id")
    list_filter = ("day",)


@admin.register(AdRulesChange)
class AdRulesChangeAdmin(TenantAdmin):
    list_display = ("__str__", "by", "why", "changed_at")
    list_select_related = ("by",)
    list_filter = ("changed_at",)
