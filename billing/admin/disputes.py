"""What buyers dispute, in the web admin: until when it is to be answered, what was held, what was said."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.decorators import display

from billing import queries
from billing.admin.books import money
from billing.models import Dispute, DisputeAnswer, DisputeEvidence, DisputePart
from billing.money import Money
from billing.operations import disputing
from kpplatform.tenancy.admin_base import TenantAdmin, database_for, labelled, staff

COLOURS = {"warning": "warning", "needs_response": "danger", "under_review": "info", "won": "success"}
STATE_COLOURS = COLOURS | {"lost": "danger", "closed": "success"}
ANSWER_COLOURS = {"done": "success", "failed": "danger", "unknown": "warning", "asked": "info", "submitted": "info"}
REMINDERS = {"due": gettext_noop("answer due"), "overdue": gettext_noop("overdue")}
REMINDER_COLOURS = {"due": "warning", "overdue": "danger"}


@admin.register(Dispute)
class DisputeAdmin(TenantAdmin):
    list_display = ("reference", "payment", money, "shown_state", "due_at", "shown_reminder", "shown_held", "opened_at")
    list_select_related = ("payment",)
    search_fields = ("^reference",)
    number_fields = ("pk", "payment_id")
    list_filter = ("state", "due_at", "opened_at")
    actions = ("add_what_we_know", "submit", "accept")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        rows: QuerySet[Dispute] = super().get_queryset(request)
        return rows.annotate(is_answered=queries.is_answered(using=database_for(request)))

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, dispute: Dispute) -> tuple[str, str]:
        return labelled(dispute.state, dispute.get_state_display())

    @display(description=_("held"))
    def shown_held(self, dispute: Dispute) -> str:
        return str(Money(dispute.held, dispute.currency))

    @display(description=_("reminder"), label=REMINDER_COLOURS)
    def shown_reminder(self, dispute: Any) -> tuple[str, str]:
        said = queries.reminder_of(dispute, is_answered=dispute.is_answered, at=timezone.now())
        return labelled(said, REMINDERS.get(said, ""))

    @admin.action(description=_("Add receipt and access log"), permissions=["staff"])
    def add_what_we_know(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> None:
        by, now = staff(request), timezone.now()

        def add(row: Dispute) -> None:
            for kind in (DisputeEvidence.Kind.RECEIPT, DisputeEvidence.Kind.ACCESS_LOG):
                disputing.add_evidence(dispute=row, by=by, kind=kind, at=now)

        self.do_each(request, queryset.select_related("payment__order"), add)

    @admin.action(description=_("Submit the evidence"), permissions=["staff"])
    def submit(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> None:
        by, now = staff(request), timezone.now()
        told: dict[str, Any] = {"by": by, "key": f"admin:{now.isoformat()}", "at": now}
        rows = queryset.select_related("payment__order")
        self.do_each(request, rows, lambda row: disputing.submit_evidence(dispute=row, **told))

    @admin.action(description=_("Accept: the buyer gets the money, a complaint is settled"), permissions=["staff"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> None:
        by, now = staff(request), timezone.now()
        told: dict[str, Any] = {"by": by, "key": f"admin:{now.isoformat()}", "at": now}
        rows = queryset.select_related("payment__order")
        self.do_each(request, rows, lambda row: disputing.accept_dispute(dispute=row, **told))


@admin.register(DisputePart)
class DisputePartAdmin(TenantAdmin):
    list_display = ("dispute", "line", money, "held_at", "journal", "released")
    list_select_related = ("dispute", "line__item", "line__product", "line__creator", "journal", "released")
    number_fields = ("pk", "dispute_id", "line_id")
    list_filter = ("held_at", ("released", admin.EmptyFieldListFilter))


@admin.register(DisputeEvidence)
class DisputeEvidenceAdmin(TenantAdmin):
    list_display = ("dispute", "kind", "content_type", "by", "added_at")
    list_select_related = ("dispute", "by")
    number_fields = ("pk", "dispute_id", "by_id")
    list_filter = ("kind", "added_at")
    exclude = ("content",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in super().get_readonly_fields(request, obj) if name != "content"]


@admin.register(DisputeAnswer)
class DisputeAnswerAdmin(TenantAdmin):
    list_display = ("dispute", "kind", "shown_state", "asked_by", "asked_at", "done_at", "reason")
    list_select_related = ("dispute", "asked_by")
    search_fields = ("^key",)
    number_fields = ("pk", "dispute_id", "asked_by_id")
    list_filter = ("kind", "state", "asked_at")

    @display(description=_("state"), label=ANSWER_COLOURS)
    def shown_state(self, answer: DisputeAnswer) -> tuple[str, str]:
        return labelled(answer.state, answer.get_state_display())
