"""Host name → tenant → scope, around everything else that a request does."""

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import split_domain_port

from kpplatform.tenancy.queries import tenant_of
from kpplatform.tenancy.scope import scope

Serve = Callable[[HttpRequest], HttpResponse]


class TenantMiddleware:
    """Open the scope of the tenant that the host name belongs to.

    The installation's own hosts (the operators' admin, health, API docs) have no tenant and see no tenant's row.
    """

    def __init__(self, get_response: Serve) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host, _ = split_domain_port(request.get_host())
        is_ours = host in settings.INSTALLATION_HOSTS
        tenant = None if is_ours else tenant_of(host)
        request.tenant = tenant  # type: ignore[attr-defined]  # the one attribute that we add
        if tenant is None:
            return self.get_response(request) if is_ours else unknown_host(host)
        with scope(tenant):
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)  # Nothing half-written outlives a bug.
            return response


def unknown_host(host: str) -> HttpResponse:
    """Answer for a host name that belongs to nobody here."""
    problem = {"type": "about:blank", "title": "Not found", "status": 404, "code": "unknown_host"}
    detail = f"No tenant is reached under {host}."
    return JsonResponse(problem | {"detail": detail}, status=404, content_type="application/problem+json")
