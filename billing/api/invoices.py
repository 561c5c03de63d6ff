"""Taxes, billing addresses, invoices and credit notes, and asking for a 发票."""

import csv
import io
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.invoice_sheet import pdf_of
from billing.api.views import MoneyViewSet
from billing.models import BillingProfile, Invoice, InvoiceRequest, Order, TaxRule
from billing.money import Money
from billing.operations.staff import StaffOnly
from kpplatform.rest.serializers import In
from kpplatform.rest.sheets import plain
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.models import ApiToken

PLACE = r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"


class TaxRuleIn(In):
    place = serializers.RegexField(PLACE, required=False, help_text="CN, CN-31; none: wherever no other rule holds.")
    bps = serializers.IntegerField(min_value=0, max_value=10_000, help_text="600 is six percent.")
    is_exclusive = serializers.BooleanField(default=False, help_text="Added to the price.")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True)


class TaxRuleOut(serializers.ModelSerializer[TaxRule]):
    class Meta:
        model = TaxRule
        fields = ["id", "place", "bps", "is_exclusive", "starts_on", "ends_on"]


class BillingIn(In):
    place = serializers.RegexField(PLACE, required=False)
    title = serializers.CharField(required=False, max_length=100)
    tax_id = serializers.CharField(required=False, max_length=20)


class BillingOut(serializers.ModelSerializer[BillingProfile]):
    class Meta:
        model = BillingProfile
        fields = ["place", "title", "tax_id"]


class InvoiceOut(serializers.ModelSerializer[Invoice]):
    name = serializers.CharField(source="__str__")
    order = serializers.IntegerField(source="order_id")
    refund = serializers.IntegerField(source="refund_id", allow_null=True)
    dispute = serializers.IntegerField(source="lost.dispute_id", default=None, help_text="That was lost, if any.")
    seller = serializers.DictField()
    buyer = serializers.DictField()
    lines = serializers.ListField(child=serializers.DictField())
    issued_on = serializers.SerializerMethodField(help_text="The day of it, where the tenant is.")

    class Meta:
        model = Invoice
        fields = [
            "id", "name", "kind", "series", "number", "order", "refund", "dispute", "seller", "buyer", "lines",
            "amount", "tax", "currency", "issued_at", "issued_on",
        ]  # fmt: skip

    def get_issued_on(self, invoice: Invoice) -> date:
        return queries.tenants_time(invoice.issued_at).date()


class InvoiceRequestIn(In):
    order = serializers.IntegerField()
    title = serializers.CharField(max_length=100)
    tax_id = serializers.CharField(required=False, max_length=20, help_text="Of a company; none: for a person.")


class IssuedIn(In):
    number = serializers.CharField(max_length=30)


class RejectedIn(In):
    reason = serializers.CharField(max_length=200)


class InvoiceRequestOut(serializers.ModelSerializer[InvoiceRequest]):
    order = serializers.IntegerField(source="order_id")

    class Meta:
        model = InvoiceRequest
        fields = ["id", "order", "title", "tax_id", "state", "number", "reason", "asked_at"]


class TaxRuleViewSet(MoneyViewSet):
    @extend_schema(responses=TaxRuleOut(many=True))
    def list(self, request: Request) -> Response:
        """What tax was, is and will be due where: for the tenant's staff."""
        if not self.viewer.runs_the_tenant:
            raise StaffOnly("Only the tenant's staff see its taxes.")
        return self.page(queries.tax_rules(), TaxRuleOut)

    @extend_schema(request=TaxRuleIn, responses={201: TaxRuleOut})
    def create(self, request: Request) -> Response:
        """Ask for a tax from a day on: for the tenant's staff. A rule without an end ends the day before."""
        ask: dict[str, Any] = {"place": "", "ends_on": None} | self.sent(TaxRuleIn)
        rule = operations.papers.set_tax_rule(by=self.viewer, at=timezone.now(), **ask)
        return Response(TaxRuleOut(rule).data, status=status.HTTP_201_CREATED)


class BillingView(SignedIn):
    """To whom and where the purchases of who asks are billed."""

    write_scope = ApiToken.Scope.MONEY

    @extend_schema(operation_id="billing", responses=BillingOut)
    def get(self, request: Request) -> Response:
        profile = BillingProfile.objects.filter(member=self.viewer).first()
        return Response(BillingOut(profile or BillingProfile()).data)

    @extend_schema(operation_id="billing_update", request=BillingIn, responses=BillingOut)
    def put(self, request: Request) -> Response:
        """Bill so from now on; a tax id is checked."""
        ask = {"place": "", "title": "", "tax_id": ""} | self.sent(BillingIn)
        return Response(BillingOut(operations.papers.bill_to(member=self.viewer, at=timezone.now(), **ask)).data)


class InvoiceViewSet(MoneyViewSet):
    queryset = Invoice.objects.none()
    lookup_value_converter = "int"

    def invoice(self, pk: int) -> Invoice:
        return get_object_or_404(queries.invoices_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=InvoiceOut(many=True))
    def list(self, request: Request) -> Response:
        """The invoices and credit notes of who asks, newest first; all of them for the tenant's staff."""
        return self.page(queries.invoices_seen_by(self.viewer), InvoiceOut)

    @extend_schema(responses=InvoiceOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One invoice or credit note."""
        return Response(InvoiceOut(self.invoice(pk)).data)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, methods=["get"])
    def csv(self, request: Request, pk: int) -> HttpResponse:
        """Its lines as a table, in minor units."""
        invoice, written = self.invoice(pk), io.StringIO()
        rows = csv.writer(written)
        rows.writerow(["number", "issued_at", "title", "amount", "tax", "currency", "invoice"])
        for line in invoice.lines:
            title = plain(line["title"])
            told = [str(invoice), invoice.issued_at.isoformat(), title, line["amount"], line["tax"], invoice.currency]
            rows.writerow([*told, line.get("invoice", "")])
        named = {"Content-Disposition": f'attachment; filename="{invoice}.csv"'}
        return HttpResponse(written.getvalue(), content_type="text/csv; charset=utf-8", headers=named)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: int) -> HttpResponse:
        """It as PDF."""
        invoice = self.invoice(pk)
        named = {"Content-Disposition": f'attachment; filename="{invoice}.pdf"'}
        return HttpResponse(pdf_of(invoice), content_type="application/pdf", headers=named)

    @extend_schema(responses={(200, "text/html"): OpenApiTypes.STR})
    @action(detail=True, methods=["get"])
    def printed(self, request: Request, pk: int) -> HttpResponse:
        """It as a page to print."""
        invoice = self.invoice(pk)
        lines = [
            {
                "title": line["title"],
                "invoice": line.get("invoice", ""),
                "amount": Money(line["amount"], invoice.currency),
                "tax": Money(line["tax"], invoice.currency),
            }
            for line in invoice.lines
        ]
        shown = {"invoice": invoice, "lines": lines, "tax": Money(invoice.tax, invoice.currency)}
        shown |= {"kind": gettext(invoice.get_kind_display()), "day": queries.tenants_time(invoice.issued_at).date()}
        return render(request, "billing/invoice.html", shown)


class InvoiceRequestViewSet(MoneyViewSet):
    queryset = InvoiceRequest.objects.none()
    lookup_value_converter = "int"

    def asked(self, pk: int) -> InvoiceRequest:
        return get_object_or_404(queries.invoice_requests_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=InvoiceRequestOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks has asked for, newest first; all of it for the tenant's staff."""
        return self.page(queries.invoice_requests_seen_by(self.viewer), InvoiceRequestOut)

    @extend_schema(request=InvoiceRequestIn, responses={201: InvoiceRequestOut})
    def create(self, request: Request) -> Response:
        """Ask for the 发票 of a paid order: to a person, or with a tax id to a company."""
        ask = self.sent(InvoiceRequestIn)
        ask["order"] = get_object_or_404(Order.objects.filter(viewer=self.viewer), pk=ask["order"])
        asked = operations.papers.ask_for_invoice(by=self.viewer, at=timezone.now(), **ask)
        return Response(InvoiceRequestOut(asked).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=IssuedIn, responses=InvoiceRequestOut)
    @action(detail=True, methods=["post"])
    def issue(self, request: Request, pk: int) -> Response:
        """Say which 发票 was issued: for the tenant's staff."""
        number = self.sent(IssuedIn)["number"]
        asked = operations.papers.issue_requested(
            asked=self.asked(pk), by=self.viewer, number=number, at=timezone.now()
        )
        return Response(InvoiceRequestOut(asked).data)

    @extend_schema(request=RejectedIn, responses=InvoiceRequestOut)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: int) -> Response:
        """Say why there is none: for the tenant's staff. The buyer may ask again."""
        reason = self.sent(RejectedIn)["reason"]
        asked = operations.papers.reject_requested(
            asked=self.asked(pk), by=self.viewer, reason=reason, at=timezone.now()
        )
        return Response(InvoiceRequestOut(asked).data)
