from django.contrib import admin

from kpplatform.metrics.models import CountedDay, DailyFigure, Visit, WeeklyReport
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(DailyFigure)
class DailyFigureAdmin(TenantAdmin):
    """Every figure by itself; pages and API show them together."""

    own = "creator__member"
    list_display = ("day", "metric", "creator", "item", "part", "value")
    list_filter = ("metric", "day")
    list_select_related = ("creator", "item")
    number_fields = ("pk", "creator_id", "item_id")


@admin.register(CountedDay)
class CountedDayAdmin(TenantAdmin):
    list_display = ("day", "counted_at")
    list_filter = ("day",)


@admin.register(WeeklyReport)
class WeeklyReportAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("week", "creator", "made_at")
    list_select_related = ("creator",)
    number_fields = ("pk", "creator_id")
    list_filter = ("week",)


@admin.register(Visit)
class VisitAdmin(TenantAdmin):
    """Who looked is staff's to see: creators have the figures."""

    list_display = ("viewer", "page", "creator", "item", "product", "source", "visited_at")
    list_select_related = ("viewer", "creator", "item", "product")
    number_fields = ("pk", "viewer_id", "creator_id", "item_id")
    list_filter = ("page", "visited_at")
