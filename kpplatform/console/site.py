"""The web admin: one site, for a tenant's people on its hosts and for operators on the installation's."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from kpplatform.console import dashboard, views
from kpplatform.console.forms import LoginForm, may_enter
from kpplatform.console.names import FLOORS
from kpplatform.console.pages import PAGES
from kpplatform.console.pages.shapes import Audience
from kpplatform.tenancy.admin_base import OperatorAdmin

GROUPS = {
    Audience.CREATOR: _("Studio"),
    Audience.STAFF: _("Figures of the site"),
    Audience.OPERATOR: _("The installation"),
}


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

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("figures/<slug:slug>/", self.admin_view(self.figures), name="figures"), *super().get_urls()]

    def figures(self, request: HttpRequest, slug: str) -> TemplateResponse:
        return views.figures(request, slug, self.each_context(request))

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Put the pages of figures that are for whoever looks above the tables, which are folded floor by floor."""
        if not self.has_permission(request):
            return []
        groups = []
        for audience, title in GROUPS.items():
            pages = [page for page in PAGES if page.audience == audience and views.may_see(request, page)]
            links = [(page.title, page.icon, reverse("admin:figures", args=[page.slug])) for page in pages]
            groups.append({"title": title, "items": [_link(request, *link) for link in links], "collapsible": False})
        for floor in self.get_app_list(request):
            tables = [(table["name"], "", table["admin_url"]) for table in floor["models"]]
            groups.append(
                {"title": floor["name"], "items": [_link(request, *link) for link in tables], "collapsible": True}
            )
        return groups

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        shown = dashboard.seen_by(request, at=timezone.now())
        answer: TemplateResponse = super().index(request, {"dashboard": shown, **(extra_context or {})})
        return answer


def _link(request: HttpRequest, title: Any, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link, "active": request.path.startswith(link), "has_permission": True}
