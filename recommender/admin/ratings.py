"""What counts how much as taste: the newest row holds, and staff add another to change it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from kpplatform.tenancy.admin_base import TenantAdmin, runs_the_tenant, staff
from recommender import operations, queries
from recommender.models import RatingMapping
from recommender.models.ratings import WEIGHED


@admin.register(RatingMapping)
class RatingMappingAdmin(TenantAdmin):
    list_display = ("__str__", *WEIGHED, "by", "why")
    list_select_related = ("by",)
    fields = (*WEIGHED, "why")
    list_filter = ("changed_at",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return runs_the_tenant(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return super().get_readonly_fields(request, obj) if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with what holds."""
        return dict(queries.ratings().weights)

    def save_model(self, request: HttpRequest, obj: RatingMapping, form: Any, change: bool) -> None:  # noqa: FBT001  Django's
        """Change what counts, as the API does."""
        said = dict(form.cleaned_data)
        why = said.pop("why", "")
        changed = operations.change_ratings(changes=said, by=staff(request), why=why, at=timezone.now())
        obj.pk, obj.changed_at = changed.pk, changed.changed_at

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave the journal to the rows."""
