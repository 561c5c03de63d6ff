"""A no is a problem document (RFC 9457) with a code."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from kpplatform.errors import Refused

MEDIA_TYPE = "application/problem+json"


def problem(raised: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem document of a refusal; None for a bug, which becomes a 500."""
    if isinstance(raised, Refused):
        return document(status=raised.status, code=raised.code, detail=raised.detail)
    if isinstance(raised, Http404):
        raised = exceptions.NotFound()
    elif isinstance(raised, PermissionDenied):
        raised = exceptions.PermissionDenied()
    response = exception_handler(raised, context)
    if response is None or not isinstance(raised, exceptions.APIException):
        return response
    if isinstance(raised, exceptions.ValidationError):
        fields = response.data if isinstance(response.data, dict) else {"body": response.data}
        body = document(status=400, code="invalid", detail="Some fields are not as they must be.", fields=fields)
    else:
        code = raised.get_codes()
        body = document(
            status=response.status_code,
            code=code if isinstance(code, str) else "refused",
            detail=str(raised.detail),
        )
    for header in ("WWW-Authenticate", "Retry-After"):
        if header in response.headers:
            body[header] = response.headers[header]
    return body


def document(*, status: int, code: str, detail: str, **more: Any) -> Response:
    """Return a problem document."""
    titles = {
        400: "Bad request",
        401: "Not signed in",
        402: "Payment needed",
        403: "Forbidden",
        404: "Not found",
    }
    body = {"type": "about:blank", "title": titles.get(status, "Refused"), "status": status, "code": code}
    return Response(body | {"detail": detail} | more, status=status, content_type=MEDIA_TYPE)
