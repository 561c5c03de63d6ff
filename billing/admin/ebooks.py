"""E-books and who has copies of them."""

from django.contrib import admin

from billing.models import EbookCopy, EbookFile
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(EbookFile)
class EbookFileAdmin(TenantAdmin):
    own = "product__creator__member"
    list_display = ("product", "format", "size", "uploaded_by", "uploaded_at")
    list_select_related = ("product", "uploaded_by")
    number_fields = ("pk", "product_id")
    list_filter = ("format", "uploaded_at")


@admin.register(EbookCopy)
class EbookCopyAdmin(TenantAdmin):
    own = "product__creator__member"
    list_display = ("product", "viewer", "downloads", "granted_at", "last_at", "revoked_at")
    list_select_related = ("product", "viewer")
    number_fields = ("pk", "product_id", "viewer_id", "line_id")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
