"""The books, to be read: balances of one's own, and the ledger for the tenant's staff."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import queries
from billing.api.serializers import BalanceOut, JournalOut
from billing.api.views import MoneyViewSet
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.models import ApiToken


class BalanceOfKindOut(serializers.Serializer[queries.BalanceOfKind]):
    currency = serializers.CharField()
    kind = serializers.CharField()
    accounts = serializers.IntegerField(help_text="How many there are of this kind.")
    debits = serializers.IntegerField(help_text="In minor units.")
    credits = serializers.IntegerField(help_text="In minor units.")
    balance = serializers.IntegerField(help_text="Credits less debits.")


class TrialBalanceOut(serializers.Serializer[Any]):
    kinds = BalanceOfKindOut(many=True)


class BalanceViewSet(MoneyViewSet):
    @extend_schema(responses=BalanceOut(many=True))
    def list(self, request: Request) -> Response:
        """What the creator that who asks runs has earned, and what is in their own wallet."""
        return self.page(queries.balances_of(self.viewer), BalanceOut)


class JournalViewSet(MoneyViewSet):
    @extend_schema(responses=JournalOut(many=True))
    def list(self, request: Request) -> Response:
        """The tenant's ledger, the latest first: for its staff."""
        must_run_the_tenant(self.viewer)
        return self.page(queries.journals(), JournalOut)


class TrialBalanceView(SignedIn):
    """The sums of the tenant's accounts: for its staff."""

    write_scope = ApiToken.Scope.MONEY

    @extend_schema(operation_id="trial_balance", responses=TrialBalanceOut)
    def get(self, request: Request) -> Response:
        """All accounts by currency and kind; per currency, all debits are all credits."""
        must_run_the_tenant(self.viewer)
        return Response(TrialBalanceOut({"kinds": queries.trial_balance()}).data)
