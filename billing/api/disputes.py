"""Disputes: see how they stand, collect what speaks against them, answer or accept them."""

from base64 import b64decode
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import queries
from billing.api.views import MoneyViewSet
from billing.models import Dispute, DisputeAnswer, DisputeEvidence, DisputePart, StateChange
from billing.operations import disputing
from billing.operations.dispute_answers import LONGEST
from billing.operations.offline import MOST_BYTES
from kpplatform.rest.serializers import Asked, In


class DisputesIn(Asked):
    state = serializers.ChoiceField(Dispute.State.choices, required=False)


class EvidenceIn(In):
    kind = serializers.ChoiceField(DisputeEvidence.Kind.choices, help_text="We write receipt and access log.")
    text = serializers.CharField(max_length=LONGEST, required=False)
    file = serializers.CharField(
        required=False, max_length=MOST_BYTES * 4 // 3 + 4, help_text="A PNG, JPEG or PDF, in base64."
    )


class EvidenceOut(serializers.ModelSerializer[DisputeEvidence]):
    by = serializers.IntegerField(source="by_id")

    class Meta:
        model = DisputeEvidence
        fields = ["id", "kind", "text", "content_type", "by", "added_at"]


class DisputeAnswerOut(serializers.ModelSerializer[DisputeAnswer]):
    by = serializers.IntegerField(source="asked_by_id")

    class Meta:
        model = DisputeAnswer
        fields = ["id", "kind", "state", "reason", "by", "asked_at", "done_at"]


class DisputePartOut(serializers.ModelSerializer[DisputePart]):
    line = serializers.IntegerField(source="line_id")
    is_released = serializers.SerializerMethodField()

    class Meta:
        model = DisputePart
        fields = ["line", "amount", "held_at", "is_released"]

    def get_is_released(self, part: DisputePart) -> bool:
        return part.released_id is not None


class DisputeChangeOut(serializers.ModelSerializer[StateChange]):
    by = serializers.CharField(source="by.name", allow_null=True, default=None)

    class Meta:
        model = StateChange
        fields = ["before", "after", "by", "why", "changed_at"]


class DisputeOut(serializers.ModelSerializer[Dispute]):
    order = serializers.IntegerField(source="payment.order_id")
    provider = serializers.CharField(source="payment.provider")
    reminder = serializers.SerializerMethodField(help_text="due within three days, or overdue; else empty")

    class Meta:
        model = Dispute
        fields = [
            "id", "order", "provider", "reference", "reason", "amount", "currency", "held", "state", "due_at",
            "reminder", "fee", "fee_back", "fee_by", "opened_at", "withdrawn_at", "reinstated_at", "decided_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.ChoiceField(["", "due", "overdue"]))
    def get_reminder(self, dispute: Any) -> str:
        return queries.reminder_of(dispute, is_answered=dispute.is_answered, at=timezone.now())


class DisputeWholeOut(DisputeOut):
    parts = DisputePartOut(many=True)
    evidence = EvidenceOut(many=True)
    answers = DisputeAnswerOut(many=True)
    changes = DisputeChangeOut(many=True)

    class Meta(DisputeOut.Meta):
        fields = [*DisputeOut.Meta.fields, "parts", "evidence", "answers", "changes"]


class DisputeViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def dispute(self, pk: int) -> Dispute:
        return get_object_or_404(queries.disputes_seen_by(self.viewer), pk=pk)

    @extend_schema(parameters=[DisputesIn], responses=DisputeOut(many=True))
    def list(self, request: Request) -> Response:
        """The disputes, newest first, with a reminder where an answer is due; a creator sees those of own sales."""
        asked = DisputesIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.page(queries.disputes_seen_by(self.viewer, asked.validated_data.get("state")), DisputeOut)

    @extend_schema(responses=DisputeWholeOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One dispute, with what was held of whom, the evidence, and what became of it, when and why."""
        dispute: Any = get_object_or_404(queries.whole_disputes(self.viewer), pk=pk)
        dispute.changes = queries.changes_of_dispute(dispute)
        return Response(DisputeWholeOut(dispute).data)

    @extend_schema(request=EvidenceIn, responses={201: EvidenceOut})
    @action(detail=True, methods=["post"])
    def evidence(self, request: Request, pk: int) -> Response:
        """Add something that speaks against it: words, a file, the receipt, or when the buyer watched."""
        dispute, ask = self.dispute(pk), self.sent(EvidenceIn)
        try:
            content = b64decode(ask.get("file", ""), validate=True)
        except ValueError as error:
            raise disputing.BadEvidence("The file is not in base64.") from error
        told = {"kind": ask["kind"], "text": ask.get("text", ""), "content": content}
        added = disputing.add_evidence(dispute=dispute, by=self.viewer, at=timezone.now(), **told)
        return Response(EvidenceOut(added).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={201: DisputeAnswerOut})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: int) -> Response:
        """Have the provider told all the evidence that was added."""
        asked: dict[str, Any] = {"by": self.viewer, "key": self.key(), "at": timezone.now()}
        answer = disputing.submit_evidence(dispute=self.dispute(pk), **asked)
        return Response(DisputeAnswerOut(answer).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={201: DisputeAnswerOut})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: int) -> Response:
        """Let the buyer have the money, or say that a complaint is settled, which moves none: staff."""
        asked: dict[str, Any] = {"by": self.viewer, "key": self.key(), "at": timezone.now()}
        answer = disputing.accept_dispute(dispute=self.dispute(pk), **asked)
        return Response(DisputeAnswerOut(answer).data, status=status.HTTP_201_CREATED)


class DisputeFileViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def retrieve(self, request: Request, pk: int) -> HttpResponse:
        """The file of a piece of evidence, as an attachment."""
        kept = get_object_or_404(queries.evidence_files(self.viewer), pk=pk)
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(bytes(kept.content), content_type=kept.content_type, headers=headers)
