"""Taxes, invoices, and who wants a 发票."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.books import money
from billing.models import BillingProfile, Invoice, InvoiceRequest, InvoiceSeries, TaxRule
from kpplatform.tenancy.admin_base import TenantAdmin, labelled

COLOURS = {"asked": "warning", "issued": "success", "rejected": "danger"}


@admin.register(TaxRule)
class TaxRuleAdmin(TenantAdmin):
    list_display = ("place", "bps", "is_exclusive", "starts_on", "ends_on", "by", "made_at")
    list_select_related = ("by",)
    search_fields = ("place",)
    list_filter = ("is_exclusive",)


@admin.register(BillingProfile)
class BillingProfileAdmin(TenantAdmin):
    list_display = ("member", "place", "title", "tax_id", "changed_at")
    list_select_related = ("member",)
    search_fields = ("title", "^tax_id", "member__name")
    number_fields = ("pk", "member_id")


@admin.register(InvoiceSeries)
class InvoiceSeriesAdmin(TenantAdmin):
    list_display = ("series", "last")
    search_fields = ("^series",)


@admin.register(Invoice)
class InvoiceAdmin(TenantAdmin):
    list_display = ("__str__", "kind", "order", money, "tax", "issued_at")
    list_select_related = ("order",)
    number_fields = ("pk", "number", "order_id", "refund_id")
    list_filter = ("kind", "issued_at")


@admin.register(InvoiceRequest)
class InvoiceRequestAdmin(TenantAdmin):
    list_display = ("order", "viewer", "title", "tax_id", "shown_state", "number", "reason", "asked_at")
    list_select_related = ("order", "viewer")
    search_fields = ("title", "^tax_id", "^number")
    number_fields = ("pk", "order_id", "viewer_id")
    list_filter = ("state", "asked_at")

    @display(description=_("state"), label=COLOURS)
    def shown_state(self, asked: InvoiceRequest) -> tuple[str, str]:
        return labelled(asked.state, asked.get_state_display())
