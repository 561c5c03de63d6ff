"""Connect a payment provider, and say where new orders are paid. Secrets go in here and never come out."""

from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.views import MoneyViewSet
from billing.models import ProviderAccount
from billing.operations.payments import webhook_url
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.permissions import IsPerson
from kpplatform.rest.serializers import In


class ProviderAccountIn(In):
    provider = serializers.ChoiceField(ProviderAccount.Provider.choices)
    public = serializers.DictField(child=serializers.CharField(max_length=10_000), required=False)
    secrets = serializers.DictField(
        child=serializers.CharField(max_length=10_000), required=False, help_text="Never shown again."
    )
    is_checkout = serializers.BooleanField(required=False, help_text="New orders are paid here from now on.")


class ProviderAccountOut(serializers.ModelSerializer[ProviderAccount]):
    changed_by = serializers.IntegerField(source="changed_by_id")
    webhook_url = serializers.SerializerMethodField(help_text="Where the provider is to send its messages.")

    class Meta:
        model = ProviderAccount
        fields = ["id", "provider", "public", "is_checkout", "changed_by", "changed_at", "webhook_url"]

    def get_webhook_url(self, account: ProviderAccount) -> str:
        return f"{self.webhooks}{account.provider}/"

    @cached_property
    def webhooks(self) -> str:
        return webhook_url("").removesuffix("/")


class ProviderAccountViewSet(MoneyViewSet):
    permission_classes = (IsPerson,)

    @extend_schema(responses=ProviderAccountOut(many=True))
    def list(self, request: Request) -> Response:
        """The tenant's accounts with payment providers, without their secrets: for its staff."""
        must_run_the_tenant(self.viewer)
        return self.page(queries.provider_accounts(), ProviderAccountOut)

    @extend_schema(request=ProviderAccountIn, responses={201: ProviderAccountOut})
    def create(self, request: Request) -> Response:
        """Connect a provider or change its credentials; what is not sent stays. For the tenant's admins."""
        ask: dict[str, Any] = self.sent(ProviderAccountIn)
        now, chosen = timezone.now(), {"by": self.viewer, "provider": ask["provider"]}
        account = operations.connect_provider(
            **chosen, public=ask.get("public", {}), secrets=ask.get("secrets", {}), at=now
        )
        if ask.get("is_checkout"):
            account = operations.choose_checkout(**chosen, at=now)
        return Response(ProviderAccountOut(account).data, status=status.HTTP_201_CREATED)
