"""What Idempotency-Keys were used for."""

from django.contrib import admin

from kpplatform.rest.models import KeyedRequest
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(KeyedRequest)
class KeyedRequestAdmin(TenantAdmin):
    fields = ("key", "member", "status", "asked_at")
    list_display = ("key", "member", "status", "asked_at")
    list_select_related = ("member",)
    search_fields = ("^key",)
    number_fields = ("pk", "member_id")
    list_filter = ("asked_at",)
