"""Where payment providers tell what happened."""

from typing import Any, ClassVar

from django.http.response import HttpResponse, HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import operations, providers
from billing.api.serializers import ReceivedOut
from billing.providers import stripe, wechatpay
from billing.providers.sandbox import signing
from kpplatform.errors import NotFound
from kpplatform.tenancy.scope import tenant_or_none


class UnknownHost(NotFound):
    code = "unknown_host"


class Webhook(APIView):
    """Let in who signs as the tenant's provider does; nobody signs in here."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()  # the provider delivers for everybody from one address
    provider: ClassVar[str]

    def post(self, request: Request) -> HttpResponseBase:
        """Take a signed message in: stored at once, worked through later."""
        tenant = tenant_or_none()
        if tenant is None:
            raise UnknownHost("No tenant is reached under this host.")
        body, now = request.body, timezone.now()
        driver = providers.provider_for(tenant, self.provider)
        event_id = driver.verify(headers=request.headers, body=body, at=now)
        operations.receive_event(provider=self.provider, event_id=event_id, body=body, at=now)
        return self.receipt()

    def receipt(self) -> HttpResponseBase:
        return Response(ReceivedOut({"received": True}).data)


def _described(name: str, *headers: str) -> Any:
    signed = [OpenApiParameter(header, OpenApiTypes.STR, OpenApiParameter.HEADER) for header in headers]
    return extend_schema(
        operation_id=f"webhooks_{name}",
        auth=[],
        parameters=signed,
        request=OpenApiTypes.OBJECT,
        responses=ReceivedOut,
    )


@extend_schema_view(post=_described(providers.SANDBOX, signing.HEADER))
class SandboxWebhook(Webhook):
    provider = providers.SANDBOX


@extend_schema_view(post=_described("stripe", stripe.HEADER))
class StripeWebhook(Webhook):
    provider = "stripe"


@extend_schema_view(post=_described("wechatpay", *wechatpay.HEADERS))
class WechatWebhook(Webhook):
    provider = "wechatpay"


@extend_schema_view(post=_described("alipay"))
class AlipayWebhook(Webhook):
    provider = "alipay"

    def receipt(self) -> HttpResponseBase:
        return HttpResponse("success", content_type="text/plain")  # with any other word it comes again
