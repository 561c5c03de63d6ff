"""How the feed is put together, changed by staff in a form, and the journal of that."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from kpplatform.tenancy.admin_base import TenantAdmin, runs_the_tenant, staff
from recommender import operations
from recommender.models import FeedSettings, FeedSettingsChange


@admin.register(FeedSettings)
class FeedSettingsAdmin(TenantAdmin):
    list_display = ("__str__", "personal", "popular", "fresh", "explored", "method", "diversity")
    exclude = ("changed_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["changed_at"] if self.has_change_permission(request) else super().get_readonly_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return runs_the_tenant(request) and not FeedSettings.objects.exists()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return runs_the_tenant(request)

    def save_model(self, request: HttpRequest, obj: FeedSettings, form: Any, change: bool) -> None:  # noqa: FBT001  Django's
        """Change what was changed in the form, as the API does."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        changed = operations.change_feed_settings(changes=changes, by=staff(request), why="console", at=timezone.now())
        obj.pk, obj.changed_at = changed.pk, changed.changed_at

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave the journal to the operation."""

    log_change = log_addition


@admin.register(FeedSettingsChange)
class FeedSettingsChangeAdmin(TenantAdmin):
    list_display = ("__str__", "by", "why", "changed_at")
    list_select_related = ("by",)
    list_filter = ("changed_at",)
