"""Statements, in the web admin: read, taken away, and months to close."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.books import money
from billing.admin.inlines import StatementLines
from billing.models import Settlement, SettlementLine, SettlementPeriod
from billing.operations import paying
from kpplatform.tenancy.admin_base import TenantAdmin
from kpplatform.tenancy.admin_parts import PressedAdmin, linked


@admin.register(SettlementPeriod)
class SettlementPeriodAdmin(PressedAdmin):
    button = _("Close the next month")
    explained = _("Issues the statements of the first month that is over and not closed. It also happens by itself.")
    list_display = ("__str__", "ends_at", "head_seq", "issued_at")

    def press(self, request: HttpRequest) -> str:
        closed = paying.settle_all(at=timezone.now())
        return gettext("%(month)s was closed.") % {"month": closed} if closed else gettext("No month is to be closed.")


@admin.register(Settlement)
class SettlementAdmin(TenantAdmin):
    own = "creator__member"
    inlines = (StatementLines,)
    list_display = ("period", "creator", "opening", "movements", "closing", money, "files")
    list_select_related = ("period", "creator")
    search_fields = ("creator__name",)
    number_fields = ("pk", "creator_id", "period_id")
    list_filter = ("currency",)

    @display(description=_("files"))
    def files(self, statement: Settlement) -> str:
        csv, pdf = (reverse(f"settlement-{kind}", args=[statement.pk]) for kind in ("csv", "pdf"))
        return linked(CSV=csv, PDF=pdf)


@admin.register(SettlementLine)
class SettlementLineAdmin(TenantAdmin):
    own = "settlement__creator__member"
    list_display = ("settlement", "kind", "count", "amount")
    list_select_related = ("settlement",)
    number_fields = ("pk", "settlement_id")
