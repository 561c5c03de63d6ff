"""What providers report, beside the books: for the tenant's staff."""

from collections.abc import Mapping
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import parsers, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, providers, queries
from billing.api.views import MoneyViewSet
from billing.models import ProviderAccount, ReconciliationException, ReconciliationRun
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.problems import TooLarge
from kpplatform.rest.serializers import Asked, In

CHUNK, MOST_BYTES = 1 << 20, 200 << 20


class ProviderReportIn(In):
    provider = serializers.ChoiceField(ProviderAccount.Provider.choices)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    csv = serializers.CharField(
        max_length=2_000_000,
        trim_whitespace=False,
        help_text="Columns kind (payment, refund, payout, reversal, fee, dispute, reinstated, split, split_back, "
        "other), reference, key, amount, fee, currency, at, amounts in minor units; or what the provider writes.",
    )


class ReportFileIn(Asked):
    provider = serializers.ChoiceField(ProviderAccount.Provider.choices)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()


class ReconciliationOut(serializers.ModelSerializer[ReconciliationRun]):
    by = serializers.IntegerField(source="by_id", allow_null=True)

    class Meta:
        model = ReconciliationRun
        fields = ["id", "provider", "since", "until", "source", "by", "rows", "matched", "made_at"]


class ExceptionsIn(Asked):
    state = serializers.ChoiceField(ReconciliationException.State.choices, required=False)


class ExplanationIn(In):
    note = serializers.CharField(max_length=500)
    is_resolved = serializers.BooleanField(required=False, help_text="It has been made good, not only explained.")


class ReconciliationExceptionOut(serializers.ModelSerializer[ReconciliationException]):
    run = serializers.IntegerField(source="run_id")
    provider = serializers.CharField(source="run.provider")
    reference = serializers.CharField(source="row.reference", default="")
    payment = serializers.IntegerField(source="payment_id", allow_null=True)
    refund = serializers.IntegerField(source="refund_id", allow_null=True)
    payout = serializers.IntegerField(source="payout_id", allow_null=True)
    dispute = serializers.IntegerField(source="dispute_id", allow_null=True)
    split = serializers.IntegerField(source="split_id", allow_null=True)
    split_return = serializers.IntegerField(source="split_return_id", allow_null=True)
    by = serializers.IntegerField(source="by_id", allow_null=True)

    class Meta:
        model = ReconciliationException
        fields = [
            "id", "run", "provider", "reason", "kind", "reference", "payment", "refund", "payout", "dispute", "split",
            "split_return", "expected", "found", "currency", "state", "note", "by", "opened_at", "changed_at",
        ]  # fmt: skip


class StaffViewSet(MoneyViewSet):
    """Only who runs the tenant may look."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        must_run_the_tenant(self.viewer)


class ReconciliationViewSet(StaffViewSet):
    @extend_schema(responses=ReconciliationOut(many=True))
    def list(self, request: Request) -> Response:
        """The reports that were compared with the books, newest first."""
        return self.page(queries.reconciliation_runs(), ReconciliationOut)

    @extend_schema(request=ProviderReportIn, responses={201: ReconciliationOut})
    def create(self, request: Request) -> Response:
        """Compare a provider's report, as CSV, with the books; each difference is listed."""
        ask = self.sent(ProviderReportIn)
        span = {name: ask[name] for name in ("provider", "since", "until")}
        rows = providers.read_file(BytesIO(ask["csv"].encode()), provider=ask["provider"])
        report = operations.Report(**span, rows=rows, by=self.viewer)
        run = operations.reconcile(report=report, at=timezone.now())
        return Response(ReconciliationOut(run).data, status=status.HTTP_201_CREATED)


class ReportFileParser(parsers.BaseParser):
    """Write a file to disk as it comes, up to what a report may have; it is gone when it was read."""

    media_type = "application/octet-stream"
    most = MOST_BYTES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        file, size = TemporaryFile(), 0  # noqa: SIM115  whoever reads it closes it
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > self.most:
                file.close()
                raise TooLarge
            file.write(chunk)
        file.seek(0)
        return {"file": file}


class ReportFileViewSet(StaffViewSet):
    parser_classes = [ReportFileParser]

    @extend_schema(
        parameters=[ReportFileIn],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: ReconciliationOut},
    )
    def create(self, request: Request) -> Response:
        """Compare a provider's own report file with the books: as it was downloaded there, packed or not."""
        asked = ReportFileIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        sent = request.data.get("file") if isinstance(request.data, dict) else None
        with sent or BytesIO() as file:
            rows = providers.read_file(file, provider=asked.validated_data["provider"])
            report = operations.Report(**asked.validated_data, rows=rows, by=self.viewer)
            run = operations.reconcile(report=report, at=timezone.now())
        return Response(ReconciliationOut(run).data, status=status.HTTP_201_CREATED)


class ReconciliationExceptionViewSet(StaffViewSet):
    lookup_value_converter = "int"

    @extend_schema(parameters=[ExceptionsIn], responses=ReconciliationExceptionOut(many=True))
    def list(self, request: Request) -> Response:
        """The differences, newest first."""
        asked = ExceptionsIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = queries.reconciliation_exceptions(asked.validated_data.get("state"))
        return self.page(found, ReconciliationExceptionOut)

    @extend_schema(request=ExplanationIn, responses=ReconciliationExceptionOut)
    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: int) -> Response:
        """Note why there is a difference, or that it has been made good."""
        found = get_object_or_404(queries.reconciliation_exceptions(), pk=pk)
        ask = self.sent(ExplanationIn)
        done = operations.explain(
            exception=found,
            by=self.viewer,
            note=ask["note"],
            is_resolved=ask.get("is_resolved", False),
            at=timezone.now(),
        )
        return Response(ReconciliationExceptionOut(done).data)
