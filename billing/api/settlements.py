"""Statements: read them, take them away as files, close a month."""

from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.statements import csv_of, pdf_of
from billing.api.views import MoneyViewSet
from billing.models import Settlement, SettlementLine, SettlementPeriod
from billing.operations import paying
from kpplatform.rest.serializers import In
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import current_tenant, scope


class MonthIn(In):
    month = serializers.DateField(help_text="Any day of it.")


class SettlementPeriodOut(serializers.ModelSerializer[SettlementPeriod]):
    month = serializers.CharField(source="__str__")

    class Meta:
        model = SettlementPeriod
        fields = ["id", "month", "ends_at", "head_seq", "issued_at"]


class SettlementLineOut(serializers.ModelSerializer[SettlementLine]):
    class Meta:
        model = SettlementLine
        fields = ["kind", "count", "amount"]


class SettlementOut(serializers.ModelSerializer[Settlement]):
    month = serializers.CharField(source="period.__str__")
    creator = serializers.CharField(source="creator.handle")
    issued_at = serializers.DateTimeField(source="period.issued_at")
    head_seq = serializers.IntegerField(source="period.head_seq", help_text="The ledger's last journal then …")
    head_link = serializers.SerializerMethodField(help_text="… and the hash of all up to it.")
    lines = SettlementLineOut(many=True)

    class Meta:
        model = Settlement
        fields = [
            "id", "month", "creator", "currency", "opening", "movements", "closing", "pending", "available", "reserve",
            "in_transit", "debt", "issued_at", "head_seq", "head_link", "lines",
        ]  # fmt: skip

    def get_head_link(self, settlement: Settlement) -> str:
        return bytes(settlement.period.head_link).hex()


class SettlementViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def settlement(self, pk: int) -> Settlement:
        return get_object_or_404(queries.settlements_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=SettlementOut(many=True))
    def list(self, request: Request) -> Response:
        """The statements of the creator that who asks runs, newest first; all of them for staff."""
        return self.page(queries.settlements_seen_by(self.viewer), SettlementOut)

    @extend_schema(responses=SettlementOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One statement: what there was, what moved by kind, what there is and where."""
        return Response(SettlementOut(self.settlement(pk)).data)

    @extend_schema(request=MonthIn, responses={201: SettlementPeriodOut})
    def create(self, request: Request) -> Response:
        """Close a month that is over, and issue its statements: staff. It also happens by itself."""
        if not self.viewer.runs_the_tenant:
            raise operations.StaffOnly("Only the tenant's staff close a month.")
        period = paying.settle(month=self.sent(MonthIn)["month"], at=timezone.now())
        return Response(SettlementPeriodOut(period).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def csv(self, request: Request, pk: int) -> Any:
        """The statement with every movement, as CSV."""
        return file(csv_of(self.settlement(pk)), pk, "text/csv; charset=utf-8", "csv")

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: int) -> Any:
        """The statement with every movement, as PDF."""
        return file(iter([pdf_of(self.settlement(pk))]), pk, "application/pdf", "pdf")


def file(said: Iterator[bytes], pk: int, kind: str, ending: str) -> StreamingHttpResponse:
    """Answer with a file to keep, as it is written: however long it is, little of it is held at once."""
    named = {"Content-Disposition": f'attachment; filename="statement-{pk}.{ending}"'}
    return StreamingHttpResponse(_in_scope(current_tenant(), said), content_type=kind, headers=named)


def _in_scope(tenant: Tenant, said: Iterator[bytes]) -> Iterator[bytes]:
    """Yield it in the tenant's scope: the request's own has ended before the first byte is read."""
    with scope(tenant):
        yield from said
