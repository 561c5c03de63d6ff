"""What providers have reported, and where it differs from the books."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.actions import explain, resolve
from billing.models import ReconciliationException, ReconciliationRun, ReportRow
from kpplatform.tenancy.admin_base import TenantAdmin, labelled
from kpplatform.tenancy.admin_parts import WordsForm

STATE_COLOURS = {"open": "danger", "explained": "info", "resolved": "success"}


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(TenantAdmin):
    list_display = ("provider", "since", "until", "source", "rows", "matched", "made_at")
    list_filter = ("source", "made_at")


@admin.register(ReportRow)
class ReportRowAdmin(TenantAdmin):
    list_display = ("run", "kind", "reference", "key", "amount", "fee", "currency", "at")
    list_select_related = ("run",)
    search_fields = ("^reference", "^key")
    number_fields = ("pk", "run_id", "payment_id", "refund_id", "payout_id", "dispute_id", "split_id")
    list_filter = ("kind",)


@admin.register(ReconciliationException)
class ReconciliationExceptionAdmin(TenantAdmin):
    list_display = (
        "run",
        "kind",
        "shown_reason",
        "expected",
        "found",
        "currency",
        "shown_state",
        "note",
        "by",
        "opened_at",
    )
    list_select_related = ("run", "by")
    number_fields = ("pk", "run_id", "payment_id", "refund_id", "payout_id")
    list_filter = ("state", "reason", "kind", "opened_at")
    action_form = WordsForm
    actions = (explain, resolve)

    @display(description=_("reason"))
    def shown_reason(self, exception: ReconciliationException) -> str:
        return str(_(exception.get_reason_display()))

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, exception: ReconciliationException) -> tuple[str, str]:
        return labelled(exception.state, exception.get_state_display())
