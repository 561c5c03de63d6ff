"""Taxes handed over, in the web admin: drafted by a button, confirmed with the receipt's number."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing import queries
from billing.admin.books import money
from billing.models import Remittance
from billing.operations import papers
from kpplatform.tenancy.admin_base import labelled, staff
from kpplatform.tenancy.admin_parts import PressedAdmin, WordsForm, words_of

COLOURS = {"draft": "warning", "paid": "success", "withdrawn": "danger"}


@admin.register(Remittance)
class RemittanceAdmin(PressedAdmin):
    button = _("Draft what is owed for last month")
    explained = _("Each tax in each currency. When it was paid, confirm it with the receipt's number as the note.")
    list_display = ("of", "month", money, "shown_state", "reference", "drafted_by", "decided_by", "decided_at")
    list_select_related = ("drafted_by", "decided_by")
    search_fields = ("^reference",)
    list_filter = ("state", "of", "month")
    action_form = WordsForm
    actions = ("confirm", "withdraw")

    @display(description=_("state"), label=COLOURS)
    def shown_state(self, remittance: Remittance) -> tuple[str, str]:
        return labelled(remittance.state, remittance.get_state_display())

    def press(self, request: HttpRequest) -> str:
        now = timezone.now()
        last = queries.tenants_time(now).date().replace(day=1) - timedelta(days=1)
        owed = [row for row in queries.taxes_owed(now) if row.due]
        for row in owed:
            named: dict[str, Any] = {"of": row.of, "currency": row.currency, "month": last, "amount": None}
            key = f"console:{now.isoformat()}:{row.of}:{row.currency}"
            papers.draft_remittance(by=staff(request), key=key, at=now, **named)
        return gettext("Drafted: %(number)s.") % {"number": len(owed)}

    @admin.action(description=_("It was paid: the receipt's number is the note"), permissions=["staff"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Remittance]) -> None:
        told: dict[str, Any] = {"by": staff(request), "reference": words_of(request), "at": timezone.now()}
        self.do_each(request, queryset, lambda row: papers.confirm_remittance(remittance=row, **told))

    @admin.action(description=_("Give up"), permissions=["staff"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Remittance]) -> None:
        told: dict[str, Any] = {"by": staff(request), "why": words_of(request) or "given up", "at": timezone.now()}
        self.do_each(request, queryset, lambda row: papers.withdraw_remittance(remittance=row, **told))
