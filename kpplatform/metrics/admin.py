from django.contrib import admin

from kpplatform.metrics.models import CountedDay, DailyFigure, Visit
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(DailyFigure)
class DailyFigureAdmin(TenantAdmin):
    """Every figure by itself; pages and API show them together."""

    own = "creator__member"
    list_display = ("day", "metric", "creator", "item", "part", "value")
    list_filter = ("metric",)
    list_select_related = ("creator", "item")


@admin.register(CountedDay)
class CountedDayAdmin(TenantAdmin):
    list_display = ("day", "counted_at")


@admin.register(Visit)
class VisitAdmin(TenantAdmin):
    list_display = ("visited_at", "page", "creator", "item", "product", "source")
    list_filter = ("page",)
    list_select_related = ("creator", "item", "product")
