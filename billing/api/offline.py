"""Pay by bank: where to, the buyer's proof, and what staff say about it."""

from base64 import b64decode
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.serializers import RefundOut
from billing.api.views import MoneyViewSet
from billing.models import PaymentProof, ProofDecision, Refund
from billing.operations.offline import MOST_BYTES, BadProof
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.serializers import In
from kpplatform.rest.views import SignedIn


class ProofIn(In):
    order = serializers.IntegerField()
    reference = serializers.CharField(max_length=100, help_text="The bank's.")
    file = serializers.CharField(
        required=False, max_length=MOST_BYTES * 4 // 3 + 4, help_text="A PNG, JPEG or PDF, in base64."
    )


class ProofDecisionIn(In):
    is_approved = serializers.BooleanField()
    why = serializers.CharField(required=False, max_length=300)


class RefundConfirmationIn(In):
    reference = serializers.CharField(max_length=100, help_text="The bank's.")


class ProofDecisionOut(serializers.ModelSerializer[ProofDecision]):
    by = serializers.IntegerField(source="by_id")

    class Meta:
        model = ProofDecision
        fields = ["by", "is_approved", "why", "decided_at"]


class ProofOut(serializers.ModelSerializer[PaymentProof]):
    order = serializers.IntegerField(source="payment.order_id")
    amount = serializers.IntegerField(source="payment.amount")
    currency = serializers.CharField(source="payment.currency")
    decisions = ProofDecisionOut(many=True)

    class Meta:
        model = PaymentProof
        fields = [
            "id", "order", "amount", "currency", "reference", "content_type", "state", "sent_at", "decided_at",
            "decisions",
        ]  # fmt: skip


class BankAccountOut(serializers.Serializer[Any]):
    instructions = serializers.CharField(allow_blank=True, help_text="Empty: nothing is paid by bank here.")


class BankAccountView(SignedIn):
    """The tenant's own bank account."""

    @extend_schema(operation_id="bank_account", responses=BankAccountOut)
    def get(self, request: Request) -> Response:
        """Where to send the money of an order that is paid by bank."""
        return Response(BankAccountOut({"instructions": queries.bank_instructions()}).data)


class PaymentProofViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def proof(self, pk: int) -> PaymentProof:
        return get_object_or_404(queries.proofs_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=ProofOut(many=True))
    def list(self, request: Request) -> Response:
        """The proofs of who asks, or all of them for the tenant's staff, newest first."""
        return self.page(queries.proofs_seen_by(self.viewer), ProofOut)

    @extend_schema(request=ProofIn, responses={201: ProofOut})
    def create(self, request: Request) -> Response:
        """Show that an order was paid by bank: the reference, and perhaps a picture."""
        ask: dict[str, Any] = self.sent(ProofIn)
        try:
            content = b64decode(ask.get("file", ""), validate=True)
        except ValueError as error:
            raise BadProof("The file is not base64.") from error
        order = get_object_or_404(queries.orders_of(self.viewer), pk=ask["order"])
        sent = operations.send_proof(
            order=order, by=self.viewer, reference=ask["reference"], content=content, at=timezone.now()
        )
        return Response(ProofOut(self.proof(sent.pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ProofDecisionIn, responses=ProofOut)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: int) -> Response:
        """Approve or reject a proof: for the tenant's staff, above its limit two of them."""
        proof, ask = self.proof(pk), self.sent(ProofDecisionIn)
        said = {"is_approved": ask["is_approved"], "why": ask.get("why", "")}
        operations.decide_proof(proof=proof, by=self.viewer, **said, at=timezone.now())
        return Response(ProofOut(self.proof(pk)).data)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def file(self, request: Request, pk: int) -> HttpResponse:
        """The picture or PDF that was shown."""
        proof = self.proof(pk)
        kind = proof.content_type or "application/octet-stream"
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(bytes(proof.content), content_type=kind, headers=headers)


class OfflineRefundViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    @extend_schema(request=RefundConfirmationIn, responses=RefundOut)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: int) -> Response:
        """Say that the bank has sent a refund: for the tenant's staff."""
        must_run_the_tenant(self.viewer)
        refund = get_object_or_404(Refund.objects.select_related("line__order"), pk=pk)
        ask = self.sent(RefundConfirmationIn)
        done = operations.confirm_refund(refund=refund, by=self.viewer, reference=ask["reference"], at=timezone.now())
        return Response(RefundOut(done).data)
