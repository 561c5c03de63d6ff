"""What buyers have shown for payments by bank, and what staff have said about it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing import operations
from billing.models import PaymentProof, ProofDecision
from kpplatform.tenancy.admin_base import TenantAdmin, labelled, staff

STATE_COLOURS = {"waiting": "warning", "approved": "success", "rejected": "danger"}


@admin.register(PaymentProof)
class PaymentProofAdmin(TenantAdmin):
    list_display = ("reference", "payment", "shown_amount", "shown_state", "sent_by", "sent_at", "decided_at")
    list_select_related = ("payment", "sent_by")
    search_fields = ("^reference",)
    number_fields = ("pk", "payment_id")
    list_filter = ("state", "sent_at")
    exclude = ("content",)
    actions = ("approve",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in super().get_readonly_fields(request, obj) if name != "content"]

    @display(description=_("amount"))
    def shown_amount(self, proof: PaymentProof) -> str:
        return str(proof.payment.money)

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, proof: PaymentProof) -> tuple[str, str]:
        return labelled(proof.state, proof.get_state_display())

    @admin.action(description=_("Approve the payment"), permissions=["staff"])
    def approve(self, request: HttpRequest, queryset: QuerySet[PaymentProof]) -> None:
        now, by = timezone.now(), staff(request)
        self.do_each(
            request,
            queryset,
            lambda proof: operations.decide_proof(proof=proof, by=by, is_approved=True, why="", at=now),
        )


@admin.register(ProofDecision)
class ProofDecisionAdmin(TenantAdmin):
    list_display = ("proof", "by", "is_approved", "why", "decided_at")
    list_select_related = ("proof", "by")
    number_fields = ("pk", "proof_id", "by_id")
