"""What is withheld of creators: the rules, as what creators are taxed, and what was withheld of one's own."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.invoices import PLACE
from billing.api.payout_serializers import CURRENCIES
from billing.api.views import MoneyViewSet
from billing.models import Payee, WithholdingRule
from billing.money import Money
from billing.operations.prices import MOST
from billing.operations.staff import StaffOnly
from creators.models import Creator
from kpplatform.rest.serializers import In
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.scope import current_tenant


class WithholdingRuleIn(In):
    place = serializers.RegexField(PLACE, required=False, help_text="CN, CN-31; none: wherever no other rule holds.")
    kind = serializers.ChoiceField(Payee.Kind.choices, required=False, help_text="None: of both kinds.")
    currency = serializers.ChoiceField(CURRENCIES, required=False, help_text="The tenant's, if not given.")
    bps = serializers.IntegerField(min_value=0, max_value=10_000, help_text="2000 is twenty percent.")
    threshold = serializers.IntegerField(
        min_value=0, max_value=MOST, default=0, help_text="So much a month is free, in minor units."
    )
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True)


class WithholdingRuleOut(serializers.ModelSerializer[WithholdingRule]):
    class Meta:
        model = WithholdingRule
        fields = ["id", "place", "kind", "currency", "bps", "threshold", "starts_on", "ends_on"]


class PayeeIn(In):
    creator = serializers.SlugField()
    place = serializers.RegexField(PLACE, required=False, help_text="None: where the tenant is.")
    kind = serializers.ChoiceField(Payee.Kind.choices)
    tax_id = serializers.CharField(required=False, max_length=20)


class PayeeOut(serializers.ModelSerializer[Payee]):
    creator = serializers.CharField(source="creator.handle")

    class Meta:
        model = Payee
        fields = ["id", "creator", "place", "kind", "tax_id", "made_at"]


class WithheldOut(serializers.Serializer[Any]):
    year = serializers.IntegerField()
    currency = serializers.CharField()
    gross = serializers.IntegerField(help_text="What was paid out before tax, in minor units …")
    withheld = serializers.IntegerField(source="kept", help_text="… and how much of it was withheld.")


class WithholdingRuleViewSet(MoneyViewSet):
    @extend_schema(responses=WithholdingRuleOut(many=True))
    def list(self, request: Request) -> Response:
        """What was, is and will be withheld of whom: for the tenant's staff."""
        if not self.viewer.runs_the_tenant:
            raise StaffOnly("Only the tenant's staff see what is withheld of whom.")
        return self.page(queries.withholding_rules(), WithholdingRuleOut)

    @extend_schema(request=WithholdingRuleIn, responses={201: WithholdingRuleOut})
    def create(self, request: Request) -> Response:
        """Withhold so much from a day on: for the tenant's staff. A rule without an end ends the day before."""
        usual = {"place": "", "kind": "", "ends_on": None, "currency": current_tenant().currency}
        ask: dict[str, Any] = usual | self.sent(WithholdingRuleIn)
        ask["threshold"] = Money(ask["threshold"], ask.pop("currency"))
        rule = operations.papers.set_withholding_rule(by=self.viewer, at=timezone.now(), **ask)
        return Response(WithholdingRuleOut(rule).data, status=status.HTTP_201_CREATED)


class PayeeViewSet(MoneyViewSet):
    @extend_schema(responses=PayeeOut(many=True))
    def list(self, request: Request) -> Response:
        """As what the creator that who asks runs was and is taxed, newest first; every creator, for staff."""
        return self.page(queries.payees_seen_by(self.viewer), PayeeOut)

    @extend_schema(request=PayeeIn, responses={201: PayeeOut})
    def create(self, request: Request) -> Response:
        """Tax a creator so from now on: for the tenant's staff, who have seen the papers."""
        ask: dict[str, Any] = {"place": "", "tax_id": ""} | self.sent(PayeeIn)
        ask["creator"] = get_object_or_404(Creator, handle=ask["creator"])
        payee = operations.papers.tax_as(by=self.viewer, at=timezone.now(), **ask)
        return Response(PayeeOut(payee).data, status=status.HTTP_201_CREATED)


class WithheldView(SignedIn):
    """What was withheld of the creator that who asks runs."""

    @extend_schema(operation_id="withheld", responses=WithheldOut(many=True))
    def get(self, request: Request) -> Response:
        """By year and currency: what was paid out before tax, and how much of it was withheld."""
        return Response(WithheldOut(queries.withheld_of(self.viewer), many=True).data)
