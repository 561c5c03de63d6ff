"""A no is a problem document (RFC 9457) with a code."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from kpplatform.errors import Refused

MEDIA_TYPE = "application/problem+json"


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The body is too large."


SAME_AS: dict[type[Exception], type[exceptions.APIException]] = {
    Http404: exceptions.NotFound,
    PermissionDenied: exceptions.PermissionDenied,
    RequestDataTooBig: TooLarge,
}


def problem(raised: Exception, context: dict[str, Any]) -> Response | None:
    """Return the problem document of a refusal; None for a bug, which becomes a 500."""
    if isinstance(raised, Refused):
        return document(status=raised.status, code=raised.code, detail=raised.detail)
    raised = SAME_AS[type(raised)]() if type(raised) in SAME_AS else raised
    response = exception_handler(raised, context)
    if response is None or not isinstance(raised, exceptions.APIException):
        return response
    if isinstance(raised, exceptions.ValidationError):
        fields = response.data if isinstance(response.data, dict) else {"body": response.data}
        return document(status=400, code="invalid", detail="Some fields are not as they must be.", fields=fields)
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
    """Return a problem document as a view's answer."""
    return Response(_said(status, code, detail) | more, status=status, content_type=MEDIA_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for a request that Django itself does not take."""
    if not _by_program(request):
        return defaults.bad_request(request, exception)
    return _plain(400, "bad_request", "This request makes no sense.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _by_program(request):
        return defaults.permission_denied(request, exception)
    return _plain(403, "forbidden", "This is not allowed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _by_program(request):
        return defaults.page_not_found(request, exception)
    return _plain(404, "unknown_path", "There is nothing under this path.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a bug of ours. What it had begun is taken back by the transaction around the request."""
    if not _by_program(request):
        return defaults.server_error(request)
    return _plain(500, "bug", "This is our mistake. It has been written down, and nothing was changed.")


def _by_program(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/_allauth/"))


def _plain(status: int, code: str, detail: str) -> HttpResponse:
    return JsonResponse(_said(status, code, detail), status=status, content_type=MEDIA_TYPE)


def _said(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
