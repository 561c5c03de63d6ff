"""Handing taxes over: what is owed, what is drafted, and that it was paid; for the tenant's staff."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.payout_serializers import CURRENCIES
from billing.api.views import MoneyViewSet
from billing.models import Remittance
from billing.money import Money
from billing.operations.prices import MOST
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.serializers import In
from kpplatform.tenancy.scope import current_tenant


class RemittanceIn(In):
    of = serializers.ChoiceField(Remittance.Tax.choices)
    month = serializers.DateField(help_text="Any day of it: what was owed until its end.")
    currency = serializers.ChoiceField(CURRENCIES, required=False, help_text="The tenant's, if not given.")
    amount = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST, help_text="In minor units; none: all that is owed."
    )


class ReceiptIn(In):
    reference = serializers.CharField(max_length=100, help_text="The number of the tax office's receipt.")


class WithdrawnIn(In):
    reason = serializers.CharField(max_length=200)


class RemittanceOut(serializers.ModelSerializer[Remittance]):
    class Meta:
        model = Remittance
        fields = [
            "id", "of", "month", "amount", "currency", "state", "reference", "reason", "drafted_at", "decided_at",
        ]  # fmt: skip


class OwedOut(serializers.Serializer[Any]):
    of = serializers.ChoiceField(Remittance.Tax.choices)
    currency = serializers.CharField()
    owed = serializers.IntegerField(help_text="In all, in minor units.")
    due = serializers.IntegerField(help_text="Of it: until the end of last month, and not drafted yet.")


class RemittanceViewSet(MoneyViewSet):
    queryset = Remittance.objects.none()
    lookup_value_converter = "int"

    def remittance(self, pk: int) -> Remittance:
        must_run_the_tenant(self.viewer)
        return get_object_or_404(queries.handed_over(), pk=pk)

    @extend_schema(responses=RemittanceOut(many=True))
    def list(self, request: Request) -> Response:
        """What was handed over to the tax office and is to be, newest first."""
        must_run_the_tenant(self.viewer)
        return self.page(queries.handed_over(), RemittanceOut)

    @extend_schema(responses=RemittanceOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(RemittanceOut(self.remittance(pk)).data)

    @extend_schema(responses=OwedOut(many=True))
    @action(detail=False, methods=["get"])
    def owed(self, request: Request) -> Response:
        """What is owed of each tax."""
        must_run_the_tenant(self.viewer)
        return Response(OwedOut(queries.taxes_owed(timezone.now()), many=True).data)

    @extend_schema(request=RemittanceIn, responses={201: RemittanceOut})
    def create(self, request: Request) -> Response:
        """Draft what is to be handed over."""
        ask = {"currency": current_tenant().currency, "amount": None} | self.sent(RemittanceIn)
        ask["amount"] = ask["amount"] and Money(ask["amount"], ask["currency"])
        drafted = operations.papers.draft_remittance(by=self.viewer, key=self.key(), at=timezone.now(), **ask)
        return Response(RemittanceOut(drafted).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReceiptIn, responses=RemittanceOut)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: int) -> Response:
        """Say that it was paid; above the tenant's limit somebody else than who drafted it."""
        told = {"by": self.viewer, "at": timezone.now(), **self.sent(ReceiptIn)}
        return Response(
            RemittanceOut(operations.papers.confirm_remittance(remittance=self.remittance(pk), **told)).data
        )

    @extend_schema(request=WithdrawnIn, responses=RemittanceOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Give a draft up that was not paid."""
        told = {"by": self.viewer, "at": timezone.now(), "why": self.sent(WithdrawnIn)["reason"]}
        return Response(
            RemittanceOut(operations.papers.withdraw_remittance(remittance=self.remittance(pk), **told)).data
        )
