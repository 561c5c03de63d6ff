"""The OpenAPI description: what every operation shares is said once, here."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from kpplatform.rest.keyed import LONGEST_KEY, Keyed
from kpplatform.rest.serializers import Problem

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Sent again with the same key, the request is not done again but answered again.",
    pattern=rf"^[!-~]{{1,{LONGEST_KEY}}}$",
)


class Schema(AutoSchema):
    """Adds the problem document to every operation, and the Idempotency-Key to every write of a keyed view."""

    def get_override_parameters(self) -> list[Any]:
        keyed = isinstance(self.view, Keyed) and self.view.is_keyed and self.method not in {"GET", "HEAD", "OPTIONS"}
        return [IDEMPOTENCY_KEY] if keyed else []

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        describe: Any = self._get_response_for_code
        refusal = describe(
            OpenApiResponse(Problem, "Refused, with a code."), "default", ["application/problem+json"], direction
        )
        return bodies | {"default": refusal}


class TokenScheme(OpenApiAuthenticationExtension):
    """A program's API token."""

    target_class = "kpplatform.rest.authentication.TokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A scoped API token: `Bearer kp_…`."}


def without_titles(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Leave out the columns' names for people: they depend on the language of whoever asks."""
    for schema in result["components"].get("schemas", {}).values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)
    return result
