"""Statements of use: read them, take them away as files."""

from collections.abc import Iterator
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ads import queries
from billing.ads.models import UseLine, UseOfCampaign, UseStatement
from billing.api.settlements import file
from billing.api.statements import COLUMNS, MOST_PRINTED, Cells, TooLongToPrint, drawn, written
from billing.api.views import MoneyViewSet
from kpplatform.rest.sheets import plain

SUMMARY = ("opening", "movements", "closing")
OF_CAMPAIGNS = ("charged", "tax", "credited")


class UseLineOut(serializers.ModelSerializer[UseLine]):
    class Meta:
        model = UseLine
        fields = ["kind", "count", "amount"]


class UseOfCampaignOut(serializers.ModelSerializer[UseOfCampaign]):
    name = serializers.CharField(source="campaign.name")

    class Meta:
        model = UseOfCampaign
        fields = ["campaign", "name", "charged", "tax", "credited"]


class UseStatementOut(serializers.ModelSerializer[UseStatement]):
    number = serializers.CharField(source="__str__")
    month = serializers.CharField(source="period.__str__")
    lines = UseLineOut(many=True)
    campaigns = UseOfCampaignOut(many=True)

    class Meta:
        model = UseStatement
        fields = [
            "id", "number", "month", "advertiser", "currency", "seller", "buyer", "opening", "movements", "closing",
            "issued_at", "lines", "campaigns",
        ]  # fmt: skip


class UseStatementViewSet(MoneyViewSet):
    queryset = UseStatement.objects.none()
    lookup_value_converter = "int"

    def statement(self, pk: int) -> UseStatement:
        return get_object_or_404(queries.use_statements_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=UseStatementOut(many=True))
    def list(self, request: Request) -> Response:
        """What an advertiser used, month by month, the newest first; to staff of all."""
        return self.page(queries.use_statements_seen_by(self.viewer), UseStatementOut)

    @extend_schema(responses=UseStatementOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One month. It is no invoice: what is paid in has one."""
        return Response(UseStatementOut(self.statement(pk)).data)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def csv(self, request: Request, pk: int) -> Any:
        """The month with every movement, as CSV."""
        return file(written(rows_of(self.statement(pk))), pk, "text/csv; charset=utf-8", "csv")

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: int) -> Any:
        """The month with every movement, as PDF."""
        return file(iter([pdf_of(self.statement(pk))]), pk, "application/pdf", "pdf")


def rows_of(statement: UseStatement) -> Iterator[Cells]:
    """Yield a statement's rows: whose it is, its sums, its kinds, its campaigns, and every movement."""
    issued = f"{statement.issued_at:%Y-%m-%dT%H:%M:%SZ}"
    yield COLUMNS
    yield ("statement", f"{statement.period}", "", statement.currency, issued, "", "", str(statement))
    for part, party in (("seller", statement.seller), ("buyer", statement.buyer)):
        yield (part, party.get("tax_id", ""), "", "", "", "", party.get("place", ""), plain(party["name"]))
    for name in SUMMARY:
        yield ("sum", name, "", str(getattr(statement, name)), "", "", "", "")
    for line in sorted(statement.lines.all(), key=lambda line: line.kind):
        yield ("kind", line.kind, str(line.count), str(line.amount), "", "", "", "")
    for use in sorted(statement.campaigns.all(), key=lambda use: use.campaign_id):
        of = (str(use.campaign_id), "", plain(use.campaign.name))
        yield from (("campaign", name, "", str(getattr(use, name)), "", *of) for name in OF_CAMPAIGNS)
    for entry in queries.use_entries(statement):
        when = f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}"
        yield ("entry", entry.kind, "", str(entry.amount), when, str(entry.seq), "", entry.key)


def pdf_of(statement: UseStatement) -> bytes:
    """Return the statement as PDF: the same rows, the same bytes each time. Raises TooLongToPrint."""
    if sum(line.count for line in statement.lines.all()) > MOST_PRINTED:
        raise TooLongToPrint(f"A statement of more than {MOST_PRINTED} movements is to be had as CSV.")
    return drawn(f"广告使用对账单（非发票） Statement of use (no invoice)  {statement}", rows_of(statement))
