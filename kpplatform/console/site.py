"""The web admin: one site, for a tenant's people on its hosts and for operators on the installation's."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from kpplatform.console import dashboard
from kpplatform.console.forms import LoginForm, may_enter
from kpplatform.console.names import FLOORS
from kpplatform.tenancy.admin_base import OperatorAdmin


class ConsoleSite(UnfoldAdminSite):
    index_title = _("Overview")
    login_form = LoginForm
    index_template = "console/index.html"
    login_template = "console/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request, request.user)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        tenant = request.tenant  # type: ignore[attr-defined]
        context: dict[str, Any] = super().each_context(request)
        return context | {"site_header": tenant.name if tenant else "kpplatform"}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take the pages that know about tenants; those of libraries do not, and show and change too much."""
        if admin_class is not None and issubclass(admin_class, OperatorAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Order the floors from the ground up."""
        floors: list[Any] = super().get_app_list(request, app_label)
        return sorted(floors, key=lambda floor: list(FLOORS).index(floor["app_label"]))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        shown = dashboard.seen_by(request, at=timezone.now())
        answer: TemplateResponse = super().index(request, {"dashboard": shown, **(extra_context or {})})
        return answer
