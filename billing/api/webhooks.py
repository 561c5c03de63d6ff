"""Where payment providers tell what happened."""

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from billing import operations, providers
from billing.api.serializers import ReceivedOut
from billing.providers.sandbox.signing import HEADER
from kpplatform.errors import NotFound
from kpplatform.tenancy.scope import tenant_or_none


class UnknownHost(NotFound):
    code = "unknown_host"


class SandboxWebhook(APIView):
    """Let in who signs as the provider does; nobody signs in here."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()  # the provider delivers for everybody from one address

    @extend_schema(
        operation_id="webhooks_sandbox",
        auth=[],
        parameters=[OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER, description="t=…,v1=…")],
        request=OpenApiTypes.OBJECT,
        responses=ReceivedOut,
    )
    def post(self, request: Request) -> Response:
        """Take a signed message in: stored at once, worked through later."""
        tenant = tenant_or_none()
        if tenant is None:
            raise UnknownHost("No tenant is reached under this host.")
        body, now = request.body, timezone.now()
        event_id = providers.provider_of(tenant).verify(headers=request.headers, body=body, at=now)
        operations.receive_event(provider=providers.SANDBOX, event_id=event_id, body=body, at=now)
        return Response(ReceivedOut({"received": True}).data)
