"""The web admin: one site, for a tenant's people on its hosts and for operators on the installation's."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from kpplatform.console import dashboard
from kpplatform.console.forms import LoginForm, may_enter


class ConsoleSite(UnfoldAdminSite):
    login_form = LoginForm
    index_template = "console/index.html"
    login_template = "console/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request, request.user)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        tenant = request.tenant  # type: ignore[attr-defined]
        context: dict[str, Any] = super().each_context(request)
        return context | {"site_header": tenant.name if tenant else "kpplatform"}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        shown = dashboard.seen_by(request, at=timezone.now())
        answer: TemplateResponse = super().index(request, {"dashboard": shown, **(extra_context or {})})
        return answer
