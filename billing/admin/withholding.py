"""What is withheld of creators, and as what they are taxed."""

from django.contrib import admin

from billing.models import Payee, WithholdingRule
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(WithholdingRule)
class WithholdingRuleAdmin(TenantAdmin):
    list_display = ("place", "kind", "bps", "threshold", "currency", "starts_on", "ends_on", "by")
    list_select_related = ("by",)
    search_fields = ("place",)
    list_filter = ("kind",)


@admin.register(Payee)
class PayeeAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("creator", "place", "kind", "tax_id", "by", "made_at")
    list_select_related = ("creator", "by")
    search_fields = ("^tax_id", "creator__name")
    number_fields = ("pk", "creator_id")
    list_filter = ("kind",)
